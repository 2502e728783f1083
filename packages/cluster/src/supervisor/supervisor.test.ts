import { setImmediate as turn } from 'node:timers/promises';
import { type Clock, Deadline, type Deferred, deferred, ManualClock } from '@drover/core/kit';
import type { ChildAdapter, ChildExit, ChildHandle, Shutdown } from './child-adapter.js';
import type { ChildSpec, SupervisorFlags } from './child-spec.js';
import { Supervisor } from './supervisor.js';
import { SupervisorAdapter } from './supervisor-adapter.js';

const flags: SupervisorFlags = {
  intensity: 100,
  periodMs: 5_000,
  strategy: 'one_for_one',
  maxConsecutiveFailures: 100,
  resetAfterMs: 30_000,
  backoff: { firstMs: 0, baseMs: 0, factor: 2, capMs: 0, jitter: 'none' },
  onGiveUp: 'escalate',
};
const crash = (message = 'boom'): ChildExit => ({ kind: 'abnormal', error: new Error(message) });

/** One run of a scripted child: the test decides when it has started, how it ends, and sees what it was asked. */
class Run implements ChildHandle {
  readonly started: Deferred<ChildHandle> = deferred();
  readonly #exited = deferred<ChildExit>();
  readonly exited = this.#exited.promise;
  readonly stops: Shutdown[] = [];
  hasEnded = false;

  constructor(
    readonly id: string,
    readonly unwanted: AbortSignal,
    private readonly obeys: boolean,
  ) {}

  async stop(shutdown: Shutdown): Promise<void> {
    this.stops.push(shutdown);
    if (this.obeys) this.end({ kind: 'shutdown' });
    await this.exited;
  }

  end(exit: ChildExit): void {
    this.hasEnded = true;
    this.#exited.resolve(exit);
  }
}

/** Children by their specs: `startsAtOnce` and `obeys` say what the test need not do by hand. */
class Scripted implements ChildAdapter<string> {
  readonly runs: Run[] = [];
  startsAtOnce = true;
  obeys = true;

  start(id: string, unwanted: AbortSignal): Promise<ChildHandle> {
    const run = new Run(id, unwanted, this.obeys);
    this.runs.push(run);
    if (this.startsAtOnce) run.started.resolve(run);
    return run.started.promise;
  }

  last(id: string): Run {
    const run = this.runs.findLast((candidate) => candidate.id === id);
    if (!run) throw new Error(`${id} was never started`);
    return run;
  }

  /** The ids started so far, in order. */
  get log(): string {
    return this.runs.map(({ id }) => id).join(' ');
  }
}

function setup(change: Partial<SupervisorFlags> = {}, random = () => 0.5) {
  const clock = new ManualClock();
  const adapter = new Scripted();
  const events: string[] = [];
  const supervisor = new Supervisor(
    adapter,
    { ...flags, ...change },
    {
      clock,
      random,
      listener: {
        started: (id) => events.push(`started ${id}`),
        startFailed: (id, error) => events.push(`startFailed ${id} ${error.message}`),
        exited: (id, exit) => events.push(`exited ${id} ${exit.kind}`),
        restarting: (id, delayMs) => events.push(`restarting ${id} ${delayMs}`),
        parked: (id, reason) => events.push(`parked ${id} ${reason}`),
        forgotten: (id) => events.push(`forgotten ${id}`),
        gaveUp: (reason) => events.push(`gaveUp ${reason}`),
      },
    },
  );
  const add = async (...ids: string[]): Promise<void> => {
    for (const [index, id] of ids.entries()) supervisor.add(spec(id, { startOrder: index }));
    await turn();
  };
  const end = async (id: string, exit: ChildExit): Promise<void> => {
    adapter.last(id).end(exit);
    await turn();
  };
  const states = (): string =>
    supervisor
      .children()
      .map(({ id, state }) => `${id}:${state}`)
      .join(' ');
  return { clock, adapter, events, supervisor, add, end, states };
}

function spec(id: string, change: Partial<ChildSpec<string>> = {}): ChildSpec<string> {
  return { id, spec: id, restart: 'permanent', shutdown: 1_000, startOrder: 0, ...change };
}

