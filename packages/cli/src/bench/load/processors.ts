import { setTimeout as sleep } from 'node:timers/promises';
import type { Work } from './protocol.js';

/** A processor, and the way to end jobs that wait for somebody. */
export interface LoadProcessor {
  process(): Promise<string>;
  /** Held jobs end, and so do those that come later, at once. */
  release(): void;
}

/** @param random 0 <= x < 1: which job ends next. */
export function makeProcessor(work: Work, random: () => number = Math.random): LoadProcessor {
  switch (work.kind) {
    case 'instant':
      return { process: async () => 'ok', release: () => {} };
    case 'timer':
      return { process: () => sleep(work.ms, 'ok'), release: () => {} };
    case 'held':
      return held();
    case 'random-order':
      return randomOrder(work.active, work.jobs, random);
  }
}

function held(): LoadProcessor {
  const waiting: (() => void)[] = [];
  let isReleased = false;
  return {
    process: () => (isReleased ? Promise.resolve('ok') : new Promise((resolve) => waiting.push(() => resolve('ok')))),
    release: () => {
      isReleased = true;
      for (const end of waiting.splice(0)) end();
    },
  };
}

/** As many as are ended at once, at most: a batch of the engine. */
const SLACK = 200;

/**
 * Keeps the places full, less one batch: what comes in above that makes as many jobs end, chosen at random. When all jobs have come,
 * the rest ends, at random too.
 */
function randomOrder(active: number, jobs: number, random: () => number): LoadProcessor {
  const waiting: (() => void)[] = [];
  const floor = Math.max(1, active - Math.min(SLACK, Math.ceil(active / 2)));
  let left = jobs;
  let isDue = false;
  const endOne = () => {
    const at = Math.floor(random() * waiting.length);
    const end = waiting[at] as () => void;
    const last = waiting.pop() as () => void;
    if (at < waiting.length) waiting[at] = last;
    end();
  };
  const settle = () => {
    isDue = false;
    const keep = left > 0 ? floor : 0;
    while (waiting.length > keep) endOne();
  };
  return {
    process: () => {
      left--;
      return new Promise((resolve) => {
        waiting.push(() => resolve('ok'));
        if (isDue) return;
        isDue = true;
        setImmediate(settle);
      });
    },
    release: () => {
      left = 0;
      settle();
    },
  };
}
