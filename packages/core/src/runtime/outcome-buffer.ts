import type { HeldJob, Pool } from './consumer.js';

/** Marks of back-pressure, in uncommitted outcomes. */
export interface BufferMarks {
  readonly high: number;
  readonly low: number;
}

/** Characters of outcomes in one call. */
const MAX_CALL_WEIGHT = 1024 * 1024;
const MAX_CALL_OUTCOMES = 200;
/** Taken entries at the head of a list are cut off once there are this many. */
const COMPACT_AT = 1024;

interface Waiting {
  jobs: HeldJob[];
  head: number;
}

/**
 * Owns the outcomes that are not committed yet: those that wait for a turn, by pool and in order, and the number of those under way.
 * Above the high mark nothing more is to be fetched (`isPressed`), until the low mark is reached again.
 */
export class OutcomeBuffer {
  readonly #waiting = new Map<Pool, Waiting>();
  #uncommitted = 0;
  #isPressed = false;
  #emptied: (() => void)[] = [];

  constructor(private readonly marks: BufferMarks = { high: 8_000, low: 4_000 }) {}

  /** Outcomes that wait or are under way. */
  get size(): number {
    return this.#uncommitted;
  }

  get isPressed(): boolean {
    return this.#isPressed;
  }

  /** Pools that have outcomes waiting. */
  pools(): Iterable<Pool> {
    return this.#waiting.keys();
  }

  /** Takes a settled job's outcome; the job must be `running`. */
  put(job: HeldJob): void {
    job.phase = 'settled';
    this.#list(job.pool).jobs.push(job);
    if (++this.#uncommitted >= this.marks.high) this.#isPressed = true;
  }

  count(pool: Pool): number {
    const list = this.#waiting.get(pool);
    return list ? list.jobs.length - list.head : 0;
  }

  /** How many of the first outcomes fit into one call; at least 1 when any wait. */
  fitting(pool: Pool): number {
    const list = this.#waiting.get(pool);
    if (!list) return 0;
    const last = Math.min(list.jobs.length, list.head + MAX_CALL_OUTCOMES);
    let weight = 0;
    for (let i = list.head; i < last; i++) {
      weight += (list.jobs[i] as HeldJob).weight;
      if (weight > MAX_CALL_WEIGHT) return Math.max(1, i - list.head);
    }
    return last - list.head;
  }

  /** Takes the first `count` outcomes for a turn; each is then to be answered by `commit` or `giveBack`. */
  take(pool: Pool, count: number): HeldJob[] {
    const list = this.#waiting.get(pool);
    if (!list || count === 0) return [];
    const taken = list.jobs.slice(list.head, list.head + count);
    list.head += taken.length;
    if (list.head === list.jobs.length) this.#waiting.delete(pool);
    else if (list.head >= COMPACT_AT) {
      list.jobs = list.jobs.slice(list.head);
      list.head = 0;
    }
    for (const job of taken) {
      job.phase = 'sent';
      job.tries++;
    }
    return taken;
  }

  /** Outcomes whose turn was not answered: they wait again, ahead of younger ones. */
  giveBack(pool: Pool, jobs: readonly HeldJob[]): void {
    if (jobs.length === 0) return;
    const list = this.#list(pool);
    list.jobs = [...jobs, ...list.jobs.slice(list.head)];
    list.head = 0;
    for (const job of jobs) job.phase = 'settled';
  }

  /** One outcome taken by a turn has its answer. */
  commit(): void {
    if (--this.#uncommitted <= this.marks.low) this.#isPressed = false;
    if (this.#uncommitted > 0 || this.#emptied.length === 0) return;
    const resolvers = this.#emptied;
    this.#emptied = [];
    for (const resolve of resolvers) resolve();
  }

  /** Takes back one outcome that nobody waits for any more; the job stays with the caller. */
  remove(job: HeldJob): void {
    const list = this.#waiting.get(job.pool);
    const index = list ? list.jobs.indexOf(job, list.head) : -1;
    if (!list || index < 0) return;
    list.jobs.splice(index, 1);
    if (list.head === list.jobs.length) this.#waiting.delete(job.pool);
    this.commit();
  }

  /** Resolves when no outcome is uncommitted; at once when there is none. */
  whenEmpty(): Promise<void> {
    return this.#uncommitted === 0 ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve));
  }

  #list(pool: Pool): Waiting {
    let list = this.#waiting.get(pool);
    if (!list) {
      list = { jobs: [], head: 0 };
      this.#waiting.set(pool, list);
    }
    return list;
  }
}