describe('restart intensity', () => {
  test('3 in 5 s survives three and ends on the fourth, naming the first cause', async () => {
    const { adapter, clock, supervisor, add, end, events } = setup({ intensity: 3 });
    await add('a', 'b');
    for (const [n, id] of ['a', 'b', 'a'].entries()) {
      await end(id, crash(`cause ${n + 1}`));
      clock.advance(1_000);
    }
    expect(supervisor.restartsLeft()).toBe(0);
    expect(adapter.log).toBe('a b a b a');

    await end('a', crash('cause 4'));
    await expect(supervisor.ended).resolves.toEqual({ gaveUp: 'more than 3 restarts in 5000 ms; first a: cause 1' });
    expect(adapter.last('b').stops).toEqual([1_000]);
    expect(events.slice(-3)).toEqual([
      'exited a abnormal',
      'gaveUp more than 3 restarts in 5000 ms; first a: cause 1',
      'exited b shutdown',
    ]);
    expect(supervisor.children()).toEqual([]);
  });

  test('restarts that have aged out of the period do not count, nor name the cause', async () => {
    const { clock, supervisor, add, end } = setup({ intensity: 1 });
    await add('a');
    await end('a', crash('long ago'));
    clock.advance(5_001);
    expect(supervisor.restartsLeft()).toBe(1);
    await end('a', crash('first'));
    await end('a', crash('second'));
    await expect(supervisor.ended).resolves.toEqual({ gaveUp: expect.stringContaining('first a: first') });
  });

  test('a start that fails counts, during the first start as during a restart', async () => {
    const { adapter, supervisor, add, events } = setup({ intensity: 2 });
    adapter.startsAtOnce = false;
    await add('a');
    for (const message of ['one', 'two', 'three']) {
      adapter.last('a').started.reject(new Error(message));
      await turn();
    }
    await expect(supervisor.ended).resolves.toEqual({ gaveUp: expect.stringContaining('first a: one') });
    expect(events).toEqual(expect.arrayContaining(['startFailed a one', 'startFailed a two', 'startFailed a three']));
    expect(adapter.runs).toHaveLength(3);
  });

  test('new flags count from the next end on', async () => {
    const { supervisor, add, end } = setup({ intensity: 1 });
    await add('a');
    await end('a', crash());
    expect(supervisor.restartsLeft()).toBe(0);
    supervisor.setFlags({ ...flags, intensity: 2 });
    expect(supervisor.restartsLeft()).toBe(1);
    await end('a', crash());
    expect(supervisor.child('a')?.state).toBe('running');
  });

  test('told to park, it parks the child and goes on with the others', async () => {
    const { add, end, states, events } = setup({ intensity: 0, onGiveUp: 'park' });
    await add('a', 'b');
    await end('a', crash());
    expect(states()).toBe('a:parked b:running');
    expect(events.at(-1)).toBe('parked a boom');
  });
});

describe('restart types', () => {
  test('a transient child that ends normally is forgotten, one that crashes is restarted', async () => {
    const { adapter, supervisor, end, events } = setup();
    supervisor.add(spec('a', { restart: 'transient' }));
    await turn();
    await end('a', crash());
    expect(adapter.log).toBe('a a');
    await end('a', { kind: 'normal' });
    expect(events.at(-1)).toBe('forgotten a');
    expect(supervisor.children()).toEqual([]);
  });

  test('a temporary child is dropped, whether it crashes or cannot start', async () => {
    const { adapter, supervisor, end, events } = setup();
    supervisor.add(spec('a', { restart: 'temporary' }));
    await turn();
    await end('a', crash());
    adapter.startsAtOnce = false;
    supervisor.add(spec('a', { restart: 'temporary' }));
    adapter.last('a').started.reject(new Error('no'));
    await turn();
    expect(events.filter((event) => event === 'forgotten a')).toHaveLength(2);
    expect(supervisor.restartsLeft()).toBe(100);
  });

  test('a planned end is replaced at once and costs no restart', async () => {
    const { adapter, supervisor, add, end } = setup({ intensity: 0 });
    await add('a');
    await end('a', { kind: 'planned' });
    expect(adapter.log).toBe('a a');
    expect(supervisor.child('a')).toMatchObject({ state: 'running', restarts: 1, failuresInRow: 0 });
  });
});

