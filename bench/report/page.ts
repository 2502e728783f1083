import { type BenchReport, figureText, machineText, measureWords } from '@drover/cli/bench';
import type { TargetRow } from '../targets.js';
import { verdict } from './targets-table.js';

const SHOWN = ['nodeUs', 'redisUs', 'commandsPerJob', 'rssMb', 'connections'];

/** docs/benchmarks.md. @param charts files that were written, with their titles */
export function renderPage(
  report: BenchReport & { readonly targets: readonly TargetRow[] },
  charts: readonly { file: string; title: string }[],
): string {
  const { machine, engines, rounds, sizes } = report;
  return `${[
    '# Benchmarks',
    'Written by `npm run bench -- --write`; do not edit. All engines take turns on one Redis, each load in processes of its own, jobs of about 100 bytes that do nothing, all events on. Figures are medians, with the lowest and the highest in brackets.',
    'The *ceiling* is not an engine: a bare driver that calls the same scripts in fixed batches, without a processor. CPU of Redis and commands are those of the whole server while the load ran.',
    list([
      machineText(machine),
      Object.entries(engines)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
      `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, ${sizes.jobs.toLocaleString('en')} jobs, steady rates held for ${sizes.seconds} s`,
    ]),
    '## Targets',
    table(
      ['Workload', 'Target', 'Measured', 'Verdict'],
      report.targets.map(({ workload, target, figure, isReached }) => [workload, target, figure ?? '-', verdict(isReached)]),
    ),
    ...charts.map(({ file, title }) => `![${title}](benchmarks/${file})`),
    '## Figures',
    ...report.workloads.map((workload) => `### ${workload.id}\n\n${workload.title}\n\n${figuresOf(workload)}`),
  ].join('\n\n')}\n`;
}

function figuresOf({ engines, ratios }: BenchReport['workloads'][number]): string {
  const measures = [...new Set(Object.values(engines).flatMap((figures) => Object.keys(figures)))];
  const last = (measure: string) => SHOWN.indexOf(measure);
  const sorted = measures.filter((measure) => last(measure) < 0).concat(measures.filter((measure) => last(measure) >= 0));
  const rows = Object.entries(engines).map(([name, figures]) => [
    name,
    ...sorted.map((measure) => (figures[measure] ? figureText(figures[measure], measureWords(measure).digits) : '')),
    ratios[name] === undefined ? '' : `${ratios[name].toFixed(2)}x`,
  ]);
  return table(['Engine', ...sorted.map((measure) => measureWords(measure).heading), 'Drover / it'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}
