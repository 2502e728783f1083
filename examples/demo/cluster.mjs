import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const DROVER = fileURLToPath(new URL('../../packages/cli/bin/drover.js', import.meta.url));
const CONFIG = fileURLToPath(new URL('./drover.config.mjs', import.meta.url));
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;

/** One cluster, driven as a person drives it: each command is a `drover` of its own, in another process. */
export class Cluster {
  #name;
  #primary;
  #output = '';
  #isOver = false;
  /** Settles with its exit code, or signal, when the primary is gone. */
  ended;

  constructor(name) {
    this.#name = name;
  }

  /** Starts the primary and waits until all its first workers run. */
  async start({ queue, workers, redisUrl, signal }) {
    const args = ['start', CONFIG, '--workers', workers, '--queue', queue, '--name', this.#name].map(String);
    // A group of its own: Ctrl-C in the terminal is for the demo, which then stops the cluster in good order. The IPC channel
    // tells the primary when the demo is gone without having done so.
    const stdio = ['ignore', 'pipe', 'pipe', 'ipc'];
    this.#primary = spawn(process.execPath, [DROVER, ...args], { stdio, detached: true, env: { ...process.env, REDIS_URL: redisUrl } });
    for (const stream of [this.#primary.stdout, this.#primary.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.#output = (this.#output + text).slice(-4_000);
      });
    }
    this.ended = once(this.#primary, 'close').then(([code, by]) => {
      this.#isOver = true;
      return code ?? by;
    });
    await this.#running(workers, signal);
  }

  /** Changes the number of workers, and waits until they run. @returns {Promise<object>} a ScaleReply */
  scale(workers) {
    return this.#json(['scale', workers]);
  }

  /** @returns {Promise<object>} a StatusReply */
  status() {
    return this.#json(['status']);
  }

  /** Drains and ends the cluster. @returns the exit code of the primary. */
  async stop() {
    if (this.#primary === undefined || this.#isOver) return this.ended;
    await this.#json(['stop']).catch(() => this.#primary.kill('SIGTERM')); // it may be gone, or not listen yet
    const late = new AbortController();
    const inTime = await Promise.race([this.ended.then(() => true), delay(STOP_LIMIT_MS, false, { signal: late.signal })]);
    late.abort();
    if (!inTime) this.kill();
    return this.ended;
  }

  /** Ends the primary and its processes at once. */
  kill() {
    if (this.#primary === undefined) return;
    try {
      process.kill(-this.#primary.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error; // gone already
    }
  }

  /** What the primary said last, for the report of a failure. */
  get output() {
    return this.#output.trimEnd();
  }

  async #running(workers, signal) {
    let last = 'no answer yet';
    for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit; await delay(100, undefined, { signal })) {
      if (this.#isOver) throw new Error(`the primary ended with ${await this.ended}:\n${this.output}`);
      try {
        const status = await this.status();
        if (status.groups[0]?.workers.running === workers) return;
        last = `state ${status.state}, ${status.groups[0]?.workers.running} workers run`;
      } catch (error) {
        last = error.message; // it does not listen yet
      }
    }
    throw new Error(`the primary did not have ${workers} workers running within ${START_LIMIT_MS / 1000} s: ${last}\n${this.output}`);
  }

  async #json(args) {
    const child = spawn(process.execPath, [DROVER, ...args.map(String), '--name', this.#name, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    const [code, by] = await once(child, 'close');
    if (code !== 0) throw new Error(`drover ${args.join(' ')} ended with ${code ?? by}: ${(stderr || stdout).trim()}`);
    return JSON.parse(stdout);
  }
}
