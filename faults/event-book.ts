/** Reads the event stream while it is written, and keeps what it says of completions: trimming hides nothing, as every entry is counted. */
import type { Redis } from 'ioredis';

const PER_READ = 2_000;

export class EventBook {
  /** Job id -> the results of its `completed` events. */
  readonly completed = new Map<string, string[]>();
  readonly failed = new Map<string, string>();
  /** Failed unrun, and then retried: it completes like every other. */
  readonly poisoned = new Set<string>();
  #read = 0;
  #last = '0';
  #isEnding = false;
  #loop: Promise<void> | undefined;

  /** @param redis a connection of its own: reading blocks it. */
  constructor(
    private readonly redis: Redis,
    private readonly stream: string,
  ) {}

  start(): void {
    this.#loop = this.#follow();
  }

  /** Nobody writes any more: reads the rest. @returns how many entries were trimmed before they were read. */
  async finish(): Promise<number> {
    this.#isEnding = true;
    await this.#loop;
    while (await this.#readOn());
    const info = (await this.redis.xinfo('STREAM', this.stream)) as unknown[];
    const written = info[info.indexOf('entries-added') + 1];
    if (!info.includes('entries-added'))
      throw new Error('this Redis does not count stream entries: the fault suite needs version 7 or later');
    return Number(written) - this.#read;
  }

  async #follow(): Promise<void> {
    while (!this.#isEnding) await this.#readOn(500).catch(() => false); // Redis is away: the next read waits for it
  }

  async #readOn(blockMs?: number): Promise<boolean> {
    const { redis, stream } = this;
    const reply =
      blockMs === undefined
        ? await redis.xread('COUNT', PER_READ, 'STREAMS', stream, this.#last)
        : await redis.xread('COUNT', PER_READ, 'BLOCK', blockMs, 'STREAMS', stream, this.#last);
    const entries = reply?.[0]?.[1] ?? [];
    for (const [id, flat] of entries) {
      this.#last = id;
      this.#read++;
      this.#note(flat);
    }
    return entries.length > 0;
  }

  #note(flat: readonly string[]): void {
    const field = (name: string): string => {
      for (let at = 0; at < flat.length; at += 2) if (flat[at] === name) return flat[at + 1] as string;
      return '';
    };
    const id = field('jobId');
    if (field('event') === 'completed') this.completed.set(id, [...(this.completed.get(id) ?? []), field('returnvalue')]);
    if (field('event') === 'failed') this.failed.set(id, field('failedReason'));
  }
}
