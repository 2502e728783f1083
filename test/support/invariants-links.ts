/** Rules on what links jobs with one another: deduplication ids, parents and children, schedulers. */
import { isJson } from './invariants-states.js';
import type { Fields, Held, QueueSnapshot } from './queue-snapshot.js';

/** A deduplication id belongs to a job that has not ended, or it expires; a job put off by one has somebody to wait for. */
export function* deduplicationsOwned({ keys, records }: QueueSnapshot): Generator<string> {
  for (const [rest, held] of keys) {
    const id = rest.slice(3);
    if (rest.startsWith('de:') && held.type === 'string') {
      const owner = records.get(held.text);
      if (!owner && held.ttlMs < 0) yield `deduplication id ${id} is held for ever by job ${held.text}, which is gone`;
      if (owner && owner.deid !== id) yield `deduplication id ${id} is held by job ${held.text}, which has ${owner.deid}`;
      if (owner?.finishedOn !== undefined && held.ttlMs < 0)
        yield `deduplication id ${id} is held for ever by job ${held.text}, which has ended`;
    }
    if (rest.startsWith('dn:') && held.type === 'hash') {
      for (const field of ['name', 'data', 'opts']) if (held.fields[field] === undefined) yield `the job put off by ${id} has no ${field}`;
      for (const field of ['data', 'opts']) if (!isJson(held.fields[field])) yield `the job put off by ${id}: ${field} is not JSON`;
      const isAwaited = [...records.values()].some((record) => record.deid === id && record.finishedOn === undefined);
      if (!isAwaited) yield `a job is put off by ${id}, but no job with that id is unfinished`;
    }
  }
}

/** Parents and children agree about each other, in this queue and across queues. */
export function* familiesAgree(snapshot: QueueSnapshot): Generator<string> {
  const { base, records, states } = snapshot;
  for (const [id, record] of records) {
    yield* childFits(snapshot, id, record);
    for (const child of snapshot.set(`${id}:dependencies`)) {
      const held = snapshot.at(child);
      if (held?.type !== 'hash') yield `job ${id} waits for ${child}, which is gone`;
      else if (held.fields.parentKey !== base + id)
        yield `job ${id} waits for ${child}, whose parent is ${held.fields.parentKey ?? 'nobody'}`;
      else if (held.fields.returnvalue !== undefined && held.fields.finishedOn !== undefined)
        yield `job ${id} waits for ${child}, which has completed`;
    }
  }
  for (const id of states.get('waiting-children')?.keys() ?? []) {
    if (snapshot.set(`${id}:dependencies`).length === 0 && records.get(id)?.flowAttachmentFailed === undefined)
      yield `job ${id} waits for children, but has none`;
  }
}

function* childFits(snapshot: QueueSnapshot, id: string, record: Fields): Generator<string> {
  const { parentKey, parent } = record;
  if ((parentKey === undefined) !== (parent === undefined)) yield `job ${id} has only one of parent and parentKey`;
  if (parentKey === undefined || !isJson(parent)) return;
  const { id: parentId, queueKey } = JSON.parse(parent as string) as { id?: string; queueKey?: string };
  if (`${queueKey}:${parentId}` !== parentKey) yield `job ${id}: parent ${parent} but parentKey ${parentKey}`;
  if (snapshot.at(parentKey) === undefined) return;
  const child = snapshot.base + id;
  if (record.finishedOn === undefined && !holds(snapshot.at(`${parentKey}:dependencies`), child))
    yield `job ${id} is unfinished, but its parent ${parentKey} does not wait for it`;
  if (record.finishedOn !== undefined && record.returnvalue !== undefined && !holds(snapshot.at(`${parentKey}:processed`), child))
    yield `job ${id} has completed, but its parent ${parentKey} has no value of it`;
}

function holds(held: Held | undefined, member: string): boolean {
  if (held?.type === 'set') return held.members.includes(member);
  return held?.type === 'hash' && held.fields[member] !== undefined;
}

/** Each scheduler has its definition, and each definition its place in the schedule. */
export function* schedulersWhole(snapshot: QueueSnapshot): Generator<string> {
  const scheduled = snapshot.zset('repeat');
  for (const [id, at] of scheduled) {
    if (snapshot.hash(`repeat:${id}`) === undefined) yield `scheduler ${id} has no definition`;
    if (!Number.isSafeInteger(at)) yield `scheduler ${id} is due at ${at}`;
  }
  for (const [rest, held] of snapshot.keys) {
    if (!rest.startsWith('repeat:') || held.type !== 'hash' || snapshot.records.has(rest)) continue;
    if (!scheduled.has(rest.slice('repeat:'.length)))
      yield `scheduler ${rest.slice('repeat:'.length)} has a definition, but no place in the schedule`;
  }
}
