import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { CodedError } from '@drover/core/kit';
import type { FromLoad, LoadPlan, LoadResult, ToLoad } from './protocol.js';

/** A load that tells nothing for so long is stuck. */
const SILENCE_MS = 120_000;

/** A load that could not be carried through; the message has what its process said. */
export class BenchFailed extends CodedError {
  constructor(message: string) {
    super('BENCH_FAILED', message);
  }
}

/**
 * Owns the load processes of one measurement. They are all ready before the first is told to go; the reports of some
 * of them, or of all, are added up.
 */
export class Load {
  readonly #children: ChildProcess[];
  readonly #waiters = new Set<() => void>();
  readonly #ready: Set<number> = new Set();
  readonly #results = new Map<number, LoadResult>();
  /** When the first job of each process began, monotonic ms, by number of the process. */
  readonly busyAt = new Map<number, number>();
  #failure: Error | undefined;
  #counted = 0;

  /** @param counts whose reports are counted; default all of them. */
  constructor(
    plans: readonly LoadPlan[],
    private readonly counts: (plan: LoadPlan) => boolean = () => true,
  ) {
    this.#children = plans.map((plan, nth) => {
      const child = fork(new URL('./load-process.js', import.meta.url), { execArgv: ['--expose-gc'] });
      child.on('message', (message: FromLoad) => this.#hear(plan, nth, message));
      child.once('exit', (code, signal) => {
        if (this.#results.has(nth)) return;
        this.fail(
          new BenchFailed(
            `a load process (${plan.engine.name}, ${plan.role.role}) ended ${signal ? `by ${signal}` : `with code ${code}`} before it was done`,
          ),
        );
      });
      child.send({ type: 'plan', plan } satisfies ToLoad);
      return child;
    });
  }

  /** Of the processes, by number. */
  get pids(): number[] {
    return this.#children.map(({ pid }) => pid as number);
  }

  ready(): Promise<void> {
    return this.#until(() => this.#ready.size === this.#children.length);
  }

  tell(message: ToLoad): void {
    for (const child of this.#children) child.send(message);
  }

  /** Only those processes, by number. */
  tellSome(chosen: (nth: number) => boolean, message: ToLoad): void {
    this.#children.forEach((child, nth) => {
      if (chosen(nth)) child.send(message);
    });
  }

  /** Resolves when so many jobs have been reported. */
  done(count: number): Promise<void> {
    return this.#until(() => this.#counted >= count);
  }

  /** Resolves when so many processes have begun a job. */
  allBusy(processes: number): Promise<void> {
    return this.#until(() => this.busyAt.size >= processes);
  }

  /** Ends the processes. @returns what each of them measured, in the order of the plans. */
  async stop(): Promise<LoadResult[]> {
    const exits = this.#children.map((child) => once(child, 'exit'));
    this.tell({ type: 'stop' });
    await this.#until(() => this.#results.size === this.#children.length);
    await Promise.all(exits);
    return this.#children.map((_, nth) => this.#results.get(nth) as LoadResult);
  }

  /** For a measurement that failed: nothing may go on behind the next one. Resolves when all processes are gone. */
  async kill(): Promise<void> {
    const alive = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    const exits = alive.map((child) => once(child, 'exit'));
    for (const child of alive) child.kill('SIGKILL');
    await Promise.all(exits);
  }

  /** What is under way ends with this error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  #hear(plan: LoadPlan, nth: number, message: FromLoad): void {
    if (message.type === 'ready') this.#ready.add(nth);
    else if (message.type === 'busy') this.busyAt.set(nth, message.at);
    else if (message.type === 'result') this.#results.set(nth, message.result);
    else if (message.type === 'failed') this.fail(new BenchFailed(`${plan.engine.name}, ${plan.role.role}: ${message.message}`));
    else if (this.counts(plan)) this.#counted += message.count;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.#failure) throw this.#failure;
      await this.#news();
    }
    if (this.#failure) throw this.#failure;
  }

  #news(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(settle);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(settle);
        reject(new BenchFailed(`the load processes have told nothing for ${SILENCE_MS / 1_000} s`));
      }, SILENCE_MS);
      this.#waiters.add(settle);
    });
  }
}
