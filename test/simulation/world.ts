import type { Worker as ClusterWorker } from 'node:cluster';
import { deferred, type Logger, silentLogger } from '@drover/core/kit';
import type { HubEvent } from '../../packages/cluster/dist/primary/event-hub.js';
import type { ProcessIdentity } from '../../packages/cluster/dist/primary/fork-process.js';
import { Primary, type PrimaryEnd } from '../../packages/cluster/dist/primary/primary.js';
import type { HeldAgainst } from '../../packages/cluster/dist/primary/recover-jobs.js';
import type { Sizes } from '../../packages/cluster/dist/primary/state-file.js';
import type { OperationStatus, StatusReply } from '../../packages/cluster/dist/protocol/index.js';
import { Behaviour } from './behaviour.js';
import { ProgramClock, SimClock } from './clock.js';
import type { SimWorker } from './engine.js';
import { type ProcessDeps, SimProcess, stillbornWorker } from './process.js';
import { Random } from './random.js';
import { RolloutBook } from './rollout-book.js';
import { makeScenario, type Scenario } from './scenario.js';

/** What happened, for those who judge it: an event of the primary, or a fork that failed before there was a process. */
export type Incident = HubEvent | { readonly topic: 'fork failed'; readonly data: { readonly slot: number } };

/**
 * One run: the real primary, the real hosts, and everything between and below them simulated. Nothing moves but by `step`, and everything
 * that moves follows from the seed. `primary` and `processes` are the truth that commands and faults act on and invariants look at.
 */
export class World {
  readonly clock = new SimClock();
  readonly scenario: Scenario;
  /** For commands and faults: when, which, whom. */
  readonly random: Random;
  readonly behaviour: Behaviour;
  readonly primary: Primary;
  readonly primaryClock: ProgramClock;
  /** Operations that were accepted. */
  readonly opIds = new Set<string>();
  readonly ended: OperationStatus[] = [];
  readonly book = new RolloutBook();
  readonly trace: string[] = [];
  /** Since the last look. */
  readonly incidents: Incident[] = [];
  end: PrimaryEnd | undefined;
  /** The stop verb was given. */
  isStopping = false;
  forks = 0;
  /** Jobs that the store has said will fail unrun, and those that subscribers were told of. */
  readonly poison = { found: 0, told: 0 };
  /** What the primary had remembered of its sizes before it started, and what it remembers now. */
  readonly remembered: Sizes;
  saved: Sizes | undefined;
  /** What faults have yet to do. */
  pending = 0;
  #live: SimProcess[] = [];
  #lastId = 0;
  readonly #deps: ProcessDeps;

  constructor(
    readonly seed: number,
    private readonly isTraced: boolean,
  ) {
    const random = new Random(seed);
    this.scenario = makeScenario(random.fork());
    this.random = random.fork();
    this.behaviour = new Behaviour(random.fork(), this.scenario.rates);
    this.primaryClock = new ProgramClock(this.clock);
    this.#deps = {
      clock: this.clock,
      random: random.fork(),
      behaviour: this.behaviour,
      primary: this.primaryClock,
      trace: (line) => this.note(line),
    };
    this.primary = this.#makePrimary(random.fork(), random.fork());
    const sizes = random.fork();
    this.remembered = sizes.chance(0.3)
      ? Object.fromEntries(Object.keys(this.scenario.config.groups).map((name) => [name, sizes.int(0, 6)]))
      : {};
    this.primary.operations.subscribe(['*'], (event) => this.#onEvent(event));
    void this.primary.ended.then((end) => {
      this.end = end;
    });
  }

