/** Jobs of one library are waited for, and events of its own published, while the other listens. */
import { atEnd } from '../support/at-end.js';
import { droverSide, type Either, openStage, peerSides, type Side, type Stage } from '../support/roles.js';
import { next } from '../support/until.js';

/** Hears all there is, from the beginning: then it does not matter when it begins to read. */
async function listener({ where }: Stage, side: Side): Promise<Either> {
  const events = new side.library.QueueEvents('mail', { ...where, lastEventId: '0' });
  atEnd(() => events.close());
  await events.waitUntilReady();
  return events;
}

const pairs = peerSides.flatMap((peer) => [
  { acting: peer as Side, other: droverSide },
  { acting: droverSide, other: peer as Side },
]);

describe.each(pairs)('$acting.name, with $other.name on the other side', ({ acting, other }) => {
  test('waitUntilFinished: results and failures of runs over there, now, later and long ago', async () => {
    const stage = await openStage(acting, other);
    const { queue, worker } = stage;
    const events = await listener(stage, acting);
    const jobs: Either[] = await queue.addBulk(
      ['good', 'bad', 'late', 'nothing'].map((name) => ({ name, data: {}, opts: name === 'late' ? { delay: 40 } : {} })),
    );
    const ends = jobs.map((job) => job.waitUntilFinished(events).catch((error: Error) => `failed: ${error.message}`));
    await worker(async (job) => {
      if (job.name === 'bad') throw new Error('no luck');
      return job.name === 'nothing' ? undefined : { by: job.name };
    });
    const results = await Promise.all(ends);
    expect(results.map((result) => result ?? null)).toEqual([{ by: 'good' }, 'failed: no luck', { by: 'late' }, null]);
    expect(await jobs[0].waitUntilFinished(events)).toEqual({ by: 'good' });
    await expect(jobs[1].waitUntilFinished(events)).rejects.toThrow('no luck');
    const never = await queue.add('never', {}, { delay: 600_000 });
    await expect(never.waitUntilFinished(events, 20)).rejects.toThrow('timed out before finishing');
  });

  test('QueueEventsProducer: events of its own are heard over there, and trimmed as it says', async () => {
    const stage = await openStage(acting, other);
    const events = await listener(stage, other);
    const producer = new acting.library.QueueEventsProducer('mail', stage.where);
    atEnd(() => producer.close());
    const heard = next<[Either, string]>(events, 'my event');
    const ofJob = next<[Either, string]>(events, 'my event:7');
    await producer.publishEvent({ eventName: 'my event', jobId: '7', text: 'ä "/"', number: 5 });
    const [entry, id] = await heard;
    expect(entry).toEqual({ jobId: '7', text: 'ä "/"', number: '5' });
    expect((await ofJob)[1]).toBe(id);
    for (let n = 0; n < 300; n++) await producer.publishEvent({ eventName: 'many' }, 50);
    expect(await stage.redis.xlen(stage.key('events'))).toBeLessThan(300); // approximate
  });

  test('QueueEvents: progress and the end of each try of a job that the other side runs', async () => {
    const stage = await openStage(acting, other);
    const events = await listener(stage, acting);
    const heard: unknown[] = [];
    for (const name of ['added', 'waiting', 'active', 'progress', 'delayed', 'failed', 'retries-exhausted', 'completed']) {
      events.on(`${name}:1`, ({ data, failedReason, prev }: Either) => void heard.push([name, data ?? failedReason ?? prev]));
    }
    const last = next(events, 'retries-exhausted');
    await stage.queue.add('bad', {}, { attempts: 2, backoff: 10 });
    await stage.worker(async (job) => {
      await job.updateProgress({ try: job.attemptsMade + 1 });
      throw new Error('no luck');
    });
    await last;
    expect(heard).toEqual([
      ['added', undefined],
      ['waiting', undefined],
      ['active', 'waiting'],
      ['progress', { try: 1 }],
      ['delayed', undefined],
      ['waiting', 'delayed'],
      ['active', 'waiting'],
      ['progress', { try: 2 }],
      ['failed', 'no luck'],
      ['retries-exhausted', undefined],
    ]);
  });
});
