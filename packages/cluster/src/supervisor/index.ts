export { type ChildStatus, describeExit } from './child.js';
export type { ChildAdapter, ChildExit, ChildHandle, Shutdown } from './child-adapter.js';
export { type ChildSpec, defaultIntensity, resolveSupervisorFlags, type SupervisorFlags } from './child-spec.js';
export type { ChildState } from './child-state.js';
export { type Stoppable, shutdownWithin, stopMany } from './shutdown.js';
export { Supervisor, type SupervisorDeps, type SupervisorEnd, type SupervisorListener } from './supervisor.js';
export { SupervisorAdapter } from './supervisor-adapter.js';
