import { isOfServer, type ReadReply, type ReadRequest } from './event-source.js';
import type { EventStream } from './event-stream.js';
import { entriesPerStream } from './plan-read.js';

/** A stream that cannot be read (its key holds something else) is tried again after this time. */
export const RETRY_STREAM_MS = 5_000;

/** One call for streams that each have a listener with a place. */
export function requestOf(streams: readonly EventStream[]): ReadRequest {
  return {
    places: streams.map((stream) => ({ key: stream.key, from: stream.position as string })),
    count: entriesPerStream(streams.length),
  };
}

/**
 * Hands out what a call for `streams` has brought, and notes which of them have more.
 * @returns whether the reply had anything.
 * @throws the reply, if it is a refusal of the whole server.
 */
export function takeReply(streams: readonly EventStream[], { places, count }: ReadRequest, reply: ReadReply, nowMs: number): boolean {
  if (reply instanceof Error) {
    if (isOfServer(reply)) throw reply;
    setApart(streams, reply, nowMs);
    return true;
  }
  const entriesOf = new Map(reply);
  for (const [at, stream] of streams.entries()) {
    const entries = entriesOf.get(stream.key) ?? [];
    stream.isApart = false;
    stream.retryAt = 0;
    stream.hasMore = entries.length >= count;
    if (entries.length > 0) stream.deliver((places[at] as ReadRequest['places'][number]).from, entries);
  }
  return reply.length > 0;
}

/** A call fails for one of its streams, which one is unknown: each is read alone then, and the one that fails again is to blame. */
function setApart(streams: readonly EventStream[], error: Error, nowMs: number): void {
  for (const stream of streams) stream.isApart = true;
  const [stream] = streams;
  if (streams.length > 1 || !stream) return;
  if (stream.retryAt === 0) stream.tell(error);
  stream.retryAt = nowMs + RETRY_STREAM_MS;
}
