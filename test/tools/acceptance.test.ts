/** The table of acceptance scenarios in docs/guarantees.md against the names of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/cli.js';

const ROW = /^\| (\d+) \| .+ \| (\S+\.test\.ts|not yet)(?: \(.+\))? \|$/gm;

/** Every numbered test, as `<number> <file>`. */
function numberedTests(): string[] {
  const files = ['test', 'packages'].flatMap((folder) =>
    (readdirSync(join(ROOT, folder), { recursive: true }) as string[]).map((path) => join(folder, path)),
  );
  const tests = files.filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules') && !path.includes('dist'));
  const found = tests.flatMap((path) =>
    [...readFileSync(join(ROOT, path), 'utf8').matchAll(/'acceptance (\d+): /g)].map(([, number]) => `${number} ${path}`),
  );
  return [...new Set(found)].sort();
}

test('all 24 are in the table, each with the file of its test', () => {
  const rows = [...readFileSync(join(ROOT, 'docs', 'guarantees.md'), 'utf8').matchAll(ROW)];
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 24 }, (_, at) => at + 1));
  const tested = rows.filter(([, , file]) => file !== 'not yet').map(([, number, file]) => `${number} ${file}`);
  expect(tested.sort()).toEqual(numberedTests());
});