describe('back-off and parking', () => {
  const patient = { backoff: { firstMs: 0, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'full' } } as const;

  test('restarts come at once, then after 250 ms doubling to 15 s, with full jitter', async () => {
    const { clock, add, end, events } = setup(patient, () => 0.5);
    await add('a');
    for (let n = 0; n < 10; n++) {
      await end('a', crash());
      clock.advance(15_000);
      await turn();
    }
    const delays = events.filter((event) => event.startsWith('restarting')).map((event) => Number(event.split(' ')[2]));
    expect(delays).toEqual([0, 125, 250, 500, 1_000, 2_000, 4_000, 7_500, 7_500, 7_500]);
  });

  test('the child starts when its back-off has ended, not before', async () => {
    const { adapter, clock, supervisor, add, end } = setup(patient, () => 0.8);
    await add('a');
    await end('a', crash());
    await end('a', crash('again'));
    expect(supervisor.child('a')).toMatchObject({ state: 'waiting', failuresInRow: 2, nextTryAt: clock.now() + 200, error: 'again' });
    clock.advance(199);
    expect(adapter.runs).toHaveLength(2);
    clock.advance(1);
    expect(adapter.runs).toHaveLength(3);
  });

  test('failures in a row park; a life of resetAfter ends the row', async () => {
    const { clock, supervisor, add, end, states } = setup({ maxConsecutiveFailures: 2 });
    await add('a', 'b', 'c');
    await end('a', crash());
    clock.advance(30_000);
    expect(supervisor.child('a')).toMatchObject({ failuresInRow: 0, error: undefined });
    await end('a', crash());
    await end('a', crash());
    expect(states()).toBe('a:running b:running c:running');
    await end('a', crash());
    expect(states()).toBe('a:parked b:running c:running');
  });

  test('half of the siblings parked escalates', async () => {
    const { supervisor, add, end, states } = setup({ maxConsecutiveFailures: 1 });
    await add('a', 'b', 'c', 'd');
    await end('a', crash());
    expect(states()).toBe('a:parked b:running c:running d:running');
    await end('b', crash('the last straw'));
    await expect(supervisor.ended).resolves.toEqual({ gaveUp: 'half of the children failed 1 times in a row; b: the last straw' });
  });

  test('restart starts a parked child with a clean slate', async () => {
    const { supervisor, add, end } = setup({ maxConsecutiveFailures: 1 });
    await add('a', 'b', 'c');
    await end('a', crash());
    supervisor.restart('a');
    await turn();
    expect(supervisor.child('a')).toMatchObject({ state: 'running', failuresInRow: 0, error: undefined });
  });

  test('restart ends a back-off', async () => {
    const { adapter, clock, supervisor, add, end } = setup(patient);
    await add('a');
    await end('a', crash());
    await end('a', crash());
    supervisor.restart('a');
    await turn();
    expect(supervisor.child('a')).toMatchObject({ state: 'running', nextTryAt: undefined });
    clock.advance(60_000);
    expect(adapter.runs).toHaveLength(3);
  });

  test('restart of a running child stops it first and costs nothing', async () => {
    const { adapter, supervisor, add, events } = setup({ intensity: 0 });
    await add('a');
    supervisor.restart('a', 77);
    await turn();
    expect(adapter.runs[0]?.stops).toEqual([77]);
    expect(events).toEqual(['started a', 'exited a shutdown', 'started a']);
  });
});

