/** Follows the events of one run, and holds what became of each end of a process against the oracle. */
import assert from 'node:assert/strict';
import { RestartOracle } from './restart-oracle.js';
import type { Incident, World } from './world.js';

interface Slot {
  readyAt: number | undefined;
  isForgotten: boolean;
}

type Exited = { readonly slot: number; readonly class: 'shutdown' | 'planned' | 'normal' | 'abnormal' };

type Replaced = { readonly state: string; readonly slot: number; readonly by: number };

export class Watch {
  readonly #oracle: RestartOracle;
  readonly #slots = new Map<number, Slot>();
  /** Slots of new processes that have not proved themselves: they are not started again. */
  readonly #trials = new Set<number>();
  #hasGivenUp = false;
  /** Some slot may be freed without an event. */
  #isUneasy = true;
  restarts = 0;

  constructor(private readonly world: World) {
    const { supervision, processRestart } = world.scenario.config;
    this.#oracle = new RestartOracle(supervision, processRestart);
  }

  /** Call it after every step. */
  look(): void {
    const { world } = this;
    const incidents = world.incidents.splice(0);
    for (const [at, incident] of incidents.entries()) this.#note(incident, incidents.slice(at + 1));
    if (incidents.length === 0 && !this.#isUneasy) return;
    const { processes } = world.status();
    this.#isUneasy = processes.some(({ state }) => state === 'gone' || state === 'parked' || state === 'booting');
    const now = new Set(processes.map(({ slot }) => slot));
    for (const slot of this.#slots.keys()) if (!now.has(slot)) this.#forget(slot);
  }

  #note(incident: Incident, later: readonly Incident[]): void {
    const data = incident.data as { readonly slot: number };
    switch (incident.topic) {
      case 'process.booting':
        this.#slots.set(data.slot, { readyAt: undefined, isForgotten: false });
        return;
      case 'process.ready':
        (this.#slots.get(data.slot) as Slot).readyAt = this.world.clock.monotonic();
        return;
      case 'fork failed':
        this.#judge(data.slot, 'abnormal', later);
        return;
      case 'process.exited': {
        const { class: kind } = incident.data as unknown as Exited;
        if (kind !== 'shutdown') this.#judge(data.slot, kind, later);
        const slot = this.#slots.get(data.slot);
        if (slot) slot.readyAt = undefined; // the next end may be a fork that fails
        return;
      }
      case 'reload': {
        const { state, slot, by } = incident.data as unknown as Replaced;
        if (state === 'replacing') this.#trials.add(by);
        else if (state === 'adopted') this.#trials.delete(by);
        else if (state === 'restarting') this.#oracle.forget(`${slot}`);
        else if (state === 'done' || state === 'failed') this.#trials.clear();
        return;
      }
      case 'primary.gave_up':
        this.#hasGivenUp = true;
        return;
    }
  }

  /** What was decided shows in the events of the same step, before those of another end. */
  #judge(slot: number, kind: 'planned' | 'normal' | 'abnormal', later: readonly Incident[]): void {
    if (this.#hasGivenUp || this.world.isStopping) return;
    const before = this.world.status().processes;
    const { readyAt } = this.#slots.get(slot) ?? {};
    this.#slots.set(slot, { readyAt: undefined, isForgotten: false });
    const now = this.world.clock.monotonic();
    const others = before.filter((other) => other.slot !== slot && !this.#slots.get(other.slot)?.isForgotten);
    const ended = {
      kind,
      livedMs: readyAt === undefined ? undefined : now - readyAt,
      children: others.length + 1,
      parked: others.filter(({ state }) => state === 'parked').length,
    };
    const verdict = this.#trials.has(slot) ? 'forgotten' : this.#oracle.judge(`${slot}`, ended, now);
    const isEnd = ({ topic }: Incident): boolean => topic === 'process.exited' || topic === 'fork failed';
    const next = later.findIndex((other) => isEnd(other) && (other.data as { slot: number }).slot === slot);
    const all = next < 0 ? later : later.slice(0, next);
    const mayBeOfAnother = verdict !== 'gave up' && later.some(isEnd);
    const hasGivenUp = !mayBeOfAnother && all.some(({ topic }) => topic === 'primary.gave_up');
    const isParked = all.some(({ topic, data }) => topic === 'process.parked' && (data as { slot: number }).slot === slot);
    const stayedParked = before.some((each) => each.slot === slot && each.state === 'parked'); // a restart that failed at once
    const became = hasGivenUp ? 'gave up' : isParked || (stayedParked && verdict !== 'restarted') ? 'parked' : 'restarted';
    if (verdict === 'gave up') this.#hasGivenUp = true;
    if (verdict === 'restarted') this.restarts++;
    if (verdict === 'forgotten') this.#slots.set(slot, { readyAt: undefined, isForgotten: true });
    assert.equal(became, verdict === 'forgotten' ? 'parked' : verdict, `what becomes of slot ${slot}, ${kind}, ${JSON.stringify(ended)}`);
  }

  #forget(slot: number): void {
    this.#slots.delete(slot);
    this.#trials.delete(slot);
    this.#oracle.forget(`${slot}`);
  }
}
