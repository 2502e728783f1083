import { pathToFileURL } from 'node:url';
import { CliExit, UsageError } from '../exit-codes.js';
import { parseCountOption } from '../values.js';
import { type Call, type CliCommand, textOf } from './command.js';

/** What is measured unless something else is asked for: a minute or two. */
const USUAL = 'process-1,process-100,process-500,add,latency-100,start-up';

export const bench: CliCommand = {
  verb: 'bench',
  aliases: [],
  positionals: '',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover bench [options]\n\nMeasures this machine and a Redis of yours: jobs worked and added per second, latency, CPU per job. Where bullmq is\ninstalled in this folder it takes turns with it. The queues have names of their own and are removed afterwards; the CPU\nof Redis is that of the whole server, so figures are best taken where nobody else uses it.',
      )
      .option('redis', { type: 'string', requiresArg: true, describe: 'where Redis is (redis://127.0.0.1:6379)' })
      .option('prefix', { type: 'string', requiresArg: true, describe: 'prefix of the Redis keys ("drover-bench")' })
      .option('workloads', { type: 'string', requiresArg: true, describe: 'which, as in process,add,latency,idle,start or single rows' })
      .option('rounds', { type: 'string', requiresArg: true, describe: 'how often each is done (3)' })
      .option('jobs', { type: 'string', requiresArg: true, describe: 'jobs of a throughput workload (20000)' })
      .option('seconds', { type: 'string', requiresArg: true, describe: 'how long a steady rate is held (5)' })
      .example('drover bench --redis redis://10.0.0.5:6379', 'what a Redis across the network gives'),

  async run({ args, output }) {
    const harness = await import('../bench/index.js'); // the engine, which hardly another command needs
    const count = (name: string, value: number) => parseCountOption(`--${name}`, textOf(args, name) ?? String(value), 1);
    const interrupted = new AbortController();
    const interrupt = () => interrupted.abort();
    process.on('SIGINT', interrupt);
    try {
      const report = await harness.runBench({
        target: { url: textOf(args, 'redis') ?? 'redis://127.0.0.1:6379', prefix: textOf(args, 'prefix') ?? 'drover-bench' },
        engines: [harness.droverEngine(), ...(bullmqHere(harness) ?? [])],
        workloads: select(harness, args),
        rounds: count('rounds', 3),
        sizes: { jobs: count('jobs', 20_000), seconds: count('seconds', 5), idleScale: 1, fleet: 16, settleMs: 500, roundTripMs: 200 },
        signal: interrupted.signal,
        onProgress: (text) => output.progress(text),
      });
      output.result(report, () => harness.renderTables(report));
      return CliExit.ok;
    } finally {
      process.off('SIGINT', interrupt);
    }
  },
};

type Harness = typeof import('../bench/index.js');

/** The stock client as an application in this folder would load it. */
function bullmqHere({ bullmqEngine }: Harness): [ReturnType<Harness['droverEngine']>] | undefined {
  const engine = bullmqEngine(pathToFileURL(`${process.cwd()}/`).href);
  return engine && [engine];
}

function select({ selectWorkloads }: Harness, args: Call['args']) {
  try {
    return selectWorkloads((textOf(args, 'workloads') ?? USUAL).split(',').filter((word) => word !== ''));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--workloads: ${error.message}`);
    throw error;
  }
}
