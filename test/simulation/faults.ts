/**
 * What goes wrong from outside while a run lasts (what fails by itself at a start is in `behaviour.ts`). To add a fault, add an entry: how
 * often it comes, and what it does to the world.
 */
import type { SimProcess } from './process.js';
import type { World } from './world.js';

export interface Fault {
  readonly name: string;
  readonly weight: number;
  strike(world: World): void;
}

export const FAULTS: readonly Fault[] = [
  { name: 'a process crashes', weight: 6, strike: (world) => onOne(world, (process) => process.die(1, null)) },
  { name: 'a process gets a signal', weight: 2, strike: (world) => onOne(world, (process) => process.die(null, 'SIGSEGV')) },
  { name: 'a process exits with 0', weight: 1, strike: (world) => onOne(world, (process) => process.die(0, null)) },
  { name: 'a process is recycled', weight: 1, strike: (world) => onOne(world, (process) => process.die(90, null)) },
  { name: 'all processes crash', weight: 0.5, strike: (world) => world.processes.forEach((process) => void process.die(1, null)) },
  { name: 'a process is stopped', weight: 1, strike: (world) => onOne(world, (process) => process.freeze()) },
  { name: 'an event loop blocks', weight: 1, strike: (world) => onOne(world, (process) => process.block()) },
  {
    name: 'an event loop blocks for a while',
    weight: 1,
    strike: (world) =>
      onOne(world, (process) => {
        process.block();
        world.later(world.random.pick([500, 2_900]), () => process.thaw());
      }),
  },
  {
    name: 'the wall clock is set',
    weight: 0.5,
    strike: ({ clock, random }) => {
      clock.skewMs = random.pick([-3_600_000, 0, 3_600_000]);
    },
  },
  {
    name: 'a process is stopped for a while',
    weight: 2,
    strike: (world) =>
      onOne(world, (process) => {
        process.freeze();
        world.later(world.random.pick([500, 3_500, 10_500]), () => process.thaw());
      }),
  },
  { name: 'a channel breaks', weight: 1, strike: (world) => onOne(world, (process) => process.channel.close()) },
  {
    name: 'a channel loses and reorders messages, then breaks',
    weight: 2,
    strike: (world) =>
      onOne(world, (process) => {
        process.channel.unreliable = { lose: world.random.pick([0, 0.3, 1]), reorder: world.random.pick([0, 0.3]) };
        world.later(world.random.pick([500, 3_000, 11_000]), () => process.channel.close());
      }),
  },
  {
    name: 'a channel is slow',
    weight: 1,
    strike: (world) =>
      onOne(world, (process) => {
        process.channel.maxLatencyMs = world.random.pick([50, 500]);
      }),
  },
  { name: 'a worker ends', weight: 5, strike: (world) => oneOf(world, world.workers())?.end() },
  {
    name: 'a runtime breaks',
    weight: 1,
    strike: (world) =>
      onOne(world, ({ engine }) =>
        oneOf(
          world,
          engine.runtimes.filter(({ state }) => state === 'running'),
        )?.fail(),
      ),
  },
];

function onOne(world: World, strike: (process: SimProcess) => void): void {
  const process = oneOf(world, world.processes);
  if (process) strike(process);
}

/** Something that is there, if anything is. */
function oneOf<T>(world: World, list: readonly T[]): T | undefined {
  return list.length === 0 ? undefined : world.random.pick(list);
}
