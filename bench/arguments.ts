import { parseArgs } from 'node:util';
import { type Sizes, selectWorkloads, type Workload } from '@drover/cli/bench';

/** What was asked for. */
export interface Arguments {
  readonly rounds: number;
  readonly sizes: Sizes;
  readonly workloads: readonly Workload[];
  readonly isJson: boolean;
  readonly isWritten: boolean;
}

export const USAGE = `npm run bench -- [options]

  --workloads a,b     rows or groups: process, add, latency, idle, start; default all
  --rounds 5          how often each engine does each workload
  --jobs 50000        jobs of a throughput workload
  --seconds 10        how long a steady rate is held
  --idle-scale 1      multiplies the numbers of idle workers
  --round-trip 200    ms, of the slow line that round trips are counted on
  --fleet 16          idle processes that a burst wakes
  --settle 500        ms until what a start leaves behind is done
  --json              print one document
  --write             write docs/benchmarks.md and its charts`;

/** @throws RangeError, or TypeError for an unknown option: one line that names it */
export function parseArguments(argv: readonly string[]): Arguments {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      workloads: text(''),
      rounds: text('5'),
      jobs: text('50000'),
      seconds: text('10'),
      'idle-scale': text('1'),
      'round-trip': text('200'),
      fleet: text('16'),
      settle: text('500'),
      json: flag,
      write: flag,
    },
  });
  return {
    rounds: whole('--rounds', values.rounds),
    sizes: {
      jobs: whole('--jobs', values.jobs),
      seconds: above0('--seconds', values.seconds),
      idleScale: above0('--idle-scale', values['idle-scale']),
      fleet: whole('--fleet', values.fleet),
      settleMs: above0('--settle', values.settle),
      roundTripMs: above0('--round-trip', values['round-trip']),
    },
    workloads: selectWorkloads(values.workloads.split(',').filter((word) => word !== '')),
    isJson: values.json,
    isWritten: values.write,
  };
}

function whole(name: string, text: string): number {
  const value = above0(name, text);
  if (!Number.isInteger(value)) throw new RangeError(`${name}: must be a whole number, got "${text}"`);
  return value;
}

function above0(name: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new RangeError(`${name}: must be a number above 0, got "${text}"`);
  return value;
}