  /** Processes that exist, as the operating system would tell. */
  get processes(): readonly SimProcess[] {
    if (this.#live.some((process) => !process.isAlive)) this.#live = this.#live.filter((process) => process.isAlive);
    return this.#live;
  }

  /** Workers that exist, in whatever process. */
  workers(): readonly SimWorker[] {
    return this.processes.flatMap((process) => process.engine.workers);
  }

  status(): StatusReply {
    return this.primary.operations.status();
  }

  /** The second half of a fault: what it does after a while, also when the run is calm by then. There is no rest before that. */
  later(ms: number, act: () => void): void {
    this.pending++;
    this.clock.setTimer(() => {
      this.pending--;
      act();
    }, ms);
  }

  /** Runs the next timer and all that follows from it at once. @returns false when nothing will ever happen again. */
  async step(): Promise<boolean> {
    const moved = this.clock.runNext();
    await new Promise<void>(process.nextTick);
    return moved;
  }

  note(line: string): void {
    if (this.isTraced) this.trace.push(`${String(Math.round(this.clock.monotonic())).padStart(6)} ${line}`);
  }

  #onEvent(event: HubEvent): void {
    if (event.topic === 'poison') this.poison.told += (event.data as { readonly count: number }).count;
    if (event.topic === 'op') this.ended.push(event.data as unknown as OperationStatus);
    this.incidents.push(event);
    this.#book(event);
    if (this.isTraced) this.note(`${event.topic} ${JSON.stringify(event.data)}`);
  }

  /** Under the other strategies siblings are drained, too, and a primary that ends drains all. */
  #book({ topic, data }: HubEvent): void {
    if (topic === 'reload') this.book.note(data);
    const isAlone = this.scenario.config.supervision.strategy === 'one_for_one' && !this.isStopping;
    if (topic === 'process.draining' && isAlone && this.status().state !== 'gave_up') this.book.draining((data as { slot: number }).slot);
  }

  #fork(identity: ProcessIdentity): ClusterWorker {
    const fate = this.behaviour.fork();
    this.note(`fork ${identity.incarnation} in slot ${identity.slot}: ${fate}`);
    this.forks++;
    if (fate === 'throws') {
      this.incidents.push({ topic: 'fork failed', data: { slot: identity.slot } });
      throw new Error('fork ENOMEM');
    }
    if (fate === 'cannot be made') return stillbornWorker(this.#deps);
    const process = new SimProcess(identity, ++this.#lastId, this.#deps);
    this.#live.push(process);
    return process.worker;
  }

  #makePrimary(random: Random, storeRandom: Random): Primary {
    const note = (message: string, fields?: object): void => this.note(`log: ${message} ${JSON.stringify(fields ?? {})}`);
    const traced: Logger = { ...silentLogger, warn: note, error: note, info: note, debug: note, child: () => traced };
    const quiet: Logger = this.isTraced ? traced : silentLogger;
    const info = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (message === 'a process is recycled') this.book.recycled(fields?.slot as number);
      quiet.info(message, fields);
    };
    return new Primary(this.scenario.config, {
      clock: this.primaryClock,
      random: random.next,
      makeId: () => `id${++this.#lastId}`,
      logger: { ...quiet, info },
      version: '0.0.0',
      fork: (identity) => this.#fork(identity),
      rssOf: () => undefined,
      store: {
        heldBy: () => this.#redis(storeRandom, storeRandom.int(0, 3)),
        recoverDead: (_group, _incarnation, end) => this.#recoverDead(storeRandom, end),
      },
      sizes: {
        load: () => this.remembered,
        save: (sizes) => {
          this.saved = sizes;
        },
      },
      output: () => {},
    });
  }

  /** Only an abnormal end is held against a job. */
  async #recoverDead(random: Random, end: HeldAgainst | undefined): Promise<{ ids: readonly string[]; poisoned: readonly string[] }> {
    const ids = random.chance(0.1) ? ['1'] : [];
    const answer = await this.#redis(random, { ids, poisoned: end && random.chance(0.3) ? ids : [] });
    this.poison.found += answer.poisoned.length;
    return answer;
  }

  async #redis<T>(random: Random, answer: T): Promise<T> {
    const answered = deferred();
    this.primaryClock.setTimer(answered.resolve, random.int(1, 20));
    await answered.promise;
    if (!this.behaviour.isCalm && random.chance(0.2)) throw new Error('redis is away');
    return answer;
  }
}