describe('remove', () => {
  test('an asked-for end is neither restarted nor counted, whatever the exit looks like', async () => {
    const { adapter, supervisor, add, end, events } = setup({ intensity: 0 });
    adapter.obeys = false;
    await add('a');
    const removed = supervisor.remove('a');
    await end('a', crash());
    await removed;
    expect(supervisor.children()).toEqual([]);
    expect(events).toEqual(['started a', 'exited a abnormal']);
    await supervisor.remove('a');
  });

  test('a second remove may shorten the first, not lengthen it', async () => {
    const { adapter, supervisor, add } = setup();
    adapter.obeys = false;
    await add('a');
    void supervisor.remove('a', 500);
    void supervisor.remove('a', 900);
    void supervisor.remove('a', 100);
    void supervisor.remove('a', 'brutal_kill');
    expect(adapter.last('a').stops).toEqual([500, 500, 100, 'brutal_kill']);
  });

  test('during back-off it ends the wait', async () => {
    const { adapter, clock, supervisor, add, end } = setup({
      backoff: { firstMs: 100, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'none' },
    });
    await add('a');
    await end('a', crash());
    expect(supervisor.child('a')?.state).toBe('waiting');
    await supervisor.remove('a');
    clock.advance(60_000);
    expect(adapter.log).toBe('a');
  });

  test('during a start it tells the adapter, and stops the child once it has started', async () => {
    const { adapter, supervisor, add, events } = setup();
    adapter.startsAtOnce = false;
    await add('a');
    const removed = supervisor.remove('a');
    const run = adapter.last('a');
    expect(run.unwanted.aborted).toBe(true);
    expect(supervisor.child('a')?.state).toBe('stopping');
    expect(() => supervisor.add(spec('a'))).toThrow('there is one already');
    expect(() => supervisor.restart('a')).toThrow('being removed');
    run.started.resolve(run);
    await removed;
    expect(run.stops).toEqual([1_000]);
    expect(events).toEqual(['exited a shutdown']);
  });

  test('during a start that then fails it is over, and nothing is counted', async () => {
    const { adapter, supervisor, add, events } = setup({ intensity: 0 });
    adapter.startsAtOnce = false;
    await add('a');
    const removed = supervisor.remove('a');
    adapter.last('a').started.reject(new Error('cancelled'));
    await removed;
    expect(events).toEqual(['exited a shutdown']);
    supervisor.add(spec('a'));
    expect(supervisor.child('a')?.state).toBe('starting');
  });
});

describe('stop', () => {
  test('stops all in parallel, each under its own limit but none past the deadline', async () => {
    const { adapter, clock, supervisor } = setup();
    adapter.obeys = false;
    supervisor.add(spec('a', { shutdown: 1_000 }));
    supervisor.add(spec('b', { shutdown: Number.POSITIVE_INFINITY }));
    supervisor.add(spec('c', { shutdown: 'brutal_kill' }));
    await turn();
    const stopped = supervisor.stop(Deadline.in(3_000, clock));
    expect(adapter.runs.map(({ stops }) => stops)).toEqual([[1_000], [3_000], ['brutal_kill']]);
    for (const run of adapter.runs) run.end({ kind: 'shutdown' });
    await stopped;
    await expect(supervisor.ended).resolves.toBe('shutdown');
    expect(() => supervisor.add(spec('d'))).toThrow('has ended');
  });

  test('a deadline that moved closer reaches the children when it passes', async () => {
    const { adapter, clock, supervisor, add } = setup();
    adapter.obeys = false;
    await add('a');
    const deadline = Deadline.in(30_000, clock);
    const stopped = supervisor.stop(deadline);
    deadline.shortenTo(200);
    clock.advance(200);
    expect(adapter.last('a').stops).toEqual([1_000, 0]);
    adapter.last('a').end({ kind: 'shutdown' });
    await stopped;
  });

  test('during a start it waits for the child and stops it; waiting and parked ones are gone at once', async () => {
    const { adapter, clock, supervisor, add, end } = setup({ maxConsecutiveFailures: 2, backoff: { ...flags.backoff, firstMs: 100 } });
    await add('a', 'b', 'c', 'd', 'e');
    await end('a', crash());
    clock.advance(100);
    await turn();
    await end('a', crash());
    await end('b', crash());
    adapter.startsAtOnce = false;
    supervisor.add(spec('late'));
    await turn();

    let isOver = false;
    const stopped = supervisor.stop(Deadline.in(3_000, clock)).then(() => {
      isOver = true;
    });
    await turn();
    expect(supervisor.children().map(({ id, state }) => `${id}:${state}`)).toEqual(['late:stopping']);
    expect(isOver).toBe(false);
    const late = adapter.last('late');
    late.started.resolve(late);
    await stopped;
    expect(late.hasEnded).toBe(true);
    clock.advance(60_000);
    expect(adapter.runs.filter(({ id }) => id === 'b')).toHaveLength(1);
  });

  test('told to stop in reverse, each child is asked when those after it are gone, and none is started again meanwhile', async () => {
    const { adapter, clock, supervisor, add, end, events } = setup({ strategy: 'rest_for_one', stopInReverse: true });
    adapter.obeys = false;
    await add('a', 'b', 'c');
    const deadline = Deadline.in(3_000, clock);
    const stopped = supervisor.stop(deadline);
    await turn();
    expect(adapter.runs.map(({ stops }) => stops)).toEqual([[], [], [1_000]]);
    await end('b', crash());
    await end('c', { kind: 'shutdown' });
    expect(adapter.runs.map(({ stops }) => stops)).toEqual([[1_000], [], [1_000]]);
    await end('a', { kind: 'shutdown' });
    await stopped;
    expect(events.slice(3)).toEqual(['exited b abnormal', 'exited c shutdown', 'exited a shutdown']);
  });

  test('a stop while it gives up joins, and the supervisor still ends as one that gave up', async () => {
    const { adapter, clock, supervisor, add, end } = setup({ intensity: 0 });
    adapter.obeys = false;
    await add('a', 'b');
    await end('a', crash());
    const stopped = supervisor.stop(Deadline.in(10, clock));
    expect(adapter.last('b').stops).toEqual([1_000, 10]);
    await end('b', { kind: 'shutdown' });
    await stopped;
    await expect(supervisor.ended).resolves.toEqual({ gaveUp: expect.any(String) });
  });
});

