import type {
  CountReply,
  DocReply,
  ListReply,
  OperationReply,
  OperationStatus,
  PingReply,
  Progress,
  ScaleReply,
  StatusReply,
  StopMode,
  Topic,
  Victim,
} from '../protocol/index.js';

/** Who commands: a `key` makes a repeat within 5 min answer with the first reply. */
export interface CommandContext {
  readonly transport: string;
  readonly key?: string;
}

export interface ShrinkOptions {
  readonly victim?: Victim;
  readonly drainMs?: number;
}

export interface ReloadOptions {
  readonly maxSurge?: number;
  readonly maxUnavailable?: number;
  readonly canary?: number;
  readonly probationMs?: number;
}

/** A fact for subscribers, before it has an envelope. */
export interface ControlEvent {
  readonly topic: Topic;
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * The use cases behind the verbs. A mutating one only changes what is desired, so it answers at once; the operation that it names
 * goes on. `group` undefined means the only group; with several it is refused by `BAD_REQUEST`.
 * @throws ControlFailure
 */
export interface ControlOperations {
  scaleUp(group: string | undefined, count: number, context: CommandContext): ScaleReply;
  scaleDown(group: string | undefined, count: number, options: ShrinkOptions, context: CommandContext): ScaleReply;
  scaleTo(group: string | undefined, count: number, options: ShrinkOptions, context: CommandContext): ScaleReply;
  stop(mode: StopMode, drainMs: number | undefined, context: CommandContext): OperationReply;
  /** Replaces every process by one that loads its modules anew, and keeps the old ones if that fails. */
  reload(options: ReloadOptions, context: CommandContext): OperationReply;
  restart(slot: number, mode: StopMode, context: CommandContext): OperationReply;
  recycle(slot: number | undefined, context: CommandContext): OperationReply;
  workerCount(group: string | undefined): CountReply;
  status(): StatusReply;
  list(query: {
    readonly what: 'processes' | 'workers';
    readonly group?: string;
    readonly slot?: number;
    readonly after?: string;
    readonly limit?: number;
  }): ListReply;
  show(query: { readonly what: 'restarts'; readonly slot?: number }): DocReply;
  ping(): PingReply;
  operation(opId: string): OperationStatus;
  /** Calls `listener` with every progress of the operation from now on, its end included (at once if it has ended). @returns how to stop it. */
  follow(opId: string, listener: (progress: Progress) => void): () => void;
  /** Calls `listener` with every fact whose topic one of the patterns covers. @returns how to stop it. */
  subscribe(patterns: readonly string[], listener: (event: ControlEvent) => void): () => void;
}
