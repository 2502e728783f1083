import { ExitCode } from '../errors/errors.js';
import type { DrainReport, JobRef, StopReport } from '../protocol/index.js';

const LISTED = 100;

/** Owns what became of the jobs in hand during a stop, over all processes. */
export class StopTally {
  readonly #total = { finished: 0, aborted: 0, returned: 0, lost: 0 };
  readonly #returned: JobRef[] = [];
  readonly #lost: JobRef[] = [];
  readonly #abandoned: string[] = [];

  /** What a process said in `drained`. */
  add(report: DrainReport): void {
    this.#total.finished += report.finished;
    this.#total.aborted += report.aborted;
    this.#note('returned', report.returned);
    this.#note('lost', [...report.lost, ...report.lingering]); // nothing lingers in a process that is gone
    const { abandoned = [] } = report;
    this.#total.lost += abandoned.length; // nobody can say that they held nothing
    this.#abandoned.push(...abandoned.slice(0, LISTED - this.#abandoned.length));
  }

  /** A process ended without a word. @param recovered what was returned in its place; undefined: it could not be. */
  addSilent(inHand: readonly JobRef[], recovered: readonly JobRef[] | undefined): void {
    const back = new Set((recovered ?? []).map(({ queue, jobId }) => `${queue}/${jobId}`));
    this.#note('returned', recovered ?? []);
    this.#note(
      'lost',
      inHand.filter(({ queue, jobId }) => !back.has(`${queue}/${jobId}`)),
    );
    if (recovered === undefined && inHand.length === 0) this.#total.lost++; // nobody can say that it held nothing
  }

  /** Lists are cut at 100; the exit code knows them all. */
  report(hasGivenUp: boolean): StopReport {
    const { finished, aborted, returned, lost } = this.#total;
    const exitCode = hasGivenUp
      ? ExitCode.gaveUp
      : lost > 0
        ? ExitCode.stoppedLost
        : aborted + returned > 0
          ? ExitCode.stoppedReturned
          : ExitCode.ok;
    const drained = { finished, aborted, returned: [...this.#returned], lost: [...this.#lost], lingering: [] };
    return { exitCode, drained: this.#abandoned.length > 0 ? { ...drained, abandoned: [...this.#abandoned] } : drained };
  }

  #note(kind: 'returned' | 'lost', jobs: readonly JobRef[]): void {
    const list = kind === 'returned' ? this.#returned : this.#lost;
    this.#total[kind] += jobs.length;
    list.push(...jobs.slice(0, LISTED - list.length));
  }
}
