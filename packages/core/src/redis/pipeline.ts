import type { Connection, RawCommand, RedisArgument } from './connection.js';
import { type ScriptName, scripts } from './scripts.generated.js';

/** One call of one script: its keys in the order of its header, then its arguments. */
export interface ScriptCall {
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: readonly RedisArgument[];
}

/**
 * Sends many script calls in one round trip, in order. Calls that Redis refused because it does not know the script are sent a second
 * time with the source; the others are not, they have run.
 * @returns a reply for each, an Error where the call failed on its own.
 * @throws ConnectionLostError when nothing is known about any of them; ConnectionClosedError.
 */
export async function callScripts(connection: Connection, calls: readonly ScriptCall[]): Promise<unknown[]> {
  const replies = await connection.sendAll(calls.map(evalsha));
  if (replies.some(isNoScript)) {
    const refused = calls.flatMap((_, at) => (isNoScript(replies[at]) ? [at] : []));
    const again = await connection.sendAll(refused.map((at) => evalSource(calls[at] as ScriptCall)));
    refused.forEach((at, nth) => {
      replies[at] = again[nth];
    });
  }
  return replies;
}

function evalsha({ script, keys, args }: ScriptCall): RawCommand {
  return { name: 'evalsha', args: [scripts[script].sha1, keys.length, ...keys, ...args], label: `script ${script}` };
}

function evalSource({ script, keys, args }: ScriptCall): RawCommand {
  return { name: 'eval', args: [scripts[script].source, keys.length, ...keys, ...args], label: `script ${script}` };
}

function isNoScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.includes('NOSCRIPT');
}
