import { Job, type JobCommands, type JobRecord } from '../job/index.js';
import { queueRef } from '../keys/queue-keys.js';

/**
 * The job as a sandboxed processor sees it: everything that a job offers elsewhere. Whatever it has to ask of Redis goes through the worker
 * that holds its lock.
 */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export class SandboxedJob<Data = any, Result = any, Name extends string = string> extends Job<Data, Result, Name> {
  readonly #onDiscard: () => void;

  constructor(
    source: { readonly queue: string; readonly prefix: string; readonly record: JobRecord; readonly token: string },
    commands: JobCommands,
    onDiscard: () => void,
  ) {
    super(queueRef(source.queue, source.prefix), source.record, commands, source.token);
    this.#onDiscard = onDiscard;
  }

  /** BullMQ's other spelling of `returnvalue` in sandboxes. */
  get returnValue(): Result {
    return this.returnvalue;
  }

  override discard(): void {
    super.discard();
    this.#onDiscard();
  }
}

/** What a module that runs in a sandbox exports as default, or a CommonJS one as `module.exports`. */
// biome-ignore lint/suspicious/noExplicitAny: the defaults of BullMQ's own type, which applications rely on
export type SandboxedJobProcessor<Data = any, Result = any> = (
  job: SandboxedJob<Data, Result>,
  token: string,
  signal: AbortSignal,
) => Result | PromiseLike<Result>;
