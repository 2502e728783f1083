/**
 * The primary and its hosts under random commands and faults, on a virtual clock. See README.md.
 *
 *     SIM_RUNS=200000   more runs          SIM_SEED=4711   one run again, with its trace          SIM_FIRST=1000000   other seeds
 */
import { fileURLToPath } from 'node:url';
import { startNode } from '../support/process-harness.js';
import type { Row } from './run.js';

const RUN = fileURLToPath(new URL('../dist/run.js', import.meta.url));
const RUNS = Number(process.env.SIM_RUNS ?? 10_000);
const FIRST = Number(process.env.SIM_FIRST ?? 1);
const SEED = process.env.SIM_SEED;
/** Programs that share the seeds. */
const PROGRAMS = 2;
const LAST_LINES = 80;
const LIMIT_MS = Math.max(600_000, RUNS * 60);

async function runRow(first: number, runs: number): Promise<Row> {
  const program = startNode(RUN, [String(first), String(runs)]);
  const { code } = await program.exit(LIMIT_MS);
  if (code !== 0) throw new Error(`the simulation ended with ${code}\n${program.output}`);
  return JSON.parse(program.stdout);
}

/** @throws Error that shows the red run and says how to see it again by hand. */
function explain({ red }: Row, lines: number): void {
  if (!red) return;
  const again = `run it again: SIM_SEED=${red.seed} npx jest -c test/jest.config.js test/simulation`;
  throw new Error(`${red.message}\n${again}\n${red.trace.slice(-lines).join('\n')}`);
}

if (SEED !== undefined) {
  test(`seed ${SEED} holds`, async () => explain(await runRow(Number(SEED), 1), Number.POSITIVE_INFINITY), LIMIT_MS);
} else {
  test(
    `${RUNS} runs hold`,
    async () => {
      const each = Math.ceil(RUNS / PROGRAMS);
      const rows = await Promise.all(
        Array.from({ length: PROGRAMS }, (_, nth) => runRow(FIRST + nth * each, Math.min(each, RUNS - nth * each))),
      );
      for (const row of rows) explain(row, LAST_LINES);
      expect(rows.reduce((sum, { runs }) => sum + runs, 0)).toBe(RUNS);
      for (const { first, runs, total } of rows) console.log(`seeds ${first} to ${first + runs - 1}: ${JSON.stringify(total)}`);
    },
    LIMIT_MS,
  );
}
