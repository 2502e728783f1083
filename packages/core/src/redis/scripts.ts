import type { Connection, RedisArgument } from './connection.js';
import { callScripts, type ScriptCall } from './pipeline.js';
import type { ScriptName } from './scripts.generated.js';

/** Calls scripts by name over one connection. It knows no script's meaning: `store/replies.ts` does. */
export class Scripts {
  constructor(readonly connection: Connection) {}

  /** @throws ConnectionLostError, ConnectionClosedError, RedisRefusedError, CommandFailedError */
  async call(script: ScriptName, keys: readonly string[], args: readonly RedisArgument[]): Promise<unknown> {
    const [reply] = await callScripts(this.connection, [{ script, keys, args }]);
    if (reply instanceof Error) throw reply;
    return reply;
  }

  /** Many calls in one round trip; see `callScripts`. */
  callAll(calls: readonly ScriptCall[]): Promise<unknown[]> {
    return callScripts(this.connection, calls);
  }
}
