type Listener<Payload> = (payload: Payload, id: string) => void;

interface OfJob {
  readonly jobId: string;
}

/** Payloads by event, as they stand in the stream (data model, section 5.1). Only what is not a text has been decoded. */
interface Payloads {
  added: OfJob & { readonly name: string };
  waiting: OfJob & { readonly prev?: string };
  /** `delay` is the instant the job is due, epoch ms. */
  delayed: OfJob & { readonly delay: number };
  active: OfJob & { readonly prev?: string };
  // biome-ignore lint/suspicious/noExplicitAny: whatever the application reports, as BullMQ types it
  progress: OfJob & { readonly data: any };
  // biome-ignore lint/suspicious/noExplicitAny: whatever the processor returned, as BullMQ types it
  completed: OfJob & { readonly returnvalue: any; readonly prev?: string };
  failed: OfJob & { readonly failedReason: string; readonly prev?: string };
  'retries-exhausted': OfJob & { readonly attemptsMade: string };
  stalled: OfJob;
  'waiting-children': OfJob & { readonly prev?: string };
  removed: OfJob & { readonly prev: string };
  duplicated: OfJob;
  deduplicated: OfJob & { readonly deduplicationId: string; readonly deduplicatedJobId: string };
  /** Of 5.x clients only. */
  debounced: OfJob & { readonly debounceId: string };
  cleaned: { readonly count: string };
  paused: Readonly<Record<string, never>>;
  resumed: Readonly<Record<string, never>>;
}

/** Events that tell of one job; each arrives under its name and under `name:jobId`. */
type JobEvents = { [E in keyof Payloads as Payloads[E] extends OfJob ? E : never]: Payloads[E] };

type ByName = { [E in keyof Payloads]: Listener<Payloads[E]> };
type ByJob = { [E in keyof JobEvents as `${E}:${string}`]: Listener<JobEvents[E]> };

/**
 * What QueueEvents tells: payload, then the id of the entry in the stream. Events of your own are added by extending this interface:
 *
 *     interface MyEvents extends QueueEventsListener { shipped: (payload: { orderId: string }, id: string) => void }
 *     queueEvents.on<MyEvents, 'shipped'>('shipped', ({ orderId }) => ...)
 */
export interface QueueEventsListener extends ByName, ByJob {
  /** The last job of the queue has ended. */
  drained: (id: string) => void;
  /** Without a listener, errors are printed once per message. */
  error: (error: Error) => void;
  /** The connection was lost; reading goes on where it stopped once it is back. */
  'ioredis:close': () => void;
}

/** Names that tell of a QueueEvents itself, not of its queue: an entry of the stream cannot take them. */
export const OWN_EVENTS: ReadonlySet<string> = new Set<keyof QueueEventsListener>(['error', 'ioredis:close']);
