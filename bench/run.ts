/**
 * `npm run bench`: Drover, the stock client and the ceiling take turns on one Redis; every target with what came of it.
 * The harness is packages/cli/src/bench; here are the parts that only this project can run.
 */
import { bullmqEngine, droverEngine, type EngineRef, renderTables, runBench } from '@drover/cli/bench';
import { parseArguments, USAGE } from './arguments.js';
import { checkQueue } from './check-queue.js';
import { renderTargets } from './report/targets-table.js';
import { writePages } from './report/write-pages.js';
import { judge } from './targets.js';

const BROKEN = 1;
const USAGE_ERROR = 64;

function allEngines(): EngineRef[] {
  const drover = droverEngine();
  const bullmq = bullmqEngine(import.meta.filename, 'bullmq-v6');
  if (!bullmq) throw new Error('the stock client is not installed; run the bench with "npm run bench"');
  const ceiling = { name: 'ceiling', version: drover.version, module: new URL('./engines/ceiling.js', import.meta.url).href, options: {} };
  return [drover, bullmq, ceiling];
}

function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
}

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    console.log(USAGE);
    return 0;
  }
  let args: ReturnType<typeof parseArguments>;
  try {
    args = parseArguments(argv);
  } catch (error) {
    console.error((error as Error).message);
    return USAGE_ERROR;
  }
  const { rounds, sizes, workloads } = args;
  const target = { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', prefix: 'bench' };
  const interrupted = new AbortController();
  process.on('SIGINT', () => interrupted.abort());
  const { signal } = interrupted;
  const plan = { target, engines: allEngines(), workloads, rounds, sizes, check: checkQueue, signal, onProgress: showProgress };
  const measured = await runBench(plan);
  showProgress('');
  const report = { ...measured, targets: judge(measured) };
  if (args.isJson) console.log(JSON.stringify(report));
  else console.log(`${renderTables(report)}\n${renderTargets(report.targets)}`);
  if (args.isWritten) writePages(report);
  return report.broken.length > 0 ? BROKEN : 0;
}

process.exitCode = await main(process.argv.slice(2));
