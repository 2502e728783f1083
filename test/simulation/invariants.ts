/**
 * What must be true after every step, whatever was commanded and whatever broke, and what must be true once everything has come to rest.
 * To add a rule, add a function to the list.
 */
import assert from 'node:assert/strict';
import type { StatusReply } from '../../packages/cluster/dist/protocol/index.js';
import type { World } from './world.js';

type Rule = (world: World) => void;

export const ALWAYS: readonly Rule[] = [
  function neverMoreProcessesThanTheMaximum({ processes, scenario, book }) {
    const max = scenario.config.processes.max + book.surplus;
    if (processes.length > max) assert.fail(`${processes.length} processes, draining ones included; the maximum is ${max}`);
  },
  function neverTwoIncarnationsInOneSlot({ processes }) {
    const slots = processes.map(({ slot }) => slot);
    if (new Set(slots).size < slots.length) assert.fail(`two live processes in one slot: ${slots.join(', ')}`);
  },
  function neverABlockedLoopWhoseLocksRunOut({ processes, clock, scenario }) {
    const { groups } = scenario.config;
    const leftMs = Math.min(...Object.values(groups).map(({ lockMs, renewMs }) => lockMs - renewMs));
    const lost = processes.find(({ blockedAt }) => blockedAt !== undefined && clock.monotonic() - blockedAt >= leftMs);
    if (lost) assert.fail(`${lost.identity.incarnation} stands still and has lost its locks`);
  },
  function neverAWorkerTwiceUnlessItChangesOver({ processes, book }) {
    const hosted = new Map<string, { readonly slot: number; readonly isDraining: boolean }[]>();
    for (const { slot, engine } of processes) {
      for (const { name, isDraining } of engine.workers) hosted.set(name, [...(hosted.get(name) ?? []), { slot, isDraining }]);
    }
    for (const [name, all] of hosted) {
      const [one, other, third] = all.filter(({ slot, isDraining }) => !(isDraining && book.isLeaving(slot)));
      if (!one || !other) continue;
      if (third || !book.isPair(one.slot, other.slot)) assert.fail(`${name} is hosted more than once`);
      if (!one.isDraining && !other.isDraining) assert.fail(`two workers take jobs as ${name}`);
    }
  },
  function neverAReplacementThatWasNotAskedFor({ book }) {
    if (book.broken !== undefined) assert.fail(book.broken);
  },
];

const ENDED: readonly string[] = ['done', 'failed'];

/** @returns why the world has not come to rest as it should, or undefined if it has. */
export function unrest(world: World): string | undefined {
  if (world.pending > 0) return 'a fault goes on';
  const status = world.status();
  const isReplacing = status.operations.some(
    ({ verb, state }) => !ENDED.includes(state) && ['reload', 'recycle', 'restart'].includes(verb),
  );
  if (isReplacing) return 'processes are being replaced';
  for (const rule of AT_REST) {
    const reason = rule(world, status);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Slots that were given up, and under an ordered strategy those that wait for one, until somebody acts. */
function givenUp({ scenario }: World, { processes }: StatusReply): readonly number[] {
  const isOrdered = scenario.config.supervision.strategy !== 'one_for_one';
  const parked = processes.filter(({ state }) => state === 'parked').map(({ slot }) => slot);
  const isHeldUp = ({ slot, state }: { slot: number; state: string }): boolean =>
    isOrdered && state !== 'ready' && state !== 'draining' && slot > Math.min(...parked);
  return processes.filter((process) => process.state === 'parked' || isHeldUp(process)).map(({ slot }) => slot);
}

const AT_REST: readonly ((world: World, status: StatusReply) => string | undefined)[] = [
  function noProcessIsLost({ processes }) {
    return processes.some(({ isFrozen, channel }) => isFrozen || !channel.isOpen) ? 'a process hangs, or has lost its channel' : undefined;
  },
  function everySlotIsReadyOrGivenUp(world, status) {
    const parked = givenUp(world, status);
    const other = status.processes.find(({ slot, state }) => state !== 'ready' && !parked.includes(slot));
    return other && `slot ${other.slot} is ${other.state}`;
  },
  function thePrimaryKnowsEveryProcess({ processes }, status) {
    const known = status.processes.filter(({ state }) => state === 'ready').map(({ incarnation }) => incarnation);
    const real = processes.map(({ identity }) => identity.incarnation);
    return same(known, real) ? undefined : `processes ${real} exist, ${known} are known`;
  },
  function asManyProcessesAsTheFormulaSays(world, status) {
    const { processes, groups } = status;
    const { workersPerProcess, processes: limits } = world.scenario.config;
    const workers = groups.reduce((sum, group) => sum + group.workers.desired, 0);
    const parked = givenUp(world, status).length;
    const ready = processes.filter(({ state }) => state === 'ready');
    const wanted = Math.max(0, Math.min(Math.max(limits.min, Math.ceil(workers / workersPerProcess)), limits.max - parked));
    const isSurplusEmpty = ready.length > wanted && ready.some((process) => Object.keys(process.workers).length === 0);
    return ready.length < wanted || isSurplusEmpty ? `${ready.length} processes are ready, ${wanted} are wanted` : undefined;
  },
  function exactlyTheDesiredWorkersRun(world, { groups }) {
    const listed = listWorkers(world);
    const running = listed.filter(({ state }) => state === 'running').map(({ worker }) => worker);
    const real = world
      .workers()
      .filter((worker) => worker.isRunning)
      .map(({ name }) => name);
    if (!same(running, real))
      return `workers ${real} run, known are ${listed.map(({ worker, state, slot }) => `${worker} ${state} in ${slot}`)}`;
    if (world.workers().length > real.length) return 'some worker is neither running nor gone';
    for (const { group, workers } of groups) {
      if (workers.draining > 0) return `${workers.draining} workers of ${group} drain`;
      if (workers.desired !== workers.running + workers.parked) return `${group}: ${JSON.stringify(workers)}`;
    }
    return undefined;
  },
  function everyProcessIsOfTheLastRelease({ book }, { generation, processes }) {
    const old = processes.find((process) => process.state === 'ready' && process.generation !== generation);
    return old && !book.isMixed ? `slot ${old.slot} is of release ${old.generation}, not ${generation}` : undefined;
  },
  function everyOperationHasEnded({ opIds, primary }) {
    for (const opId of opIds) {
      const { verb, state } = primary.operations.operation(opId);
      if (!ENDED.includes(state)) return `operation ${opId}, ${verb}, is ${state}`;
    }
    return undefined;
  },
];

/** When the primary has ended: nothing is left of it. */
export function checkEnd(world: World): void {
  const { end, opIds, primary, primaryClock, processes } = world;
  assert.ok(end, 'the primary has ended');
  assert.deepEqual(
    processes.map(({ identity }) => identity.incarnation),
    [],
    'no process is left',
  );
  for (const opId of opIds) assert.ok(ENDED.includes(primary.operations.operation(opId).state), `operation ${opId} has ended`);
  assert.equal(end.report.exitCode === 79, end.gaveUp !== undefined, 'the exit code says whether it gave up');
  assert.equal(world.poison.told, world.poison.found, 'subscribers heard of every job that will fail unrun');
  assert.equal(primaryClock.armed, 0, 'no timer of the primary is armed');
}

function listWorkers(world: World) {
  const { items } = world.primary.operations.list({ what: 'workers', limit: 1_000 });
  return items.flatMap((item) => ('worker' in item ? [item] : []));
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && new Set([...a, ...b]).size === a.length;
}