describe('strategies', () => {
  test('under rest_for_one children start in order, each when those before it run', async () => {
    const { adapter, add, states } = setup({ strategy: 'rest_for_one' });
    adapter.startsAtOnce = false;
    await add('a', 'b');
    expect(states()).toBe('a:starting b:waiting');
    adapter.last('a').started.resolve(adapter.last('a'));
    await turn();
    expect(states()).toBe('a:running b:starting');
  });

  test('rest_for_one stops those started later, last first, and starts them in order', async () => {
    const { adapter, add, end, events } = setup({ strategy: 'rest_for_one' });
    await add('a', 'b', 'c', 'd');
    events.length = 0;
    await end('b', crash());
    await turn();
    expect(events).toEqual([
      'exited b abnormal',
      'restarting b 0',
      'exited d shutdown',
      'exited c shutdown',
      'started b',
      'started c',
      'started d',
    ]);
    expect(adapter.runs.filter(({ id }) => id === 'a')).toHaveLength(1);
  });

  test('one_for_all restarts all, after one back-off for all, and counts one restart', async () => {
    const { clock, adapter, supervisor, add, end, states } = setup({
      strategy: 'one_for_all',
      backoff: { firstMs: 100, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'none' },
    });
    await add('a', 'b', 'c');
    await end('b', crash());
    expect(states()).toBe('a:waiting b:waiting c:waiting');
    clock.advance(99);
    await turn();
    expect(adapter.log).toBe('a b c');
    clock.advance(1);
    await turn();
    expect(adapter.log).toBe('a b c a b c');
    expect(supervisor.restartsLeft()).toBe(99);
  });

  test('siblings that take long to stop hold up the restart', async () => {
    const { adapter, add, end, states } = setup({ strategy: 'rest_for_one' });
    adapter.obeys = false;
    await add('a', 'b', 'c');
    await end('a', crash());
    expect(states()).toBe('a:waiting b:running c:stopping');
    await end('c', { kind: 'shutdown' });
    expect(states()).toBe('a:waiting b:stopping c:waiting');
    await end('b', { kind: 'shutdown' });
    expect(states()).toBe('a:running b:running c:running');
  });

  test('a sibling removed while a strategy stops it does not come back', async () => {
    const { adapter, supervisor, add, end, states } = setup({ strategy: 'one_for_all' });
    adapter.obeys = false;
    await add('a', 'b');
    await end('a', crash());
    const removed = supervisor.remove('b');
    await end('b', { kind: 'shutdown' });
    await removed;
    expect(states()).toBe('a:running');
  });

  test('a child that is being removed does not hold up the others', async () => {
    const { adapter, supervisor, add, end, states } = setup({ strategy: 'one_for_all' });
    await add('a');
    adapter.obeys = false;
    supervisor.add(spec('b', { startOrder: 1 }));
    await turn();
    void supervisor.remove('b');
    await end('a', crash());
    expect(states()).toBe('a:running b:stopping');
  });

  test('a parked child takes down those that depend on it, until it is restarted', async () => {
    const { supervisor, add, end, states } = setup({ strategy: 'rest_for_one', maxConsecutiveFailures: 1 });
    await add('a', 'b', 'c');
    await end('b', crash());
    await turn();
    expect(states()).toBe('a:running b:parked c:waiting');
    expect(supervisor.heldUp()).toEqual(['c']);
    supervisor.restart('b');
    await turn();
    expect(states()).toBe('a:running b:running c:running');
  });

  test('a child whose start is taken back, because one before it is given up, is told of as ended', async () => {
    const { adapter, events, add, end, states } = setup({ strategy: 'rest_for_one', maxConsecutiveFailures: 1 });
    await add('a');
    adapter.startsAtOnce = false;
    await add('b', 'c');
    await end('a', crash());
    expect(adapter.last('b').unwanted.aborted).toBe(true);
    adapter.last('b').started.reject(new Error('unwanted'));
    await turn();
    expect(states()).toBe('a:parked b:waiting c:waiting');
    expect(events.at(-1)).toBe('exited b shutdown');
  });

  test('the strategy of a supervisor cannot be changed', () => {
    const { supervisor } = setup();
    expect(() => supervisor.setFlags({ ...flags, strategy: 'one_for_all' })).toThrow('strategy');
  });
});

