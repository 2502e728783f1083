import { type Clock, Deadline } from '@drover/core/kit';
import type { ChildAdapter, ChildHandle } from './child-adapter.js';
import type { Supervisor } from './supervisor.js';

/**
 * A supervisor as a child of another one. `make` builds a new one for each start, with its children added: a supervisor ends only once.
 * One that gave up ends with `shutdown`, as in OTP.
 */
export class SupervisorAdapter<Spec> implements ChildAdapter<Spec> {
  constructor(
    private readonly make: (spec: Spec) => Pick<Supervisor<never>, 'ended' | 'stop'>,
    private readonly clock: Clock,
  ) {}

  async start(spec: Spec): Promise<ChildHandle> {
    const supervisor = this.make(spec);
    const stopAt = (ms: number): Promise<void> => supervisor.stop(Deadline.in(ms, this.clock));
    return {
      exited: supervisor.ended.then((end) => (end === 'shutdown' ? { kind: 'shutdown' } : { kind: 'shutdown', gaveUp: end.gaveUp })),
      stop: (shutdown) => stopAt(shutdown === 'brutal_kill' ? 0 : shutdown),
    };
  }
}
