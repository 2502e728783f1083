import assert from 'node:assert/strict';
import { ControlFailure } from '../../packages/cluster/dist/protocol/index.js';
import { COMMANDS } from './commands.js';
import { FAULTS } from './faults.js';
import { ALWAYS, checkEnd, unrest } from './invariants.js';
import { Watch } from './watch.js';
import { World } from './world.js';

/** How a green run went. */
export interface Outcome {
  readonly steps: number;
  readonly forks: number;
  readonly restarts: number;
  readonly operations: number;
  readonly gaveUp: boolean;
}

/** Within this time of calm everything has come to rest, and everything is over after the stop. */
const REST_MS = 60_000;
/** More steps than this at one instant are a loop that never ends. */
const STEPS_AT_ONCE = 5_000;
/** How often it is looked at whether everything is at rest. */
const LOOK_MS = 100;
/** For this long it has to stay at rest. */
const STAY_MS = 1_100;

/** One run. @throws Error the first rule that is broken. */
export async function simulate(seed: number, isTraced = false): Promise<Outcome> {
  const run = new Run(new World(seed, isTraced));
  try {
    return await run.toItsEnd();
  } catch (error) {
    throw new SimulationError(seed, run.world.trace, error);
  }
}

/** A run that went red, and how to see it again. */
export class SimulationError extends Error {
  constructor(
    readonly seed: number,
    readonly trace: readonly string[],
    cause: unknown,
  ) {
    super(`seed ${seed}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}

class Run {
  readonly #watch: Watch;
  #steps = 0;
  #stepsAtOnce = 0;

  constructor(readonly world: World) {
    this.#watch = new Watch(world);
  }

  async toItsEnd(): Promise<Outcome> {
    const { world } = this;
    world.primary.start();
    this.#keepUp(world.scenario.commandEveryMs, () => this.#command());
    this.#keepUp(world.scenario.faultEveryMs, () => this.#fault());
    await this.#stepUntil(world.clock.monotonic() + world.scenario.activeMs, () => false);
    world.behaviour.isCalm = true;
    world.note('--- calm');
    await this.#settle();
    if (world.scenario.ending === 'stop' || world.end) await this.#stop();
    else await this.#losePrimary();
    const { forks, opIds, end } = world;
    return { steps: this.#steps, forks, restarts: this.#watch.restarts, operations: opIds.size, gaveUp: end?.gaveUp !== undefined };
  }

  /** Does something again and again while the run is active, at random intervals with that mean. */
  #keepUp(everyMs: number, act: () => void): void {
    if (!Number.isFinite(everyMs)) return;
    const { world } = this;
    const waitMs = Math.round(-Math.log(1 - world.random.next()) * everyMs);
    world.clock.setTimer(() => {
      if (world.behaviour.isCalm || world.end) return;
      act();
      this.#keepUp(everyMs, act);
    }, waitMs);
  }

  #command(): void {
    const { world } = this;
    const command = world.random.weighted(COMMANDS);
    world.note(`> ${command.name}`);
    try {
      command.give(world);
    } catch (error) {
      if (!(error instanceof ControlFailure)) throw error;
      const isOver = world.isStopping || world.status().state === 'gave_up';
      assert.ok(isOver && (error.code === 'DRAINING' || error.code === 'GAVE_UP'), `${command.name} was refused: ${error.message}`);
    }
  }

  #fault(): void {
    const { world } = this;
    const fault = world.random.weighted(FAULTS);
    world.note(`! ${fault.name}`);
    fault.strike(world);
  }

  async #settle(): Promise<void> {
    const { world } = this;
    const from = world.clock.monotonic();
    let lookAt = from;
    const isOver = (): boolean => {
      if (world.end !== undefined) return true;
      if (world.clock.monotonic() < lookAt) return false;
      lookAt = world.clock.monotonic() + LOOK_MS;
      return !this.#isEnding() && unrest(world) === undefined;
    };
    await this.#stepUntil(from + REST_MS, isOver);
    if (world.end) return;
    assert.ok(!this.#isEnding(), 'a primary that ends has ended in time');
    assert.equal(unrest(world), undefined, 'everything comes to rest');
    await this.#stepUntil(world.clock.monotonic() + STAY_MS, () => world.end !== undefined);
    if (world.end === undefined && !this.#isEnding()) assert.equal(unrest(world), undefined, 'everything stays at rest');
  }

  #isEnding(): boolean {
    return this.world.isStopping || this.world.status().state === 'gave_up';
  }

  async #stop(): Promise<void> {
    const { world } = this;
    world.note('--- stop');
    world.isStopping = true;
    world.opIds.add(
      world.primary.operations.stop(world.random.pick(['drain', 'fast', 'now']), undefined, { transport: 'simulation' }).opId,
    );
    await this.#stepUntil(world.clock.monotonic() + REST_MS, () => world.end !== undefined && world.primaryClock.armed === 0);
    checkEnd(world);
  }

  /** It is killed: its channels close, and nobody forks, kills or commands any more. */
  async #losePrimary(): Promise<void> {
    const { world } = this;
    world.note('--- the primary dies');
    world.primaryClock.end();
    const { orphanDeadlineMs } = world.scenario.config.health;
    for (const process of world.processes) {
      process.orphan();
    }
    await this.#stepUntil(world.clock.monotonic() + orphanDeadlineMs + 500, () => world.processes.length === 0);
    assert.equal(world.processes.length, 0, 'no process outlives its primary by more than the orphan deadline');
  }

  async #stepUntil(at: number, isOver: () => boolean): Promise<void> {
    const { world } = this;
    while (world.clock.monotonic() < at && !isOver()) {
      const before = world.clock.monotonic();
      const moved = await world.step();
      this.#steps++;
      this.#stepsAtOnce = world.clock.monotonic() > before ? 0 : this.#stepsAtOnce + 1;
      if (this.#stepsAtOnce > STEPS_AT_ONCE) assert.fail('time stands still');
      this.#watch.look();
      for (const rule of ALWAYS) rule(world);
      if (!moved) return;
    }
  }
}
