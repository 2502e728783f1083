import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchReport } from '@drover/cli/bench';
import type { TargetRow } from '../targets.js';
import { CHARTS, renderChart } from './charts.js';
import { renderPage } from './page.js';

/** Writes docs/benchmarks.md and docs/benchmarks/*.svg below `root`, by default the working directory: `npm run bench` runs in the root. */
export function writePages(report: BenchReport & { readonly targets: readonly TargetRow[] }, root = process.cwd()): void {
  const folder = join(root, 'docs', 'benchmarks');
  mkdirSync(folder, { recursive: true });
  const charts = CHARTS.filter((spec) => {
    const svg = renderChart(spec, report);
    if (svg !== undefined) writeFileSync(join(folder, spec.file), `${svg.trimEnd()}\n`);
    return svg !== undefined;
  });
  writeFileSync(join(root, 'docs', 'benchmarks.md'), renderPage(report, charts));
}
