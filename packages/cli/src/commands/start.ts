import { UsageError } from '../exit-codes.js';
import { plural } from '../render/format.js';
import { isConfigFile, parseCountOption, parseRange, parseWorkers, quote } from '../values.js';
import { type Call, type CliCommand, textOf } from './command.js';

type ClusterConfig = import('@drover/cluster').ClusterConfig;
type ConfigFlags = import('@drover/cluster').ConfigFlags;

export const start: CliCommand = {
  verb: 'start',
  aliases: [],
  positionals: '[file]',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover start [config|processor]\n\nRuns a cluster in this terminal until it is stopped (Ctrl-C, SIGTERM, "drover stop"). Without an argument it is\nconfigured by drover.config.js, .mjs or .json in this folder. Flags beat the environment, which beats the file.',
      )
      .positional('file', {
        type: 'string',
        describe: 'a configuration (*.config.js, *.json), or a module whose default export works a job',
      })
      .option('config', { alias: 'c', type: 'string', requiresArg: true, describe: 'the configuration file' })
      .option('queue', { alias: 'q', type: 'string', requiresArg: true, describe: 'the queue to work' })
      .option('workers', { alias: 'w', type: 'string', requiresArg: true, describe: 'how many: a number, or 1x or 2x (per core)' })
      .option('concurrency', { type: 'string', requiresArg: true, describe: 'jobs at a time for each worker' })
      .option('redis', { type: 'string', requiresArg: true, describe: 'where Redis is, as redis://host:port' })
      .option('prefix', { type: 'string', requiresArg: true, describe: 'prefix of the Redis keys ("bull")' })
      .option('processes', { type: 'string', requiresArg: true, describe: 'fewest and most processes, as in 1..4' })
      .option('workers-per-process', { type: 'string', requiresArg: true, describe: 'workers that justify one more process' })
      .option('dry-run', { type: 'boolean', describe: 'check the configuration, show what would run, and end' })
      .example('drover start ./mail.js --queue mail --workers 4', 'work the queue mail with 4 workers')
      .example('drover start cluster.config.mjs --dry-run', 'see what a configuration means'),

  async run({ args, output }) {
    const flags = flagsOf(args);
    const { loadConfig, runPrimary } = await import('@drover/cluster'); // the engine, which no other command needs
    const config = await loadConfig(flags);
    if (!args['dry-run']) return runPrimary({ flags }); // it owns the program from here on, its exit code included
    output.result(withoutSecrets(config), () => describe(config));
    return 0;
  },
};

/** @throws UsageError, InvalidOptionError */
export function flagsOf(args: Call['args']): ConfigFlags {
  const text = (name: string): string | undefined => textOf(args, name);
  const parsed = <T>(name: string, parse: (option: string, value: string) => T): T | undefined => {
    const value = text(name);
    return value === undefined ? undefined : parse(`--${name}`, value);
  };
  const given = {
    ...files(text('file'), text('config')),
    name: args.name,
    socket: args.socket,
    redis: text('redis'),
    prefix: text('prefix'),
    queue: text('queue'),
    workers: parsed('workers', parseWorkers),
    concurrency: parsed('concurrency', (option, value) => parseCountOption(option, value, 1)),
    processes: parsed('processes', parseRange),
    workersPerProcess: parsed('workers-per-process', (option, value) => parseCountOption(option, value, 1)),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** What the argument of `start` is: a configuration by its name, else a processor. */
function files(argument: string | undefined, config: string | undefined): Pick<ConfigFlags, 'file' | 'processor'> {
  if (argument === undefined) return config === undefined ? {} : { file: config };
  if (!isConfigFile(argument)) return { processor: argument, ...(config !== undefined && { file: config }) };
  if (config === undefined) return { file: argument };
  throw new UsageError(`start: two configurations given, ${quote(argument)} and ${quote(config)}; keep one`);
}

function describe({ name, groups, processes, workersPerProcess }: ClusterConfig): string {
  const lines = Object.values(groups).map(
    ({ group, queue, workers, concurrency, module }) =>
      `  ${group}: ${plural(workers, 'worker')} on queue ${queue}, ${plural(concurrency, 'job')} at a time each, ${module.url}`,
  );
  const range = processes.min === processes.max ? String(processes.min) : `${processes.min} to ${processes.max}`;
  return [`${name} would run in ${range} processes, ${plural(workersPerProcess, 'worker')} each before packing:`, ...lines].join('\n');
}

/** Connections are shown as far as they say where, not how to get in. */
export function withoutSecrets(config: ClusterConfig): ClusterConfig {
  const groups = Object.entries(config.groups).map(([name, group]) => [name, { ...group, connection: place(group.connection) }]);
  return { ...config, connection: place(config.connection), groups: Object.fromEntries(groups) };
}

const PUBLIC_KEYS: ReadonlySet<string> = new Set(['host', 'port', 'path', 'db', 'family']);

function place(connection: ClusterConfig['connection']): ClusterConfig['connection'] {
  if (typeof connection !== 'string') return Object.fromEntries(Object.entries(connection).filter(([key]) => PUBLIC_KEYS.has(key)));
  if (!/^(rediss?|valkeys?|unix):\/\//.test(connection) || !URL.canParse(connection)) return connection.replace(/^.*@/, '');
  const url = new URL(connection);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}
