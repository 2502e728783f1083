/**
 * What an operator may do while a run lasts. To add a command, add an entry: how often it comes, and what it does. It may throw what the
 * verb throws as `ControlFailure`; anything else ends the run red. It puts the id of the operation it began into `world.opIds`.
 */
import assert from 'node:assert/strict';
import { ControlFailure, type OperationReply, type ScaleReply } from '../../packages/cluster/dist/protocol/index.js';
import type { World } from './world.js';

export interface Command {
  readonly name: string;
  readonly weight: number;
  give(world: World): void;
}

const CONTEXT = { transport: 'simulation' };
const VICTIMS = ['oldest', 'youngest', 'idle', undefined] as const;

export const COMMANDS: readonly Command[] = [
  {
    name: 'scale_up',
    weight: 4,
    give: (world) => {
      const { random, primary } = world;
      scaled(world, 1, (group) => primary.operations.scaleUp(group, random.int(0, 3), CONTEXT));
    },
  },
  {
    name: 'scale_down',
    weight: 4,
    give: (world) => {
      const { random, primary } = world;
      const options = { victim: random.pick(VICTIMS), drainMs: random.pick([undefined, 0, 100, 2_000]) };
      scaled(world, -1, (group) => primary.operations.scaleDown(group, random.int(0, 3), options, CONTEXT));
    },
  },
  {
    name: 'scale_to',
    weight: 3,
    give: (world) => {
      const { random, primary } = world;
      scaled(world, 0, (group) => primary.operations.scaleTo(group, random.int(0, 6), { victim: random.pick(VICTIMS) }, CONTEXT));
    },
  },
  {
    name: 'a repeat under the same key',
    weight: 1,
    give: (world) => {
      const { primary, random } = world;
      const context = { ...CONTEXT, key: `key ${random.next()}` };
      const group = random.pick(Object.keys(world.scenario.config.groups));
      const first = primary.operations.scaleUp(group, 1, context);
      assert.deepEqual(primary.operations.scaleUp(group, 1, context), first, 'a repeat is answered with the first reply');
      world.opIds.add(first.opId);
    },
  },
  {
    name: 'reload',
    weight: 1.5,
    give: (world) => {
      const { random, primary } = world;
      const options = {
        probationMs: random.pick([0, 300, 2_000]),
        ...random.pick([{}, { canary: 1 }, { maxSurge: 2 }, { maxSurge: 0, maxUnavailable: 1 }]),
      };
      replaced(world, () => {
        const reply = primary.operations.reload(options, CONTEXT);
        const { maxSurge = 1, maxUnavailable = 0 }: { maxSurge?: number; maxUnavailable?: number } = options;
        world.book.order(reply.opId, { surge: maxSurge, unavailable: maxUnavailable });
        return reply;
      });
    },
  },
  {
    name: 'restart',
    weight: 1,
    give: (world) => {
      const { random, primary } = world;
      const slot = random.int(0, 4);
      replaced(world, () => primary.operations.restart(slot, random.pick(['drain', 'fast', 'now']), CONTEXT));
    },
  },
  {
    name: 'recycle',
    weight: 1,
    give: (world) => {
      const { random, primary } = world;
      const slot = random.pick([undefined, 0, 1, 2]);
      replaced(world, () => primary.operations.recycle(slot, CONTEXT));
    },
  },
  {
    name: 'stop',
    weight: 0.05,
    give: (world) => {
      const { random, primary } = world;
      world.isStopping = true;
      const drainMs = random.pick([undefined, 0, 500]);
      world.opIds.add(primary.operations.stop(random.pick(['drain', 'fast', 'now']), drainMs, CONTEXT).opId);
    },
  },
];

/** A replacement never changes how many workers there are, and may be refused while another one goes on. */
function replaced(world: World, command: () => OperationReply): void {
  const count = (): unknown => world.primary.operations.workerCount(undefined);
  const before = count();
  try {
    world.opIds.add(command().opId);
  } catch (error) {
    if (!(error instanceof ControlFailure) || (error.code !== 'BUSY' && error.code !== 'NOT_FOUND')) throw error;
  }
  assert.deepEqual(count(), before, 'a replacement changes no count');
}

/** Checks a scale verb's reply against the counts before and after. */
function scaled(world: World, sign: -1 | 0 | 1, command: (group: string) => ScaleReply): void {
  const group = world.random.pick(Object.keys(world.scenario.config.groups));
  const count = () => world.primary.operations.workerCount(group).workers;
  const before = count();
  const reply = command(group);
  const after = count();
  world.opIds.add(reply.opId);
  assert.equal(after.desired, reply.desired, 'the count is right when the verb is answered');
  assert.equal(world.saved?.[group], reply.desired, 'the size is remembered');
  const expected = sign === 0 ? reply.applied : before.desired + sign * reply.applied;
  assert.equal(after.desired, expected, 'the count changes by what was applied');
  assert.equal(reply.reason === undefined, reply.applied === reply.requested, 'clamping has a reason');
}
