/** What a seed decides before anything runs: the configuration and how much goes wrong. */
import { type HangLimit, hangLimit } from '../../packages/cluster/dist/config/hang-limit.js';
import type { ClusterConfig, GroupConfig, SupervisionConfig } from '../../packages/cluster/dist/config/resolved.js';
import type { Random } from './random.js';

const never = Number.POSITIVE_INFINITY;

/** Probabilities of a failure at each start, and of a start that is slow. */
export interface Rates {
  readonly fork: number;
  readonly boot: number;
  readonly runtime: number;
  readonly worker: number;
  readonly slow: number;
}

export interface Scenario {
  readonly config: ClusterConfig;
  readonly rates: Rates;
  /** How long commands and faults come. */
  readonly activeMs: number;
  /** Mean time between two commands, and between two faults. */
  readonly commandEveryMs: number;
  readonly faultEveryMs: number;
  /** How it ends: by the verb, or with the death of the primary. */
  readonly ending: 'stop' | 'primary dies';
}

export function makeScenario(random: Random): Scenario {
  const isQuiet = random.chance(0.1);
  const often = (probabilities: readonly number[]): number => (isQuiet ? 0 : random.pick(probabilities));
  const rates = {
    fork: often([0, 0, 0, 0.05, 0.3]),
    boot: often([0, 0.05, 0.2, 0.6]),
    runtime: often([0, 0, 0, 0.2]),
    worker: often([0, 0.05, 0.3, 0.7]),
    slow: often([0, 0.1, 0.5]),
  };
  return {
    config: makeConfig(random),
    rates,
    activeMs: random.pick([1_000, 2_500, 6_000]),
    commandEveryMs: random.pick([150, 500, 2_000]),
    faultEveryMs: isQuiet ? Number.POSITIVE_INFINITY : random.pick([200, 700, 2_000, 10_000]),
    ending: random.chance(0.1) ? 'primary dies' : 'stop',
  };
}

function makeConfig(random: Random): ClusterConfig {
  const drain = {
    deadlineMs: random.pick([200, 1_000, 3_000]),
    abortLeadMs: 200,
    onTimeout: random.pick(['linger', 'replace'] as const),
    maxReturns: 5,
    onMaxReturns: 'stall' as const,
  };
  const names = random.chance(0.4) ? ['mail', 'video'] : ['mail'];
  const groups = Object.fromEntries(names.map((name) => [name, makeGroup(random, name, drain)]));
  const max = random.int(1, 4);
  const hangs = hangLimit({}, Object.values(groups)) as HangLimit;
  return {
    name: 'simulated',
    connection: 'redis://simulated',
    groups,
    persistScale: false,
    recycle: { softBytes: never, hardBytes: never, maxJobs: never, maxAgeMs: never, jitter: 0, minIntervalMs: 60_000 },
    maxWorkersHard: random.pick([8, 100]),
    workersPerProcess: random.pick([1, 1, 2, 4]),
    processes: { min: random.int(0, max), max },
    processRestart: random.chance(0.85) ? 'permanent' : random.pick(['transient', 'temporary']),
    supervision: makeSupervision(random),
    drain,
    health: { ...hangs, bootTimeoutMs: 4_000, orphanDeadlineMs: random.pick([1_000, 4_000]) },
    redisTimeoutMs: 10_000,
    control: { socket: undefined, parentGone: 'drain' },
    logs: { format: 'json', level: 'error' },
  };
}

function makeGroup(random: Random, group: string, drain: GroupConfig['drain']): GroupConfig {
  const min = random.pick([0, 0, 1]);
  return {
    group,
    queue: group,
    prefix: 'sim',
    connection: random.chance(0.7) ? 'redis://simulated' : 'redis://other',
    module: { kind: 'processor', url: 'file:///simulated' },
    workers: random.int(min, 4),
    isSizeFixed: false,
    min,
    max: random.pick([4, 8]),
    concurrency: random.pick([1, 100]),
    lockMs: random.pick([8_000, 30_000]),
    renewMs: 3_000,
    stalledIntervalMs: 30_000,
    maxStalledCount: 1,
    drain,
    restart: random.chance(0.7) ? 'permanent' : random.pick(['transient', 'temporary']),
    supervision: makeSupervision(random),
  };
}

function makeSupervision(random: Random): SupervisionConfig {
  return {
    strategy: random.chance(0.7) ? 'one_for_one' : random.pick(['one_for_all', 'rest_for_one']),
    maxRestarts: random.pick([undefined, 0, 1, 2, 3, 5, 20]),
    periodMs: random.pick([500, 3_000, 10_000, 60_000]),
    onGiveUp: random.pick(['escalate', 'park']),
    backoff: { firstMs: 0, baseMs: 100, factor: 2, capMs: 1_000, jitter: random.pick(['full', 'none']) },
    maxConsecutiveFailures: random.int(1, 6),
    resetAfterMs: random.pick([0, 500, 3_000]),
  };
}
