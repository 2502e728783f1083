import cliProgress from 'cli-progress';
import Table from 'cli-table3';

const PLAIN = { style: { head: [], border: [], compact: true } };
const number = (value) => value.toLocaleString('en-US');

/** A bar on a terminal; nothing at all elsewhere. */
export class Progress {
  #bars;
  #bar;

  constructor(isTerminal) {
    if (!isTerminal) return;
    const options = { barsize: 24, hideCursor: true, fps: 10, linewrap: false, clearOnComplete: true };
    this.#bars = new cliProgress.MultiBar(options, cliProgress.Presets.shades_classic);
  }

  beginJobs(total, size) {
    this.#begin(total, '{bar} {percentage}%  {value}/{total} jobs  {rate} jobs/s  {processes} processes  {workers} workers', size);
  }

  beginCheck(total) {
    this.#begin(total, '{bar} {percentage}%  {value}/{total} results compared  {rate}/s');
  }

  #begin(total, format, values = {}) {
    this.#bar = this.#bars?.create(total, 0, { rate: 0, ...values }, { format });
  }

  set(done, changes) {
    this.#bar?.update(done, changes);
  }

  /** Ends the current bar; the next may begin. */
  finish() {
    if (this.#bar) this.#bars.remove(this.#bar);
    this.#bar = undefined;
  }

  /** A line that stays, above the bar. */
  note(text) {
    if (this.#bar) this.#bars.log(`${text}\n`);
    else if (this.#bars) process.stderr.write(`${text}\n`);
  }

  end() {
    this.#bars?.stop();
  }
}

/** Which process hosts which workers, in one line: `process 0 (pid 4711): files#1 files#5 · ...`. */
export function hosts(status) {
  const busy = status.processes.filter(({ workers }) => Object.keys(workers).length > 0);
  return busy.map(({ slot, pid, workers }) => `process ${slot} (pid ${pid}): ${Object.keys(workers).join(' ')}`).join(' · ');
}

/** The summary for people, in two tables. */
export function summary(result, sizes, byProcess, root) {
  const placement = new Table({ head: ['workers', 'process', 'pid', 'hosts'], ...PLAIN });
  for (const { workers, status } of sizes) {
    const rows = status.processes.filter((each) => Object.keys(each.workers).length > 0);
    for (const each of rows) placement.push([each === rows[0] ? workers : '', each.slot, each.pid, Object.keys(each.workers).join(' ')]);
  }
  const totals = new Table(PLAIN);
  totals.push(
    { 'files below': root },
    { jobs: number(result.jobs) },
    { completed: number(result.completed) },
    { 'failed · missing': `${result.failed} · ${result.missing}` },
    { 'done twice': result.duplicates },
    { 'different from a direct computation': result.mismatches },
    { workers: result.scaled.join(' -> ') },
    { 'jobs by process': [...byProcess].map(([pid, count]) => `${pid}: ${number(count)}`).join('\n') },
    { seconds: result.seconds },
    { 'jobs/s': number(result.jobsPerSecond) },
  );
  return `${placement}\n${totals}`;
}
