import { createRequire } from 'node:module';
import { didYouMean } from '@drover/core/kit';
import yargs, { type Argv } from 'yargs';
import type { Args, CliCommand, CommonArgs } from './commands/command.js';
import { UsageError } from './exit-codes.js';
import { HELP } from './help.js';
import { quote } from './values.js';

/** What was typed: a command with its arguments, or a text that was asked for (help, the version). */
export type Invocation =
  | { readonly kind: 'command'; readonly command: CliCommand; readonly args: Args & CommonArgs }
  | { readonly kind: 'text'; readonly text: string };

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Numbers are judged by our own parsers, whose messages name the value. */
const PARSER = { 'parse-numbers': false, 'parse-positional-numbers': false, 'duplicate-arguments-array': false, 'dot-notation': false };

/** Stands for the first page, whose indentation yargs would take away. */
const HELP_MARK = '(help)';

/** Options with a value that may not be empty. */
const NEVER_EMPTY = ['name', 'socket', 'timeout', 'group', 'config', 'queue', 'redis', 'prefix', 'workloads'];

/** @throws UsageError one line that names the value and the fix */
export async function parseArgs(argv: readonly string[], commands: readonly CliCommand[]): Promise<Invocation> {
  let chosen: { readonly command: CliCommand; readonly args: Args & CommonArgs } | undefined;
  let text = '';
  let problem: string | undefined;
  const parser = withCommonOptions(yargs().scriptName('drover').usage(HELP_MARK).parserConfiguration(PARSER));
  for (const command of commands) {
    parser.command([`${command.verb} ${command.positionals}`.trim(), ...command.aliases], false, command.build, (args) => {
      chosen = { command, args: args as unknown as Args & CommonArgs };
    });
  }
  const rest = await parser.parseAsync([...argv], {}, (error: Error | undefined, _args: unknown, output: string) => {
    problem = error?.message;
    text = output.replace(HELP_MARK, () => HELP);
  });
  if (problem !== undefined) throw new UsageError(explain(problem, parser));
  if (text !== '') return { kind: 'text', text };
  if (!chosen) throw new UsageError(unknownCommand(rest._[0], commands));
  checkWords(chosen.command, chosen.args);
  return { kind: 'command', ...chosen };
}

/** Whether errors have to be a document, known before anything is parsed. */
export function asksForJson(argv: readonly string[]): boolean {
  return argv.some((word) => word === '--json' || /^-[a-z]*j[a-z]*$/.test(word));
}

function withCommonOptions(parser: Argv): Argv {
  return parser
    .option('name', { type: 'string', requiresArg: true, describe: 'the cluster that is meant (else DROVER_NAME, else "drover")' })
    .option('socket', { alias: 's', type: 'string', requiresArg: true, describe: 'its control socket, instead of its name' })
    .option('json', { alias: 'j', type: 'boolean', default: false, describe: 'print one JSON document, also for an error' })
    .option('wait', { type: 'boolean', describe: 'wait until it is done (the default); --no-wait: until it is accepted' })
    .option('timeout', { type: 'string', requiresArg: true, describe: 'wait no longer than this, e.g. 30s; what was begun goes on' })
    .option('color', { type: 'boolean', default: true, describe: 'colour on a terminal; off with --no-color or NO_COLOR' })
    .help('help', 'show this, or the help of a command')
    .alias('help', 'h')
    .version('version', 'show the version', version)
    .locale('en')
    .wrap(110)
    .strictOptions()
    .showHelpOnFail(false)
    .exitProcess(false);
}

/** What yargs complains of, in our words. */
function explain(problem: string, parser: Argv): string {
  const unknown = /^Unknown arguments?: ([^,]+)/.exec(problem)?.[1];
  if (unknown !== undefined) {
    const known = Object.keys((parser as unknown as { getOptions(): { key: Record<string, unknown> } }).getOptions().key);
    const meant = unknown.length > 1 ? didYouMean(unknown, known) : undefined;
    return `unknown option ${dashed(unknown)}; ${meant ? `did you mean ${dashed(meant)}?` : 'see "drover --help"'}`;
  }
  const bare = /^Not enough arguments following: (.+)/.exec(problem)?.[1];
  if (bare !== undefined) return `option ${dashed(bare)} needs a value`;
  const missing = /^Not enough non-option arguments/.test(problem);
  return missing ? 'an argument is missing; see the command with --help' : (problem.split('\n')[0] ?? problem);
}

function unknownCommand(word: unknown, commands: readonly CliCommand[]): string {
  if (word === undefined) return 'no command given; see "drover --help", or try "drover status"';
  const text = String(word);
  const meant = didYouMean(
    text,
    commands.flatMap(({ verb, aliases }) => [verb, ...aliases]),
  );
  return `unknown command ${quote(text)}; ${meant ? `did you mean "drover ${meant}"?` : `commands: ${commands.map(({ verb }) => verb).join(', ')}`}`;
}

function checkWords({ verb }: CliCommand, args: Args): void {
  const [, ...extra] = args._ as string[];
  if (extra.length > 0) throw new UsageError(`${verb}: ${quote(String(extra[0]))} is one argument too many; see "drover ${verb} --help"`);
  for (const option of NEVER_EMPTY) if (args[option] === '') throw new UsageError(`option --${option} needs a value`);
}

function dashed(option: string): string {
  return option.length === 1 ? `-${option}` : `--${option}`;
}
