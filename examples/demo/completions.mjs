import { EventEmitter } from 'node:events';

/**
 * Counts what became of the jobs of a queue, from its event stream and from its beginning: every `completed` of every job, so
 * that a job done twice is seen. Emits `change` after each batch of entries, and `error` when the stream cannot be read.
 */
export class Completions extends EventEmitter {
  /** Job id -> how often it completed. */
  completed = new Map();
  failed = new Map();
  #redis;
  #stream;
  #last = '0';
  #ended = false;

  /** @param {import('ioredis').Redis} redis a connection of its own: reading blocks it. */
  constructor(redis, queue) {
    super();
    this.#redis = redis;
    this.#stream = `bull:${queue}:events`;
  }

  /** How many jobs are finished, either way. */
  get finished() {
    return this.completed.size + this.failed.size;
  }

  /** How many completions there were too many. */
  get duplicates() {
    return [...this.completed.values()].reduce((sum, times) => sum + times - 1, 0);
  }

  /** Reads until `end` or `finish`. */
  start() {
    this.#follow().catch((error) => this.#ended || this.emit('error', error));
  }

  /** Nothing writes to the queue any more: counts what is left to read, over another connection. */
  async finish(redis) {
    this.end();
    while (await this.#readOn(redis));
  }

  end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#redis.disconnect();
  }

  async #follow() {
    while (!this.#ended) if (await this.#readOn(this.#redis, 'BLOCK', 5_000)) this.emit('change');
  }

  /** @returns whether there was anything. */
  async #readOn(redis, ...blocking) {
    const reply = await redis.xread('COUNT', 1000, ...blocking, 'STREAMS', this.#stream, this.#last);
    if (reply === null) return false;
    const [[, entries]] = reply;
    this.#last = entries.at(-1)[0]; // together with the counts: an entry is counted once
    for (const [, fields] of entries) this.#count(fields);
    return true;
  }

  #count(fields) {
    const entry = Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]));
    if (entry.event === 'completed') this.completed.set(entry.jobId, (this.completed.get(entry.jobId) ?? 0) + 1);
    if (entry.event === 'failed') this.failed.set(entry.jobId, entry.failedReason);
  }
}
