import type { EngineRef } from './engine.js';
import type { Sample, Session } from './session.js';

/** One row of the report: what an engine is made to do, and what is measured. */
export interface Workload {
  readonly id: string;
  /** `--workloads` takes this for all of its rows. */
  readonly group: 'process' | 'add' | 'latency' | 'idle' | 'start';
  readonly title: string;
  /** Engines it makes sense for, by name. */
  readonly engines: readonly string[];
  /** The measure that engines are compared by. */
  readonly headline: string;
  /** Counts hardly differ between rounds: then a few are enough. */
  readonly maxRounds?: number;
  run(context: RunContext): Promise<Sample>;
}

export interface RunContext {
  readonly engine: EngineRef;
  readonly session: Session;
  /** What this run has measured of another workload so far, its latest round. */
  latest(workload: string, engine: string, measure: string): number | undefined;
}
