/**
 * What rolling replacements were asked for, and how far they say they are: the surplus of processes, and the workers that are there twice
 * under one name, are allowed by it and by nothing else. A second account of control-plane section 8, kept from commands and events.
 */
export interface Order {
  /** New processes beyond the old ones, at a time. */
  readonly surge: number;
  /** Old processes that may go before their replacement is there, at a time. */
  readonly unavailable: number;
}

interface Pair {
  readonly old: number;
  readonly by: number;
  readonly order: 'surge' | 'in place';
  isAdopted: boolean;
}

type Told = {
  readonly kind: string;
  readonly state: string;
  readonly opId: string;
  readonly slot: number;
  readonly by: number;
  readonly order: Pair['order'];
  readonly replaced: readonly number[];
};

const RECYCLE: Order = { surge: 1, unavailable: 0 };

export class RolloutBook {
  readonly #orders = new Map<string, Order>();
  #running: { readonly opId: string; readonly kind: string; readonly pairs: Map<number, Pair> } | undefined;
  /** The slot that the primary has said it recycles, until its drain is told. */
  #recycled: number | undefined;
  /** The first thing that was done and not allowed. */
  broken: string | undefined;
  /** The last reload replaced only some: processes of several releases run. */
  isMixed = false;

  /** A reload was accepted with these limits. */
  order(opId: string, order: Order): void {
    this.#orders.set(opId, order);
  }

  /** Processes beyond the maximum that there may be now. */
  get surplus(): number {
    return this.#count('surge');
  }

  /** Whether workers change over between these two slots now. */
  isPair(a: number, b: number): boolean {
    return [...(this.#running?.pairs.values() ?? [])].some(({ old, by }) => (old === a && by === b) || (old === b && by === a));
  }

  /** Whether the process of a slot has been replaced and only works off what it has in hand: its workers take no job any more. */
  isLeaving(slot: number): boolean {
    return [...(this.#running?.pairs.values() ?? [])].some(({ old, isAdopted }) => old === slot && isAdopted);
  }

  /** An event of the topic `reload`. */
  note(data: unknown): void {
    const told = data as Told;
    switch (told.state) {
      case 'begun':
        if (this.#running) this.#break(`${told.opId} begins while ${this.#running.opId} goes on`);
        this.#running = { opId: told.opId, kind: told.kind, pairs: new Map() };
        return;
      case 'replacing':
        this.#begin(told);
        return;
      case 'adopted': {
        const pair = this.#running?.pairs.get(told.by);
        if (pair) pair.isAdopted = true;
        else this.#break(`slot ${told.by} was adopted and is no replacement`);
        return;
      }
      case 'over':
        this.#running?.pairs.delete(told.by);
        return;
      case 'done':
      case 'failed':
        this.#end(told);
    }
  }

  /** The process of a slot asked to be replaced where it is: its drain, told next, belongs to no rollout. */
  recycled(slot: number): void {
    this.#recycled = slot;
  }

  /** A process was told to drain. */
  draining(slot: number): void {
    const isRecycled = this.#recycled === slot;
    this.#recycled = undefined;
    if (isRecycled) return;
    const pair = [...(this.#running?.pairs.values() ?? [])].find(({ old }) => old === slot);
    if (pair?.order === 'surge' && !pair.isAdopted) this.#break(`slot ${slot} drains before slot ${pair.by} was adopted in its place`);
  }

  #begin({ slot, by, order }: Told): void {
    const running = this.#running;
    if (!running) {
      this.#break(`slot ${slot} is replaced and nothing goes on`);
      return;
    }
    running.pairs.set(by, { old: slot, by, order, isAdopted: false });
    const { surge, unavailable } = this.#orders.get(running.opId) ?? RECYCLE;
    if (this.#count('surge') > surge || this.#count('in place') > unavailable) this.#break(`${running.opId} replaces too many at a time`);
  }

  #end({ opId, kind, state, replaced }: Told): void {
    if (this.#running?.opId !== opId) this.#break(`${opId} ends and did not go on`);
    if (this.#running && this.#running.pairs.size > 0) this.#break(`${opId} ends with a replacement under way`);
    this.#running = undefined;
    if (kind === 'reload' && state === 'done') this.isMixed = false;
    if (kind === 'reload' && state === 'failed' && replaced.length > 0) this.isMixed = true;
  }

  #count(order: Pair['order']): number {
    return [...(this.#running?.pairs.values() ?? [])].filter((pair) => pair.order === order).length;
  }

  #break(rule: string): void {
    this.broken ??= rule;
  }
}
