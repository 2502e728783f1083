/** The channel between the primary and one simulated process, and what the primary holds of it: the shape of a `cluster.Worker`. */
import { EventEmitter } from 'node:events';
import { type Port, PortClosedError } from '../../packages/cluster/dist/link/index.js';
import type { ProgramClock, SimClock } from './clock.js';
import type { Random } from './random.js';

/** What the sender's end of one direction needs to know. */
interface Direction {
  /** Instant of the latest delivery: messages keep their order. */
  lastAt: number;
}

/** What may happen to messages, until the channel breaks because of it. */
export interface Unreliable {
  readonly lose: number;
  readonly reorder: number;
}

const RELIABLE: Unreliable = { lose: 0, reorder: 0 };

/**
 * Both directions of a channel. Messages arrive late, in order, and also after the sender has died; those sent to a dead process do not.
 * While `unreliable` is set some are lost or overtake others. No channel of Node does that without breaking soon: nor does this one.
 */
export class SimChannel {
  unreliable: Unreliable = RELIABLE;
  maxLatencyMs = 3;
  readonly down: Direction = { lastAt: 0 };
  readonly up: Direction = { lastAt: 0 };
  readonly child: SimChild;
  readonly port: HostPort;
  isOpen = true;

  constructor(
    readonly clock: SimClock,
    readonly random: Random,
    readonly primary: ProgramClock,
    readonly host: ProgramClock,
    pid: number | undefined,
    kill: (signal: NodeJS.Signals) => void,
  ) {
    this.child = new SimChild(this, pid, kill);
    this.port = new HostPort(this);
  }

  carry(direction: Direction, deliver: () => void): void {
    if (this.random.chance(this.unreliable.lose)) return;
    const now = this.clock.monotonic();
    const latencyMs = this.random.int(0, this.maxLatencyMs);
    const overtakes = this.random.chance(this.unreliable.reorder);
    const at = overtakes ? now + latencyMs * 20 : Math.max(now + latencyMs, direction.lastAt);
    if (!overtakes) direction.lastAt = at;
    this.clock.setTimer(deliver, at - now);
  }

  /** Closes both ends. The primary hears of it when everything that was sent to it has arrived. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.clock.setTimer(() => this.host.run(() => this.port.closed()), this.random.int(0, 3));
    const left = Math.max(0, this.up.lastAt - this.clock.monotonic());
    this.clock.setTimer(() => this.primary.run(() => this.child.disconnected()), left + this.random.int(0, 3));
  }
}

/** What `cluster.fork` returns, as far as the primary uses it. */
export class SimChild extends EventEmitter {
  connected = true;
  readonly stdout: EventEmitter;
  readonly stderr: EventEmitter;
  /** What the watchdog says. */
  readonly report = new EventEmitter();
  readonly stdio: readonly (EventEmitter | null)[];

  constructor(
    private readonly channel: SimChannel,
    /** Undefined: it could not be made. */
    readonly pid: number | undefined,
    private readonly onKill: (signal: NodeJS.Signals) => void,
  ) {
    super();
    this.stdout = new EventEmitter();
    this.stderr = new EventEmitter();
    this.stdio = [null, this.stdout, this.stderr, null, this.report];
  }

  send(message: unknown, callback: (error: Error | null) => void): boolean {
    queueMicrotask(() => callback(this.channel.isOpen ? null : new Error('write EPIPE')));
    if (this.channel.isOpen) this.channel.carry(this.channel.down, () => this.channel.host.run(() => this.channel.port.deliver(message)));
    return true;
  }

  kill(signal: NodeJS.Signals): boolean {
    this.onKill(signal);
    return true;
  }

  disconnected(): void {
    this.connected = false;
    this.emit('disconnect');
  }
}

/** The process's end. */
export class HostPort implements Port {
  readonly #messageListeners: ((message: unknown) => void)[] = [];
  readonly #closeListeners: (() => void)[] = [];
  #isOpen = true;

  constructor(private readonly channel: SimChannel) {}

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async send(message: unknown): Promise<void> {
    if (!this.#isOpen) throw new PortClosedError();
    const { channel } = this;
    if (channel.isOpen) channel.carry(channel.up, () => channel.primary.run(() => channel.child.emit('message', message)));
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#messageListeners.push(listener);
  }

  onClose(listener: () => void): void {
    if (this.#isOpen) this.#closeListeners.push(listener);
    else listener();
  }

  deliver(message: unknown): void {
    for (const listener of this.#messageListeners) listener(message);
  }

  closed(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const listener of this.#closeListeners) listener();
  }
}
