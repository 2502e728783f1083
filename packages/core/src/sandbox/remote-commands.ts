import type { JobCommands } from '../job/index.js';
import { type Deferred, deferred } from '../kit/index.js';
import { encodeValue } from './encode-value.js';
import type { SandboxPort } from './port.js';
import { MAX_VALUE_BYTES, REMOTE_METHODS, type RemoteMethod, type ToSandbox } from './protocol.js';
import { decodeThrown } from './thrown.js';

/** Owns the calls of a sandbox that its parent has not answered. A call has no time limit: the parent answers, or is gone and so are we. */
export class RemoteCalls {
  readonly #open = new Map<number, Deferred<unknown>>();
  #last = 0;

  constructor(private readonly port: SandboxPort) {}

  /** The commands of the job of one run. */
  commandsOf(run: number): JobCommands {
    const remote = Object.fromEntries(
      REMOTE_METHODS.map((method) => [method, async (...args: unknown[]) => this.#ask(run, method, args)] as const),
    );
    return { ...(remote as unknown as Pick<JobCommands, RemoteMethod>), now: () => Date.now(), addNextIteration: refuse };
  }

  answered({ call, value, thrown }: Extract<ToSandbox, { type: 'reply' }>): void {
    const open = this.#open.get(call);
    this.#open.delete(call);
    if (thrown) open?.reject(decodeThrown(thrown));
    else open?.resolve(value === undefined ? undefined : JSON.parse(value));
  }

  #ask(run: number, method: RemoteMethod, args: unknown[]): Promise<unknown> {
    const text = encodeValue(`what ${method} is given`, args, MAX_VALUE_BYTES) as string; // a list always has a text
    const answer = deferred<unknown>();
    const call = ++this.#last;
    this.#open.set(call, answer);
    this.port.send({ type: 'call', run, call, method, args: text });
    return answer.promise;
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error('iterations of a schedule are added by the worker, before its job runs'));
}
