/** Whole clusters in tests: the primary as the program it is, its processes, a queue to work on. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusReply } from '@drover/cluster/protocol';
import { ControlClient } from '@drover/cluster/protocol';
import { Queue } from '@drover/core';
import { Redis } from 'ioredis';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { type Program, startNode } from '../support/process-harness.js';
import { freshPrefix, testRedisUrl } from '../support/redis.js';
import { until } from '../support/until.js';

export const PRIMARY = join(ROOT, 'packages', 'cluster', 'bin', 'primary.js');
const FIXTURES = join(import.meta.dirname, 'fixtures');

export function fixture(name: string): string {
  return join(FIXTURES, name);
}

/** A private directory that goes with the test. Its path is short, as that of a socket has to be. */
export function privateDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ds-'));
  atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The only queue of a test cluster. */
export const QUEUE = 'work';

/** A cluster of one group on a prefix of its own. */
export class TestCluster {
  readonly dir = privateDir();
  readonly prefix = freshPrefix();
  readonly name = `test-${this.prefix}`;
  readonly socket = join(this.dir, 's');
  readonly #config: string;

  /** @param config what the configuration says beyond queue, names and addresses. */
  constructor(config: Record<string, unknown> = {}) {
    this.#config = join(this.dir, 'drover.config.json');
    const defaults = { processor: fixture('jobs.mjs'), workers: 2, concurrency: 5, processes: { max: 2 } };
    const own = { name: this.name, prefix: this.prefix, connection: testRedisUrl(), control: { socket: this.socket } };
    writeFileSync(this.#config, JSON.stringify({ queue: QUEUE, ...own, ...defaults, ...config }));
  }

  /** Starts the primary; `ipc` gives it a parent to talk to, `nodeArgs` go before the script. */
  start(options: { readonly env?: NodeJS.ProcessEnv; readonly ipc?: boolean; readonly nodeArgs?: readonly string[] } = {}): Program {
    const stdio = ['ignore', 'pipe', 'pipe', options.ipc ? 'ipc' : 'ignore'] as const;
    const [script = PRIMARY, ...args] = [...(options.nodeArgs ?? []), PRIMARY, this.#config];
    return startNode(script, args, { env: { ...process.env, REDIS_URL: '', ...options.env }, stdio: [...stdio] });
  }

  /** Starts the primary and resolves when it works. */
  async startReady(): Promise<{ program: Program; client: ControlClient }> {
    const program = this.start();
    const client = await this.connect(program);
    await client.ready({ deadlineMs: 20_000 });
    return { program, client };
  }

  /** A client, once the primary listens. */
  async connect(program: Program): Promise<ControlClient> {
    const listening = until(() => ControlClient.connect({ socket: this.socket }), { what: `the primary to listen\n${program.output}` });
    const client = await Promise.race([listening, program.exited.then(() => undefined)]);
    if (!client) throw new Error(`the primary ended\n${program.output}`);
    atEnd(() => client.close());
    return client;
  }

  queue(): Queue {
    const queue = new Queue(QUEUE, { connection: testRedisUrl(), prefix: this.prefix });
    atEnd(() => queue.close());
    return queue;
  }

  redis(): Redis {
    const redis = new Redis(testRedisUrl());
    atEnd(() => redis.quit());
    return redis;
  }

  /** A file that jobs note their runs in. */
  get runs(): string {
    return join(this.dir, 'runs');
  }

  /** How often each job was run, by id. */
  runCounts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of readFileSync(this.runs, 'utf8').split('\n').filter(Boolean)) {
      const id = line.split(' ')[0] as string;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }
}

/** Waits until the status of the primary is as `matches` says. */
export function untilStatus(client: ControlClient, what: string, matches: (status: StatusReply) => boolean): Promise<StatusReply> {
  return until(
    async () => {
      const status = await client.request({ type: 'status' });
      return matches(status) ? status : undefined;
    },
    { what, limitMs: 20_000 },
  );
}

export async function completed(queue: Queue): Promise<number> {
  return (await queue.getJobCounts('completed')).completed ?? 0;
}
