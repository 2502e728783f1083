/**
 * The state machine of a queue in memory: what the data model says (sections 3 and 4), in the simplest form that can be checked by
 * reading. It knows ids, order, times and counters, and whether a job's holder lives; it knows nothing of markers, or how Redis stores things.
 */

import {
  type AddSpec,
  type CleanableState,
  type Deduplication,
  type FinishedState,
  MODEL_STATES,
  type ModelState,
  type Observation,
  type ObservedJob,
  type Operation,
  type RunEnding,
} from './model-terms.js';

interface ModelJob {
  readonly id: string;
  readonly spec: AddSpec;
  readonly timestamp: number;
  delay: number;
  priority: number;
  started: number;
  made: number;
  stalled: number;
  isDoomed: boolean;
  /** A worker holds it that lives. */
  isHeld: boolean;
  processedOn: number | undefined;
  finishedOn: number | undefined;
  state: ModelState;
  /** Order in its set; lists keep their own. */
  score: number;
}

const UNIT = 2 ** 32;
const PER_MS = 4096;

/** Owns the jobs of one queue. Every method takes the time of its call. */
export class QueueModel {
  readonly jobs = new Map<string, ModelJob>();
  /** By deduplication id; one that expires is not freed when its job ends. */
  readonly #owners = new Map<string, { readonly jobId: string; readonly expires: boolean }>();
  readonly #putOff = new Map<string, { readonly spec: AddSpec; readonly newId: string }>();
  /** Active at the check before, not renewed since. */
  #suspects = new Set<string>();
  #wait: string[] = [];
  #active: string[] = [];
  #turns = 0;
  #counter = 0;
  #isPaused = false;
  #concurrency = Number.POSITIVE_INFINITY;
  #max = Number.POSITIVE_INFINITY;
  #started = 0;

  apply(operation: Operation, now: number): void {
    switch (operation.do) {
      case 'add':
        for (const spec of operation.jobs) this.#add(spec, now);
        return;
      case 'turn':
        for (const end of operation.ends) this.#end(end, now);
        for (let nth = 0; nth < operation.want; nth++) this.#fetch(now);
        return;
      case 'pause':
        this.#isPaused = true;
        return;
      case 'resume':
        this.#isPaused = false;
        return;
      case 'cap':
        this.#concurrency = operation.concurrency;
        return;
      case 'uncap':
        this.#concurrency = Number.POSITIVE_INFINITY;
        return;
      case 'limit':
        this.#max = operation.max;
        return;
      case 'unlimit':
        this.#max = Number.POSITIVE_INFINITY;
        this.#started = 0;
        return;
      default:
        this.#administer(operation, now);
    }
  }

