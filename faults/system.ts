/** The machinery under fault: two Redis servers, a proxy, a cluster started by the command line, a producer. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ControlClient, type StatusReply } from '@drover/cluster/protocol';
import { Redis } from 'ioredis';
import { OpenProxy } from '../test/support/tcp-proxy.js';
import { until } from '../test/support/until.js';
import { LOCK_MS, QUEUE, RENEW_MS } from './job-data.js';

type PrivateRedis = import('../tools/private-redis.mjs').PrivateRedis;
type PrivateRedisModule = typeof import('../tools/private-redis.mjs');

const HERE = dirname(fileURLToPath(import.meta.url)); // faults/dist/faults
export const ROOT = join(HERE, '..', '..', '..');
const DROVER = join(ROOT, 'packages', 'cli', 'bin', 'drover.js');
export const PROCESSES = 3;
export const PREFIX = 'faults';
const BOOT_LIMIT_MS = 60_000;

export interface SystemOptions {
  readonly seed: number;
  /** Jobs a second. */
  readonly rate: number;
}

/** A client that waits for its server, however long it is away. */
function patient(url: string): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => undefined);
  return redis;
}

/** Owns all that was started, and ends it. */
export class System {
  readonly added = new Map<string, string>();
  /** When Redis, or the way to it, was away; ms since the epoch. */
  readonly outages: { readonly from: number; to: number }[] = [];
  readonly #dir = mkdtempSync(join(tmpdir(), 'faults-'));
  #log = '';
  #primary: ChildProcess | undefined;
  #producer: ChildProcess | undefined;
  #client: ControlClient | undefined;
  #isStopping = false;
  #unexpected: string | undefined;

  private constructor(
    readonly server: PrivateRedis,
    readonly ledgerServer: PrivateRedis,
    readonly proxy: OpenProxy,
    readonly redis: Redis,
    readonly ledger: Redis,
  ) {}

  static async start({ seed, rate }: SystemOptions): Promise<System> {
    const tools: PrivateRedisModule = await import(pathToFileURL(join(ROOT, 'tools', 'private-redis.mjs')).href);
    // `always`: what Redis has confirmed survives its SIGKILL, so that whatever is lost was lost by us.
    const server = await tools.startPrivateRedis({ own: true, args: ['--appendfsync', 'always'] });
    const ledgerServer = await tools.startPrivateRedis({ own: true, appendonly: false });
    const proxy = await OpenProxy.open(server.url);
    const system = new System(server, ledgerServer, proxy, patient(server.url), patient(ledgerServer.url));
    try {
      system.#writeConfig();
      system.#startPrimary();
      await system.untilWhole('the cluster to be ready');
      await system.#startProducer(rate, seed);
    } catch (error) {
      await system.end();
      throw error;
    }
    return system;
  }

  /** What broke that nobody broke on purpose. */
  get unexpected(): string | undefined {
    return this.#unexpected;
  }

  /** The last lines of the primary. */
  get log(): string {
    return this.#log;
  }

  get primaryPid(): number {
    return this.#primary?.pid ?? 0;
  }

