import type { Clock } from '@drover/core/kit';
import { chooseVictims } from '../placement/choose-victims.js';
import {
  ControlFailure,
  type CountReply,
  type DocReply,
  type ListReply,
  type OperationReply,
  type OperationStatus,
  type PingReply,
  type Progress,
  type ScaleReply,
  type StatusReply,
  type StopMode,
  type StopReport,
  SUPPORTED_VERSIONS,
  type Victim,
} from '../protocol/index.js';
import type { DesiredWorker, PickVictims, SizeChange } from './desired-state.js';
import type { EventHub, HubEvent } from './event-hub.js';
import type { OperationLog } from './operation-log.js';
import type { Plan } from './plan-reconcile.js';
import type { ReloadOptions, Replacements } from './replacements.js';
import { restartsDocument } from './restarts-document.js';
import { countReply, type ListQuery, listReply, stateOfDesired, statusReply, type View } from './snapshot.js';

/** Who commands: a `key` makes a repeat within 5 min answer with the first reply. */
export interface OperationContext {
  readonly transport: string;
  readonly key?: string;
}

export interface Shrinking {
  readonly victim?: Victim | undefined;
  readonly drainMs?: number | undefined;
}

/** What the use cases need of the primary. */
export interface OperationsDeps {
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly version: string;
  readonly view: () => View;
  readonly log: OperationLog;
  readonly events: EventHub;
  readonly replacements: Replacements;
  /** Something was changed that is desired. */
  readonly wake: () => void;
  /** Begins to stop, or joins the stop under way and may sharpen it. */
  readonly stop: (mode: StopMode, drainMs: number | undefined) => void;
}

interface Tracked {
  readonly reply: ScaleReply;
  readonly workers: readonly string[];
}

const STATUS_OPERATIONS = 20;

/**
 * The use cases behind the verbs. A mutating one only changes what is desired, so it answers at once; the operation that it names goes
 * on until what is observed has caught up. Owns which workers each operation is about.
 */
export class Operations {
  readonly #tracked = new Map<string, Tracked>();
  readonly #startedAt: number;
  #stop: string | undefined;

  constructor(private readonly deps: OperationsDeps) {
    this.#startedAt = deps.clock.monotonic();
  }

  scaleUp(group: string | undefined, count: number, context: OperationContext): ScaleReply {
    return this.#scale('scale_up', group, count, {}, context, (name) => this.#desired.grow(name, count));
  }