  idsIn(state: ModelState): string[] {
    if (state === 'wait') return [...this.#wait];
    if (state === 'active') return [...this.#active];
    const members = [...this.jobs.values()].filter((job) => job.state === state);
    return members.sort((a, b) => a.score - b.score || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
  }

  /** Active jobs whose workers live, in stored order. */
  held(): string[] {
    return this.#active.filter((id) => this.#job(id).isHeld);
  }

  observe(): Observation {
    const states = Object.fromEntries(MODEL_STATES.map((state) => [state, this.idsIn(state)])) as unknown as Observation['states'];
    const jobs = [...this.jobs.values()].map(({ id, spec: _, state, score, isHeld: _held, ...job }): [string, ObservedJob] => [
      id,
      { ...withoutId(job), dueAt: state === 'delayed' ? Math.floor(score / PER_MS) : undefined },
    ]);
    return {
      counter: this.#counter,
      isPaused: this.#isPaused,
      started: this.#started,
      states,
      jobs: Object.fromEntries(jobs),
      owners: Object.fromEntries([...this.#owners].map(([id, { jobId }]) => [id, jobId])),
    };
  }

  #add(spec: AddSpec, now: number): void {
    this.#counter++;
    const id = spec.jobId ?? String(this.#counter);
    if (this.jobs.has(id)) return;
    if (spec.deduplication && !this.#mayEnter(spec.deduplication, spec, id)) return;
    this.#store(spec, id, now);
  }

  /** The modes of deduplication: who holds the id, and what a second one does to it. */
  #mayEnter({ id, ttl = 0, replace, extend, keepLastIfActive = false }: Deduplication, spec: AddSpec, newId: string): boolean {
    const expires = ttl > 0 && !keepLastIfActive;
    const owner = this.#owners.get(id);
    const job = owner && this.jobs.get(owner.jobId);
    const isStale = owner !== undefined && !owner.expires && job === undefined;
    if (owner === undefined || isStale) {
      this.#owners.set(id, { jobId: newId, expires });
      return true;
    }
    if (replace && job?.state === 'delayed') {
      this.jobs.delete(job.id);
      this.#putOff.delete(id);
      this.#owners.set(id, { jobId: newId, expires: ttl > 0 && !extend ? owner.expires : expires });
      return true;
    }
    if (keepLastIfActive && job?.state === 'active') {
      this.#putOff.set(id, { spec, newId });
      this.#owners.set(id, { ...owner, expires: false });
    } else if (extend && !replace) this.#owners.set(id, { ...owner, expires });
    return false;
  }

  #store(spec: AddSpec, id: string, now: number): void {
    const { delay = 0, priority = 0, lifo = false } = spec;
    const fresh = {
      started: 0,
      made: 0,
      stalled: 0,
      isDoomed: false,
      isHeld: false,
      processedOn: undefined,
      finishedOn: undefined,
      state: 'wait' as const,
      score: 0,
    };
    const job: ModelJob = { id, spec, timestamp: now, delay, priority, ...fresh };
    this.jobs.set(id, job);
    if (delay > 0) this.#putLater(job, now + delay);
    else this.#putReady(job, lifo ? 'right' : 'left');
  }

  #fetch(now: number): void {
    this.#promoteDue(now);
    if (this.#started >= this.#max || this.#isPaused || this.#active.length >= this.#concurrency) return;
    const id = this.#wait.pop() ?? this.idsIn('prioritized')[0];
    if (id === undefined) return;
    const job = this.#job(id);
    job.state = 'active';
    job.isHeld = true;
    job.processedOn = now;
    job.started++;
    this.#active.unshift(id);
    if (this.#max !== Number.POSITIVE_INFINITY && !job.isDoomed) this.#started++;
  }

  #promoteDue(now: number): void {
    for (const id of this.idsIn('delayed')) {
      const job = this.#job(id);
      if (job.score > (now + 1) * PER_MS - 1) return;
      job.delay = 0;
      this.#putReady(job, 'left');
    }
  }

  #end(end: RunEnding, now: number): void {
    const job = this.#job(end.jobId);
    const { attempts = 0, backoff = 0, lifo = false, removeOnComplete, removeOnFail } = job.spec;
    this.#leaveActive(job);
    if (end.how === 'complete') this.#finish(job, 'completed', removeOnComplete, now);
    else if (end.how === 'delay') {
      job.delay = end.ms;
      this.#putLater(job, now + end.ms);
    } else if (end.how === 'wait') this.#putFront(job);
    else if (end.how === 'fail for good' || job.made + 1 >= attempts) this.#finish(job, 'failed', removeOnFail, now);
    else if (backoff > 0) {
      job.made++;
      job.delay = backoff;
      this.#putLater(job, now + backoff);
    } else {
      this.#promoteDue(now);
      job.made++;
      this.#putReady(job, lifo ? 'right' : 'left');
    }
  }

  #leaveActive(job: ModelJob): void {
    this.#active = this.#active.filter((id) => id !== job.id);
    this.#suspects.delete(job.id);
    job.isHeld = false;
  }

  /** Suspects without a holder go to the front of wait, whatever their priority; then all that are active are suspects. */
  #check(maxStalled: number): void {
    for (const id of this.#suspects) {
      const job = this.jobs.get(id);
      if (job?.state !== 'active' || job.isHeld) continue;
      this.#leaveActive(job);
      if (++job.stalled > maxStalled) job.isDoomed = true;
      job.state = 'wait';
      this.#wait.push(id);
    }
    this.#suspects = new Set(this.#active);
  }

  #finish(job: ModelJob, state: FinishedState, keep: AddSpec['removeOnComplete'], now: number): void {
    job.made++;
    this.#freeDeduplication(job, now);
    if (keep === true || keep === 0) {
      this.jobs.delete(job.id);
      return;
    }
    job.state = state;
    job.score = now;
    job.finishedOn = now;
    job.isDoomed = false;
    const finished = this.idsIn(state);
    const isTooOld = (id: string) => typeof keep === 'object' && this.#job(id).score <= now - keep.age * 1_000;
    const excess = typeof keep === 'number' ? finished.slice(0, Math.max(0, finished.length - keep)) : finished.filter(isTooOld);
    for (const id of excess) this.jobs.delete(id);
  }

