import type { HealthConfig } from '../../packages/cluster/dist/config/resolved.js';
import { LoopWatch } from '../../packages/cluster/dist/host/loop-watch.js';
import type { HostWatchdog } from '../../packages/cluster/dist/host/watchdog.js';
import type { SimClock } from './clock.js';

const LOOK_MS = 100;

/** The watchdog thread of one simulated process: the real rules. It looks only while there may be something to see. */
export class SimWatchdog implements HostWatchdog {
  isReady = false;
  isOrphan = false;
  #health: HealthConfig | undefined;
  #watch: LoopWatch | undefined;
  #beats = 0;
  #isLooking = false;
  #isOver = false;

  /** @param kill ends the process. */
  constructor(
    private readonly clock: SimClock,
    private readonly kill: (reason: string) => void,
    private readonly isMoving: () => boolean,
  ) {}

  start(health: HealthConfig): void {
    this.#health = health;
    this.refresh();
  }

  arm(): void {
    this.refresh();
    this.isReady = true;
  }

  /** The loop has been moving up to now. */
  refresh(): void {
    if (this.#health) this.#watch = new LoopWatch(this.#health, this.clock.monotonic());
    this.moved();
  }

  /** The loop moves again. */
  moved(): void {
    this.#beats++;
    this.#look();
  }

  /** Looks again and again, until the process ends. */
  lookOn(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#again();
  }

  end(): void {
    this.#isOver = true;
  }

  #again(): void {
    const isMoving = this.isMoving();
    if (isMoving) this.#beats++;
    this.#look();
    this.#isLooking = !this.#isOver && (!isMoving || this.isOrphan);
    if (this.#isLooking) this.clock.setTimer(() => this.#again(), LOOK_MS);
  }

  #look(): void {
    if (!this.#watch || this.#isOver) return;
    const { isReady, isOrphan } = this;
    const verdict = this.#watch.look({ now: this.clock.monotonic(), beats: this.#beats, isReady, isOrphan });
    if (verdict.do === 'kill') this.kill(verdict.reason);
  }
}
