// The harness of `drover bench`; bench/ at the root of the project adds the ceiling, the targets and the charts.

export type { Driver, Target, WorkerPlan } from './engine.js';
export {
  type Engine,
  type EngineModule,
  type EngineRef,
  JOB_NAME,
  type JobData,
  jobData,
  type OpenQueue,
  type StartedWorkers,
} from './engine.js';
export { bullmqEngine, droverEngine } from './engines.js';
export type { Machine } from './machine.js';
export { figureText, machineText, measureWords, renderTables } from './report/tables.js';
export { type BenchPlan, type BenchReport, runBench, type WorkloadReport } from './run-bench.js';
export type { QueueCheck, Sample, Sizes } from './session.js';
export type { Figure, Figures } from './summary.js';
export type { Workload } from './workload.js';
export { selectWorkloads, WORKLOADS } from './workloads/index.js';