  /** At its end a job frees its id, unless that expires by itself; a job put off meanwhile enters now. */
  #freeDeduplication(job: ModelJob, now: number): void {
    const { deduplication } = job.spec;
    if (!deduplication) return;
    const { id } = deduplication;
    const owner = this.#owners.get(id);
    if (owner?.jobId === job.id && !owner.expires) this.#owners.delete(id);
    const next = this.#putOff.get(id);
    if (!next) return;
    this.#putOff.delete(id);
    this.#counter++;
    const { ttl = 0, keepLastIfActive = false } = next.spec.deduplication as Deduplication;
    this.#owners.set(id, { jobId: next.newId, expires: ttl > 0 && !keepLastIfActive });
    this.#store(next.spec, next.newId, now);
  }

  #administer(operation: Operation, now: number): void {
    const job = 'jobId' in operation ? this.jobs.get(operation.jobId) : undefined;
    switch (operation.do) {
      case 'remove':
        if (job && !job.isHeld) this.#erase(job.id);
        return;
      case 'promote':
        if (job?.state !== 'delayed') return;
        job.delay = 0;
        this.#putReady(job, 'left');
        return;
      case 'changeDelay':
        if (job?.state !== 'delayed') return;
        job.delay = operation.delay;
        job.score = -1;
        this.#putLater(job, now + operation.delay);
        return;
      case 'changePriority':
        if (job) this.#changePriority(job, operation.priority, operation.lifo);
        return;
      case 'retry':
        if (job?.state !== operation.state) return;
        if (operation.resets) Object.assign(job, { made: 0, started: 0 });
        Object.assign(job, { finishedOn: undefined, processedOn: undefined });
        this.#putReady(job, job.spec.lifo ? 'right' : 'left');
        return;
      case 'retryJobs':
        for (const id of this.idsIn(operation.state)) this.#moveToWait(id, { finishedOn: undefined, processedOn: undefined });
        return;
      case 'promoteJobs':
        for (const id of this.idsIn('delayed')) this.#moveToWait(id, {});
        return;
      case 'drain':
        for (const state of ['wait', 'prioritized', ...(operation.delayed ? (['delayed'] as const) : [])] as const)
          for (const id of this.idsIn(state)) this.#erase(id);
        return;
      case 'clean':
        this.#clean(operation, now);
        return;
      case 'die':
        if (job) job.isHeld = false;
        return;
      case 'check':
        this.#check(operation.maxStalled);
        return;
      case 'obliterate':
        this.#obliterate();
        return;
    }
  }

  #changePriority(job: ModelJob, priority: number, lifo: boolean): void {
    job.priority = priority;
    if (job.state !== 'wait' && job.state !== 'prioritized') return;
    this.#wait = this.#wait.filter((id) => id !== job.id);
    if (lifo) this.#putFront(job);
    else this.#putReady(job, 'left');
  }

  #moveToWait(id: string, change: Partial<ModelJob>): void {
    Object.assign(this.#job(id), change, { state: 'wait' });
    this.#wait.unshift(id);
  }

  #clean({ grace, limit, type }: Extract<Operation, { do: 'clean' }>, now: number): void {
    const old = this.idsIn(type).filter((id) => !this.#job(id).isHeld && this.#ageStamp(type, this.#job(id)) <= now - grace);
    const inOrder = type === 'wait' ? old.reverse() : old;
    for (const id of limit === 0 ? inOrder : inOrder.slice(0, limit)) this.#erase(id);
  }

  /** What tells the age of a job in `clean`: the latest stamp its state looks at. */
  #ageStamp(type: CleanableState, { finishedOn, processedOn, timestamp, score }: ModelJob): number {
    if (type === 'completed' || type === 'failed') return score;
    if (type === 'prioritized') return timestamp;
    return (type === 'wait' ? finishedOn : undefined) ?? processedOn ?? timestamp;
  }

  #obliterate(): void {
    for (const id of [...this.jobs.keys()]) this.#erase(id); // deduplication ids of jobs that are gone already stay
    this.#active = [];
    this.#counter = 0;
    this.#isPaused = false;
    this.#concurrency = Number.POSITIVE_INFINITY;
    this.#max = Number.POSITIVE_INFINITY;
  }

  #erase(id: string): void {
    const { deduplication } = this.#job(id).spec;
    if (deduplication && this.#owners.get(deduplication.id)?.jobId === id) {
      this.#owners.delete(deduplication.id);
      this.#putOff.delete(deduplication.id);
    }
    this.jobs.delete(id);
    this.#wait = this.#wait.filter((other) => other !== id);
    this.#active = this.#active.filter((other) => other !== id);
    this.#suspects.delete(id);
  }

  #putReady(job: ModelJob, side: 'left' | 'right'): void {
    if (job.priority > 0) {
      job.state = 'prioritized';
      job.score = job.priority * UNIT + ++this.#turns;
      return;
    }
    job.state = 'wait';
    if (side === 'left') this.#wait.unshift(job.id);
    else this.#wait.push(job.id);
  }

  /** Next of its class. */
  #putFront(job: ModelJob): void {
    if (job.priority === 0) {
      this.#putReady(job, 'right');
      return;
    }
    job.state = 'prioritized';
    job.score = job.priority * UNIT;
  }

  /** Behind the jobs that are due in the same millisecond. */
  #putLater(job: ModelJob, dueAt: number): void {
    const others = [...this.jobs.values()].filter((other) => other !== job && other.state === 'delayed');
    const base = dueAt * PER_MS;
    const taken = others.map(({ score }) => score).filter((score) => score >= base && score < base + PER_MS);
    job.state = 'delayed';
    job.score = taken.length === 0 ? base : Math.min(Math.max(...taken) + 1, base + PER_MS - 1);
  }

  #job(id: string): ModelJob {
    const job = this.jobs.get(id);
    if (!job) throw new Error(`the model has no job ${id}`);
    return job;
  }
}

function withoutId({
  timestamp,
  delay,
  priority,
  started,
  made,
  stalled,
  isDoomed,
  processedOn,
  finishedOn,
}: Omit<ModelJob, 'id' | 'spec' | 'state' | 'score' | 'isHeld'>) {
  return { timestamp, delay, priority, started, made, stalled, isDoomed, processedOn, finishedOn };
}
