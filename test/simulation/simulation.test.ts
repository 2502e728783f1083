/**
 * The primary and its hosts under random commands and faults, on a virtual clock. See README.md.
 *
 *     SIM_RUNS=200000   more runs          SIM_SEED=4711   one run again, with its trace          SIM_FIRST=1000000   other seeds
 */
import { type Outcome, SimulationError, simulate } from './simulation.js';

const RUNS = Number(process.env.SIM_RUNS ?? 3_000);
const FIRST = Number(process.env.SIM_FIRST ?? 1);
const SEED = process.env.SIM_SEED;
const LAST_LINES = 80;

/** Runs a seed again with a trace, and says how to do that by hand. */
async function explain(seed: number): Promise<never> {
  try {
    await simulate(seed, true);
  } catch (error) {
    if (!(error instanceof SimulationError)) throw error;
    const lines = SEED === undefined ? error.trace.slice(-LAST_LINES) : error.trace;
    throw new Error(
      `${error.message}\nrun it again: SIM_SEED=${seed} npx jest -c test/jest.config.js test/simulation\n${lines.join('\n')}`,
      {
        cause: error,
      },
    );
  }
  throw new Error(`seed ${seed} was red, and green when it was run again: something in the run does not follow from the seed`);
}

async function run(seed: number): Promise<Outcome> {
  try {
    return await simulate(seed);
  } catch (error) {
    if (error instanceof SimulationError) return explain(seed);
    throw error;
  }
}

if (SEED !== undefined) {
  test(`seed ${SEED} holds`, async () => {
    await explain(Number(SEED)).catch((error: Error) => {
      if (!error.message.includes('was red, and green')) throw error;
    });
  });
} else {
  test(`${RUNS} runs hold`, async () => {
    const total = { steps: 0, forks: 0, restarts: 0, operations: 0, gaveUp: 0 };
    for (let seed = FIRST; seed < FIRST + RUNS; seed++) {
      const outcome = await run(seed);
      for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += Number(outcome[key]);
    }
    console.log(`seeds ${FIRST} to ${FIRST + RUNS - 1}: ${JSON.stringify(total)}`);
  }, 3_600_000);
}
