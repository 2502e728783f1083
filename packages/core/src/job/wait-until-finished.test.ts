import { EventEmitter } from 'node:events';
import { type Deferred, deferred, ManualClock } from '../kit/index.js';
import type { JobRecord } from './job-record.js';
import { type FinishEvents, waitUntilFinished } from './wait-until-finished.js';

const job = { id: '7', name: 'send', queueQualifiedName: 'bull:mail' };

/** Events whose readiness the test decides. */
class ManualEvents extends EventEmitter implements FinishEvents {
  readonly qualifiedName = 'bull:mail';
  readonly ready: Deferred<void> = deferred();
  readonly closing = new Set<() => void>();

  isRunning(): boolean {
    return true;
  }
  waitUntilReady(): Promise<void> {
    return this.ready.promise;
  }
  onClose(callback: () => void): () => void {
    this.closing.add(callback);
    return () => void this.closing.delete(callback);
  }
}

function fixture(ttlMs?: number) {
  const events = new ManualEvents();
  const clock = new ManualClock();
  const state = deferred<'active' | 'completed'>();
  const asked: string[] = [];
  const commands = {
    state: (id: string) => {
      asked.push(id);
      return state.promise;
    },
    read: async () => ({ returnvalue: 'stored' }) as unknown as JobRecord,
  };
  return { events, clock, state, asked, result: waitUntilFinished(job, commands, events, ttlMs, clock) };
}

test('it listens at once, and asks only when no event can be missed any more', async () => {
  const { events, state, asked, result } = fixture();
  expect(events.eventNames()).toEqual(['completed:7', 'failed:7', 'removed:7']);
  await new Promise(setImmediate);
  expect(asked).toEqual([]);
  events.ready.resolve();
  await new Promise(setImmediate);
  expect(asked).toEqual(['7']);
  state.resolve('completed');
  expect(await result).toBe('stored');
  expect([events.eventNames(), events.closing.size]).toEqual([[], 0]);
});

test('an event that comes before the answer decides', async () => {
  const { events, state, result } = fixture();
  events.ready.resolve();
  events.emit('completed:7', { jobId: '7', returnvalue: 'told' });
  expect(await result).toBe('told');
  state.resolve('completed');
});

test('its time also runs while the events are not ready, and no longer than the wait', async () => {
  const { events, clock, result } = fixture(500);
  clock.advance(499);
  events.emit('failed:7', { jobId: '7', failedReason: 'no good' });
  await expect(result).rejects.toThrow(/^no good$/);
  const late = fixture(500);
  late.clock.advance(500);
  await expect(late.result).rejects.toThrow('Job wait send timed out before finishing, no finish notification arrived after 500ms (id=7)');
  expect([late.events.eventNames(), late.events.closing.size]).toEqual([[], 0]);
});

test('a time of 0 is no limit', async () => {
  const { events, clock, result } = fixture(0);
  clock.advance(2 ** 40);
  events.emit('completed:7', { jobId: '7', returnvalue: 1 });
  expect(await result).toBe(1);
});

test('events that cannot become ready, or a job that cannot be asked for, end the wait', async () => {
  const unready = fixture();
  unready.events.ready.reject(new Error('closed'));
  await expect(unready.result).rejects.toThrow('closed');
  const unasked = fixture();
  unasked.events.ready.resolve();
  unasked.state.reject(new Error('the connection was lost'));
  await expect(unasked.result).rejects.toThrow('the connection was lost');
  expect([unasked.events.eventNames(), unasked.events.closing.size]).toEqual([[], 0]);
});
