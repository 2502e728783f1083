import type { EngineRef, Target } from './engine.js';
import { describeMachine, type Machine } from './machine.js';
import { type QueueCheck, type Sample, Session, type Sizes } from './session.js';
import { type Figures, summarize } from './summary.js';
import type { Workload } from './workload.js';

export interface BenchPlan {
  readonly target: Target;
  readonly engines: readonly EngineRef[];
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  readonly sizes: Sizes;
  /** Looks at each queue when its load has ended. */
  readonly check?: QueueCheck;
  /** Ends the run: it rejects, with nothing left behind in Redis. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (text: string) => void;
}

/** All that was measured: what `--json` prints. */
export interface BenchReport {
  readonly machine: Machine;
  /** Versions by name of the engine. */
  readonly engines: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly sizes: Sizes;
  readonly workloads: readonly WorkloadReport[];
  /** What the check found, one line each; empty as it has to be. */
  readonly broken: readonly string[];
}

export interface WorkloadReport {
  readonly id: string;
  readonly title: string;
  readonly headline: string;
  readonly rounds: number;
  /** By name of the engine. */
  readonly engines: Readonly<Record<string, Figures>>;
  /** Drover's headline divided by the other engine's. */
  readonly ratios: Readonly<Record<string, number>>;
}

/**
 * Runs every workload with every engine, in rounds: all of them take turns, so a machine that becomes slower does so for all. The order
 * of the engines changes from round to round.
 */
export async function runBench(plan: BenchPlan): Promise<BenchReport> {
  const session = new Session(plan.target, plan.sizes, plan.check, plan.signal);
  const samples = new Map<string, Sample[]>();
  const of = (workload: string, engine: string) => samples.get(`${workload} ${engine}`) ?? [];
  const latest = (workload: string, engine: string, measure: string) => of(workload, engine).at(-1)?.[measure];
  try {
    const machine = describeMachine(await session.open());
    for (let round = 1; round <= plan.rounds; round++) {
      for (const workload of plan.workloads.filter(({ maxRounds = plan.rounds }) => round <= maxRounds)) {
        for (const engine of enginesOf(workload, plan.engines, round)) {
          plan.onProgress?.(`round ${round} of ${plan.rounds}: ${workload.id}, ${engine.name}`);
          const sample = await workload.run({ engine, session, latest });
          samples.set(`${workload.id} ${engine.name}`, [...of(workload.id, engine.name), sample]);
        }
      }
    }
    const { engines, rounds, sizes } = plan;
    const versions = Object.fromEntries(engines.map(({ name, version }) => [name, version]));
    const workloads = plan.workloads.map((workload) => report(workload, engines, of));
    return { machine, engines: versions, rounds, sizes, workloads, broken: session.broken };
  } finally {
    await session.close();
  }
}

function enginesOf({ engines }: Workload, all: readonly EngineRef[], round: number): EngineRef[] {
  const chosen = all.filter(({ name }) => engines.includes(name));
  const first = (round - 1) % Math.max(1, chosen.length);
  return [...chosen.slice(first), ...chosen.slice(0, first)];
}

function report(
  workload: Workload,
  all: readonly EngineRef[],
  of: (workload: string, engine: string) => readonly Sample[],
): WorkloadReport {
  const { id, title, headline } = workload;
  const chosen = all.filter(({ name }) => of(id, name).length > 0);
  const engines = Object.fromEntries(chosen.map(({ name }) => [name, summarize(of(id, name))]));
  const own = engines.drover?.[headline]?.median;
  const others = Object.entries(engines).filter(([name]) => name !== 'drover' && own !== undefined);
  const ratios = Object.fromEntries(
    others.map(([name, figures]) => [name, (own ?? Number.NaN) / (figures[headline]?.median ?? Number.NaN)]),
  );
  return { id, title, headline, rounds: of(id, chosen[0]?.name ?? '').length, engines, ratios };
}