test('acceptance 20: a clock that is set an hour on or back changes nothing: intensity, back-off and parking count monotonic time', async () => {
  const clock = new ManualClock();
  let skewMs = 0;
  const skewed = {
    now: () => clock.now() + skewMs,
    monotonic: () => clock.monotonic(),
    setTimer: clock.setTimer.bind(clock),
  } as Clock;
  const adapter = new Scripted();
  const backoff = { firstMs: 500, baseMs: 500, factor: 1, capMs: 500, jitter: 'none' } as const;
  const supervisor = new Supervisor(adapter, { ...flags, intensity: 3, periodMs: 5_000, backoff }, { clock: skewed, random: () => 0 });
  supervisor.add(spec('a'));
  await turn();
  for (const [restarts, skew] of [3_600_000, -3_600_000, 0].entries()) {
    skewMs = skew;
    adapter.last('a').end(crash());
    await turn();
    expect([supervisor.restartsLeft(), adapter.runs.length]).toEqual([2 - restarts, restarts + 1]);
    clock.advance(500);
    await turn();
    expect(adapter.runs).toHaveLength(restarts + 2);
  }
  clock.advance(5_000);
  expect(supervisor.restartsLeft()).toBe(3);
});

describe('a supervisor as a child', () => {
  function nested(restart: ChildSpec<string>['restart']) {
    const clock = new ManualClock();
    const adapter = new Scripted();
    const make = (): Supervisor<string> => {
      const inner = new Supervisor(adapter, { ...flags, intensity: 0 }, { clock, random: () => 0 });
      inner.add(spec('leaf'));
      return inner;
    };
    const outer = new Supervisor(new SupervisorAdapter(make, clock), { ...flags, intensity: 1 }, { clock, random: () => 0 });
    outer.add({ id: 'inner', spec: undefined, restart, shutdown: Number.POSITIVE_INFINITY, startOrder: 0 });
    return { adapter, clock, outer };
  }

  test('one that gives up is counted and started anew with its children; the first cause reaches the top', async () => {
    const { adapter, outer } = nested('permanent');
    await turn();
    adapter.last('leaf').end(crash('cause'));
    await turn();
    expect(adapter.log).toBe('leaf leaf');
    expect(outer.restartsLeft()).toBe(0);
    adapter.last('leaf').end(crash('later'));
    await expect(outer.ended).resolves.toEqual({
      gaveUp: 'more than 1 restarts in 5000 ms; first inner: more than 0 restarts in 5000 ms; first leaf: cause',
    });
  });

  test('a transient one that gives up is forgotten', async () => {
    const { adapter, outer } = nested('transient');
    await turn();
    adapter.last('leaf').end(crash());
    await turn();
    expect(outer.children()).toEqual([]);
  });

  test('its stop reaches the leaves', async () => {
    const { adapter, clock, outer } = nested('permanent');
    await turn();
    await outer.stop(Deadline.in(400, clock));
    expect(adapter.last('leaf').stops).toEqual([400]);
  });
});
