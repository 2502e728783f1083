import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Deferred, deferred, ManualClock } from '@drover/core/kit';
import { type Fact, HostLink, IpcPort, type Port, PortClosedError, PrimaryLink } from '../../packages/cluster/dist/link/index.js';
import { scriptedHandlers } from './fixtures/link-host.mjs';

const INC = 'inc-1';

/** Two ports joined in this process; messages arrive on a later turn, as structured clones. */
class TestPort implements Port {
  readonly #closed = deferred();
  readonly #messages: ((message: unknown) => void)[] = [];
  peer: TestPort | undefined;
  isOpen = true;

  static pair(): [TestPort, TestPort] {
    const [a, b] = [new TestPort(), new TestPort()];
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  async send(message: unknown): Promise<void> {
    if (!this.isOpen) throw new PortClosedError();
    const copy = structuredClone(message);
    const { peer } = this;
    setImmediate(() => {
      if (peer?.isOpen) for (const listener of peer.#messages) listener(copy);
    });
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#messages.push(listener);
  }

  onClose(listener: () => void): void {
    void this.#closed.promise.then(listener);
  }

  close(): void {
    for (const port of [this, this.peer as TestPort]) {
      port.isOpen = false;
      port.#closed.resolve();
    }
  }
}

interface Linked {
  readonly link: PrimaryLink;
  readonly port: Port;
  readonly clock: ManualClock;
  readonly facts: Fact[];
  nextFact(): Promise<Fact>;
  /** The process dies. */
  kill(): void;
}

function linked(port: Port, kill: () => void): Linked {
  const clock = new ManualClock();
  const facts: Fact[] = [];
  let awaited: Deferred<Fact> = deferred();
  const link = new PrimaryLink(port, INC, clock, (fact) => {
    facts.push(fact);
    awaited.resolve(fact);
    awaited = deferred();
  });
  return { link, port, clock, facts, nextFact: () => awaited.promise, kill };
}

async function inMemory(): Promise<Linked> {
  const [primary, process] = TestPort.pair();
  const link: HostLink = new HostLink(
    process,
    INC,
    scriptedHandlers(() => link, process, INC),
  );
  return linked(primary, () => primary.close());
}

async function forked(): Promise<Linked> {
  const child = fork(fileURLToPath(new URL('./fixtures/link-host.mjs', import.meta.url)), ['forked', INC], { serialization: 'advanced' });
  const made = linked(new IpcPort(child), () => child.kill('SIGKILL'));
  children.push(child);
  await made.nextFact();
  made.facts.length = 0;
  return made;
}

const children: ReturnType<typeof fork>[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

describe.each([
  { over: 'a pair in memory', connect: inMemory },
  { over: 'the IPC of a fork', connect: forked },
])('a link over $over', ({ connect }) => {
  const start = (group: string, workers: string[] = []) => ({ type: 'start_workers', group, workers }) as const;

  test('answers each request with its own result', async () => {
    const { link } = await connect();
    const [a, b] = await Promise.all([link.request(start('echo', ['a#1']), 5_000), link.request(start('echo', ['b#1']), 5_000)]);
    expect([a.workers, b.workers]).toEqual([['a#1'], ['b#1']]);
    expect(a.map).toEqual(new Map([['big', 1n]]));
    await expect(link.request(start('nothing'), 5_000)).resolves.toEqual({});
    expect(link.openRequests).toBe(0);
  });

  test('passes on what a handler throws: a refusal as it is, anything else as INTERNAL', async () => {
    const { link } = await connect();
    await expect(link.request(start('busy'), 5_000)).rejects.toMatchObject({
      code: 'BUSY',
      message: 'slot 3 drains',
      details: { slot: 3 },
    });
    await expect(link.request(start('bug'), 5_000)).rejects.toMatchObject({ code: 'INTERNAL', message: 'x is not a function' });
    await expect(link.request(start('uncloneable'), 5_000)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('ends a request with DEADLINE when no answer comes in time', async () => {
    const { link, clock } = await connect();
    const request = link.request(start('silent'), 300);
    clock.advance(300);
    await expect(request).rejects.toMatchObject({ code: 'DEADLINE', message: expect.stringContaining('start_workers') });
  });

  test('ends all open requests with PEER_GONE when the channel closes, and refuses later ones', async () => {
    const { link, kill } = await connect();
    const open = Promise.allSettled([link.request(start('silent'), 5_000), link.request(start('silent'), 5_000)]);
    const closed = new Promise<void>((resolve) => link.onClose(resolve));
    kill();
    const results = await open;
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(['PEER_GONE', 'PEER_GONE']);
    await closed;
    expect(link.isOpen).toBe(false);
    await expect(link.request(start('echo'), 5_000)).rejects.toMatchObject({ code: 'PEER_GONE' });
    await expect(
      link.init({
        slot: 1,
        generation: 1,
        groups: [],
        health: { heartbeatMs: 1, hangAfterMs: 12_000, captureStack: false, bootTimeoutMs: 1, orphanDeadlineMs: 1 },
        share: 1,
      }),
    ).rejects.toThrow(PortClosedError);
  });

  test('drops and counts what does not parse, is of another incarnation, or answers nothing', async () => {
    const { link, facts } = await connect();
    await link.request(start('garbage'), 5_000);
    expect(facts).toEqual([{ inc: INC, type: 'ready', bootMs: 5 }]);
    expect(link.dropped).toBe(8);
  });

  test('drops and counts in the process, too', async () => {
    const { link, port, nextFact } = await connect();
    for (const message of [null, 'shutdown', {}, { inc: INC, type: 'init' }, { inc: 'other', type: 'set_share', rid: '1', share: 2 }]) {
      await port.send(message);
    }
    const fact = nextFact();
    await link.init({
      slot: 4,
      generation: 1,
      groups: [],
      health: { heartbeatMs: 1, hangAfterMs: 12_000, captureStack: false, bootTimeoutMs: 1, orphanDeadlineMs: 1 },
      share: 1,
    });
    await expect(fact).resolves.toMatchObject({ type: 'log', line: 'slot 4' });
    await expect(link.request({ type: 'set_share', share: 2 }, 5_000)).resolves.toEqual({ dropped: 5 });
  });

  test('a message that cannot be cloned rejects its send and harms nothing', async () => {
    const { link, port } = await connect();
    await expect(port.send({ f: () => undefined })).rejects.toThrow('could not be cloned');
    await expect(link.request(start('nothing'), 5_000)).resolves.toEqual({});
  });
});

test('a send on a dead channel rejects and raises no event', async () => {
  const { port, kill } = await forked();
  const [child] = children;
  const errors: Error[] = [];
  child?.on('error', (error) => errors.push(error));
  const closed = new Promise<void>((resolve) => port.onClose(resolve));
  kill();
  await closed;
  await expect(port.send({ type: 'late' })).rejects.toThrow(PortClosedError);
  expect(errors).toEqual([]);
});