  scaleDown(group: string | undefined, count: number, options: Shrinking, context: OperationContext): ScaleReply {
    return this.#scale('scale_down', group, count, options, context, (name) =>
      this.#desired.shrink(name, count, this.#pick(options.victim), options.drainMs),
    );
  }

  scaleTo(group: string | undefined, count: number, options: Shrinking, context: OperationContext): ScaleReply {
    return this.#scale('scale_to', group, count, options, context, (name) =>
      this.#desired.resize(name, count, this.#pick(options.victim), options.drainMs),
    );
  }

  reload(options: ReloadOptions, context: OperationContext): OperationReply {
    return this.#replace(['reload', options], context, () => this.deps.replacements.reload(options));
  }

  restart(slot: number, mode: StopMode, context: OperationContext): OperationReply {
    return this.#replace(['restart', slot, mode], context, () => this.deps.replacements.restart(slot, mode));
  }

  recycle(slot: number | undefined, context: OperationContext): OperationReply {
    return this.#replace(['recycle', slot], context, () => this.deps.replacements.recycle(slot));
  }

  /** Wins over everything else: other operations end, and a second stop joins the first. */
  stop(mode: StopMode, drainMs: number | undefined, context: OperationContext): OperationReply {
    return this.deps.log.once(context.key, JSON.stringify(['stop', mode, drainMs]), () => {
      const total = this.deps
        .view()
        .observed.slots()
        .filter((slot) => slot.incarnation !== undefined).length;
      this.#stop ??= this.deps.log.begin({ verb: 'stop', group: undefined, total, version: this.#desired.version });
      this.deps.stop(mode, drainMs);
      return { opId: this.#stop };
    });
  }

  workerCount(group: string | undefined): CountReply {
    return countReply(this.deps.view(), group === undefined ? undefined : this.#groupName(group));
  }

  status(): StatusReply {
    return statusReply(this.deps.view(), this.deps.log.recent(STATUS_OPERATIONS));
  }

  list(query: ListQuery): ListReply {
    if (query.group !== undefined) this.#groupName(query.group);
    return listReply(this.deps.view(), query);
  }

  show({ slot }: { readonly what: 'restarts'; readonly slot?: number }): DocReply {
    const { observed } = this.deps.view();
    if (slot !== undefined && !observed.slot(slot)) throw new ControlFailure('NOT_FOUND', `there is no slot ${slot}`);
    const slots = observed.slots().filter((each) => slot === undefined || each.slot === slot);
    return { document: restartsDocument(slots, (each) => observed.crashes.of(each)) };
  }

  ping(): PingReply {
    const { clock, version, view } = this.deps;
    const uptimeMs = Math.round(clock.monotonic() - this.#startedAt);
    return { name: view().name, version, pid: process.pid, uptimeMs, protocols: [...SUPPORTED_VERSIONS] };
  }

  operation(opId: string): OperationStatus {
    return this.deps.log.status(opId);
  }

  follow(opId: string, listener: (progress: Progress) => void): () => void {
    return this.deps.log.follow(opId, listener);
  }

  subscribe(patterns: readonly string[], listener: (event: HubEvent) => void): () => void {
    return this.deps.events.subscribe(patterns, listener);
  }

  /** Brings operations up to date with a pass of the reconciler. */
  advance(plan: Plan): void {
    const view = this.deps.view();
    if (!this.deps.replacements.holds().isFrozen) this.#advanceScaling(plan, view); // else what is scaled stays accepted
    this.deps.replacements.advance(plan); // a reload that waited for scaling begins after that has ended
  }

  #advanceScaling(plan: Plan, view: View): void {
    for (const { opId, group } of this.deps.log.running()) {
      const tracked = this.#tracked.get(opId);
      if (!tracked) continue;
      if (group !== undefined && plan.settled.has(group)) this.#finish(opId, tracked);
      else this.deps.log.progress(opId, tracked.workers.filter((worker) => hasArrived(view, worker)).length);
    }
  }

  /** Ends everything under way but the stop. */
  failAll(failure: ControlFailure): void {
    for (const { opId, verb } of this.deps.log.running()) if (verb !== 'stop') this.deps.log.fail(opId, failure.toError());
    this.#tracked.clear();
    this.deps.replacements.end();
  }

  stopProgress(gone: number, note?: string): void {
    if (this.#stop !== undefined) this.deps.log.progress(this.#stop, gone, note === undefined ? {} : { note });
  }

  stopped(report: StopReport): void {
    if (this.#stop !== undefined) this.deps.log.finish(this.#stop, report);
  }

  get #desired() {
    return this.deps.view().desired;
  }

  #scale(
    verb: string,
    wanted: string | undefined,
    count: number,
    options: Shrinking,
    context: OperationContext,
    change: (group: string) => SizeChange,
  ): ScaleReply {
    this.#assertOpen();
    const group = this.#groupName(wanted);
    return this.deps.log.once(context.key, JSON.stringify([verb, group, count, options]), () => {
      this.deps.log.assertRoom();
      const from = this.#desired.size(group);
      const { workers, ...made } = change(group);
      const opId = this.deps.log.begin({ verb, group, total: workers.length, version: this.#desired.version });
      const reply: ScaleReply = { opId, ...made };
      this.#tracked.set(opId, { reply, workers });
      const { requested, applied, desired, reason } = made;
      this.deps.events.publish('scale', { opId, verb, group, from, to: desired, requested, applied, reason, transport: context.transport });
      this.deps.wake();
      return reply;
    });
  }

  #replace(fingerprint: readonly unknown[], context: OperationContext, begin: () => string): OperationReply {
    this.#assertOpen();
    return this.deps.log.once(context.key, JSON.stringify(fingerprint), () => ({ opId: begin() }));
  }

  #finish(opId: string, tracked: Tracked): void {
    this.#tracked.delete(opId);
    this.deps.log.finish(opId, tracked.reply);
  }

  #pick(victim: Victim = 'oldest'): PickVictims {
    const view = this.deps.view();
    const candidate = ({ worker, number }: DesiredWorker) => ({
      worker,
      number,
      state: stateOfDesired(view, worker),
      jobsInHand: view.observed.jobsInHand(worker),
    });
    return (workers, count) => chooseVictims(workers.map(candidate), count, victim);
  }

  #assertOpen(): void {
    const { state } = this.deps.view();
    if (state === 'draining') throw new ControlFailure('DRAINING', 'the primary is stopping');
    if (state === 'gave_up') throw new ControlFailure('GAVE_UP', 'the primary has given up: its processes failed too often');
  }

  #groupName(wanted: string | undefined): string {
    const names = this.#desired.groups.map((group) => group.group);
    if (wanted === undefined) {
      if (names.length === 1) return names[0] as string;
      throw new ControlFailure('BAD_REQUEST', `name a group: there are ${names.join(', ')}`);
    }
    if (!names.includes(wanted)) throw new ControlFailure('NOT_FOUND', `there is no group ${wanted}; there are ${names.join(', ')}`);
    return wanted;
  }
}

/** An added worker that runs, was given up or is no longer wanted; a removed one that is gone. */
function hasArrived(view: View, worker: string): boolean {
  return view.desired.has(worker) ? stateOfDesired(view, worker) !== 'starting' : !view.observed.workers.has(worker);
}
