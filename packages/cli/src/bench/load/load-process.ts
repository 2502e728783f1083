/** The program of a load process: takes one plan, does it, and ends. Started by `load.ts` with an IPC channel. */
import { once } from 'node:events';
import { toError } from '@drover/core/kit';
import type { EngineModule } from '../engine.js';
import { add, pace, single } from './add.js';
import { idle } from './idle.js';
import { Performer } from './performer.js';
import type { LoadPlan, ToLoad } from './protocol.js';
import { work } from './work.js';

async function perform(plan: LoadPlan, performer: Performer): Promise<void> {
  const { openEngine } = (await import(plan.engine.module)) as EngineModule;
  const engine = await openEngine(plan.engine.options);
  const { role } = plan;
  switch (role.role) {
    case 'work':
      return work(engine, plan, role, performer);
    case 'add':
      return add(engine, plan, role, performer);
    case 'pace':
      return pace(engine, plan, role, performer);
    case 'single':
      return single(engine, plan, performer);
    case 'idle':
      return idle(engine, plan, role, performer);
  }
}

// Ctrl-C in a terminal reaches every process of it: the one that measures ends its loads itself.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit());

const [message] = (await once(process, 'message')) as [ToLoad];
if (message.type !== 'plan') throw new Error(`a load process begins with a plan, not with ${message.type}`);
const performer = new Performer();
try {
  await perform(message.plan, performer);
} catch (error) {
  performer.fail(toError(error));
}
process.disconnect();