  async client(): Promise<ControlClient> {
    this.#client ??= await ControlClient.connect({ socket: join(this.#dir, 's') });
    const client = this.#client;
    void client.closed.then(() => {
      if (this.#client === client) this.#client = undefined;
    });
    return client;
  }

  async status(): Promise<StatusReply> {
    return (await this.client()).request({ type: 'status' }, { deadlineMs: 5_000 });
  }

  untilStatus(what: string, matches: (status: StatusReply) => boolean, limitMs = BOOT_LIMIT_MS): Promise<StatusReply> {
    const look = async () => {
      if (this.#unexpected !== undefined) throw new Error(this.#unexpected);
      const status = await this.status();
      return matches(status) ? status : undefined;
    };
    return until(look, { what, limitMs, everyMs: 25 });
  }

  /** Every slot is ready and unsuspected. */
  untilWhole(what: string): Promise<StatusReply> {
    return this.untilStatus(what, ({ processes }) => {
      const ready = processes.filter(({ state, suspect }) => state === 'ready' && !suspect);
      return ready.length >= PROCESSES && ready.length === processes.length;
    });
  }

  /** Kills the primary; whoever supervises it starts it again at once. */
  async killPrimary(): Promise<void> {
    const primary = this.#primary as ChildProcess;
    const gone = once(primary, 'exit');
    this.#primary = undefined;
    primary.kill('SIGKILL');
    await gone;
    this.#client = undefined;
    this.#startPrimary();
  }

  async completed(): Promise<number> {
    return this.redis.zcard(`${PREFIX}:${QUEUE}:completed`);
  }

  /** No more jobs are added; resolves when the last was confirmed. */
  async endLoad(): Promise<void> {
    const producer = this.#producer as ChildProcess;
    const gone = once(producer, 'exit');
    producer.send('end');
    await gone;
    this.#producer = undefined;
  }

  /** Drains the cluster. @returns the exit code of the primary. */
  async stopCluster(): Promise<number | null> {
    const primary = this.#primary as ChildProcess;
    this.#isStopping = true;
    const gone = once(primary, 'exit');
    primary.kill('SIGTERM');
    const [code] = await gone;
    this.#primary = undefined;
    return code;
  }

  async end(): Promise<void> {
    this.#isStopping = true;
    this.#client?.close();
    this.#producer?.kill('SIGKILL');
    if (this.#primary) {
      const { processes } = await this.status().catch(() => ({ processes: [] }));
      for (const { pid } of processes) signal(pid, 'SIGKILL');
      this.#primary.kill('SIGKILL');
    }
    for (const redis of [this.redis, this.ledger]) redis.disconnect();
    await this.proxy.close();
    await Promise.all([this.server.stop(), this.ledgerServer.stop()]);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #writeConfig(): void {
    const config = {
      name: `faults-${process.pid}`,
      prefix: PREFIX,
      connection: this.proxy.url,
      control: { socket: join(this.#dir, 's') },
      processes: { min: PROCESSES, max: PROCESSES },
      defaults: { lockDuration: LOCK_MS, lockRenewTime: RENEW_MS, stalledInterval: '5s', maxStalledCount: 1_000, concurrency: 8 },
      groups: { [QUEUE]: { processor: join(HERE, 'processor.js'), workers: 6, min: 3 } },
      // A process falls every few seconds here, on purpose: limits meant for faults that nobody wanted would end the run.
      supervision: {
        processes: { maxRestarts: 10_000 },
        backoff: { base: '50ms', cap: '500ms', resetAfter: '1s' },
        maxConsecutiveFailures: 1_000,
      },
    };
    writeFileSync(join(this.#dir, 'drover.config.json'), JSON.stringify(config));
  }

  #startPrimary(): void {
    const env = { ...process.env, TEST_LEDGER_URL: this.ledgerServer.url };
    delete (env as NodeJS.ProcessEnv).REDIS_URL;
    const args = [DROVER, 'start', join(this.#dir, 'drover.config.json')];
    const primary = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    for (const stream of [primary.stdout, primary.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#log = (this.#log + text).slice(-20_000);
      });
    }
    primary.once('exit', (code, by) => {
      if (this.#isStopping || this.#primary !== primary) return;
      this.#unexpected = `the primary ended by itself with ${code ?? by}:\n${this.#log}`;
    });
    this.#primary = primary;
  }

  async #startProducer(rate: number, seed: number): Promise<void> {
    const producer = fork(join(HERE, 'producer.js'), [this.server.url, PREFIX, String(rate), String(seed)]);
    this.#producer = producer;
    producer.on('message', (message: { added?: Record<string, string> }) => {
      for (const [id, kind] of Object.entries(message.added ?? {})) this.added.set(id, kind);
    });
    producer.once('exit', (code, by) => {
      if (code !== 0 && !this.#isStopping) this.#unexpected = `the producer ended with ${code ?? by}`;
    });
    await until(() => this.added.size > 0, { what: 'the first job to be added', limitMs: BOOT_LIMIT_MS });
  }
}

/** Whether the process has not been collected yet. */
export function isThere(pid: number): boolean {
  return signal(pid, 0);
}

/** A process may be gone by now. @returns whether it was there */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    return false;
  }
}
