/** A clock that stands still for all of this process, Drover and BullMQ alike: what both write at "now" is equal to the millisecond. */
import { atEnd } from './at-end.js';

export class StillClock {
  constructor(public now: number) {
    const real = globalThis.Date;
    const read = (): number => this.now;
    globalThis.Date = class extends real {
      constructor(...given: [] | [number | string | Date]) {
        super(given.length === 0 ? read() : given[0]);
      }
      static override [Symbol.hasInstance](value: unknown): boolean {
        return value instanceof real;
      }
      static override now(): number {
        return read();
      }
    } as DateConstructor;
    atEnd(() => {
      globalThis.Date = real;
    });
  }

  pass(ms: number): void {
    this.now += ms;
  }
}
