/**
 * How a child ended. `shutdown` and `planned` were asked for and never count against the restart intensity, with one exception, which is
 * OTP's: a supervisor that gives up ends with `shutdown` too, unasked, and its own supervisor counts that; `gaveUp` then is the first cause.
 */
export type ChildExit =
  | { readonly kind: 'shutdown'; readonly gaveUp?: string }
  | { readonly kind: 'planned' }
  | { readonly kind: 'normal' }
  | { readonly kind: 'abnormal'; readonly error: Error };

/** How a child is ended: at once, or asked and given this long (ms; Infinity: as long as it takes). */
export type Shutdown = 'brutal_kill' | number;

/** A child that runs. */
export interface ChildHandle {
  /** Resolves once, when the child is gone; never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Asks it to end, and ends it by force when `shutdown` has passed. Resolves when it is gone; a second call may shorten the first. */
  stop(shutdown: Shutdown): Promise<void>;
}

/** What a supervisor needs to know of a kind of child: a process, a worker, a foreign worker, or another supervisor. */
export interface ChildAdapter<Spec> {
  /**
   * Starts the child; resolves once it is ready for its work. Rejects when it could not start, and then nothing of it is left.
   * @param unwanted aborted when the child is to be stopped while it starts: the adapter may end the start early by rejecting. If it
   * resolves all the same, the supervisor stops the child through its handle.
   */
  start(spec: Spec, unwanted: AbortSignal): Promise<ChildHandle>;
}
