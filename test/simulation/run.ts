/**
 * Runs of a row of seeds, up to the first red one, as a program of its own: inside of jest's VM they take five times as long, and what they
 * leave behind is never collected.
 *
 *     node test/dist/run.js <first seed> <runs>       prints one JSON document, `Row`
 */
import { type Outcome, SimulationError, simulate } from './simulation.js';

/** What a row of runs came to. */
export interface Row {
  readonly first: number;
  /** Green runs. */
  readonly runs: number;
  readonly total: Readonly<Record<keyof Outcome, number>>;
  /** The first red run, if there was one. */
  readonly red?: { readonly seed: number; readonly message: string; readonly trace: readonly string[] };
}

const [first = 1, runs = 1] = process.argv.slice(2).map(Number);
const FRAMES = Error.stackTraceLimit;

/** The same run once more, with its trace. */
async function explain(seed: number): Promise<NonNullable<Row['red']>> {
  Error.stackTraceLimit = FRAMES;
  try {
    await simulate(seed, true);
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error;
    return { seed, message: error.message, trace: error.trace };
  }
  const message = `seed ${seed} was red, and green when it was run again: something in the run does not follow from the seed`;
  return { seed, message, trace: [] };
}

async function runRow(): Promise<Row> {
  Error.stackTraceLimit = 0; // most errors of a run are part of it, and nobody reads where they come from
  const total = { steps: 0, forks: 0, restarts: 0, operations: 0, gaveUp: 0 };
  for (let seed = first; seed < first + runs; seed++) {
    try {
      const outcome = await simulate(seed);
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += Number(outcome[key]);
    } catch (error) {
      if (!(error instanceof SimulationError)) throw error;
      return { first, runs: seed - first, total, red: await explain(seed) };
    }
    await new Promise(setImmediate); // the event loop has its turn
  }
  return { first, runs, total };
}

console.log(JSON.stringify(await runRow()));
