import type { CommandOf } from '@drover/cluster/protocol';
import { carryOut } from '../carry-out.js';
import { withPrimary } from '../connect.js';
import { UsageError } from '../exit-codes.js';
import { plural } from '../render/format.js';
import { parseCountOption, parseDuration } from '../values.js';
import { type Call, type CliCommand, textOf } from './command.js';

type ReplaceCommand = CommandOf<'reload'> | CommandOf<'restart'> | CommandOf<'recycle'>;

export const reload: CliCommand = {
  verb: 'reload',
  aliases: [],
  positionals: '',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover reload\n\nReplaces every process, one after the other, by one that loads your code anew. A new process is ready and on\nprobation before an old one goes; when one fails, the old ones that are left stay and the exit code is 1.',
      )
      .option('canary', { type: 'string', requiresArg: true, describe: 'only the first N new processes are on probation; all if left out' })
      .option('probation', {
        type: 'string',
        requiresArg: true,
        describe: 'how long a new process has to work well, e.g. 30s; 2s if left out',
      })
      .option('surge', { type: 'string', requiresArg: true, describe: 'how many processes more there may be meanwhile; 1 if left out' })
      .option('unavailable', {
        type: 'string',
        requiresArg: true,
        describe: 'how many old processes may go before the new ones are there; 0 if left out, 1 saves the memory of a surplus',
      })
      .example('drover reload --canary 1 --probation 30s', 'watch the first for half a minute, then replace the others'),

  run: (call) => replace(call, reloadCommand(call)),
};

export const restart: CliCommand = {
  verb: 'restart',
  aliases: [],
  positionals: '<slot>',
  build: (parser) =>
    parser
      .usage('Usage: drover restart SLOT\n\nDrains the process of a slot and starts it again; one that was given up gets another chance.')
      .positional('slot', { type: 'string', describe: 'number of the process, as status shows it' })
      .option('now', { type: 'boolean', describe: 'give its jobs in hand back instead of letting them finish' }),

  run: (call) => replace(call, { type: 'restart', slot: slotOf(call) ?? missing(), ...(call.args.now ? { mode: 'now' as const } : {}) }),
};

export const recycle: CliCommand = {
  verb: 'recycle',
  aliases: [],
  positionals: '[slot]',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover recycle [slot]\n\nReplaces one process, or one after the other, by fresh ones. The new one is ready before the old one goes.',
      )
      .positional('slot', { type: 'string', describe: 'number of the process; all if left out' }),

  run: (call) => {
    const slot = slotOf(call);
    return replace(call, { type: 'recycle', ...(slot !== undefined && { slot }) });
  },
};

async function replace(call: Call, command: ReplaceCommand): Promise<number> {
  const { reply, result } = await withPrimary(call, (client) => carryOut<'reload' | 'restart' | 'recycle'>(client, command, call));
  const report = result && 'replaced' in result ? result : undefined;
  const text = (): string =>
    report ? `${command.type}: replaced ${plural(report.replaced.length, 'slot')}` : `${command.type} goes on, as operation ${reply.opId}`;
  call.output.result({ opId: reply.opId, state: result ? 'done' : 'accepted', ...report }, text);
  return 0;
}

function reloadCommand({ args }: Call): CommandOf<'reload'> {
  const probation = textOf(args, 'probation');
  const canary = textOf(args, 'canary');
  const surge = textOf(args, 'surge');
  const unavailable = textOf(args, 'unavailable');
  return {
    type: 'reload',
    ...(canary !== undefined && { canary: parseCountOption('--canary', canary, 0) }),
    ...(unavailable !== undefined && { maxUnavailable: parseCountOption('--unavailable', unavailable, 0) }),
    ...(surge !== undefined && { maxSurge: parseCountOption('--surge', surge, 0) }),
    ...(probation !== undefined && { probationMs: parseDuration('--probation', probation) }),
  };
}

function slotOf({ args }: Call): number | undefined {
  const slot = textOf(args, 'slot');
  return slot === undefined ? undefined : parseCountOption('slot', slot, 0);
}

function missing(): never {
  throw new UsageError('restart: name a slot, e.g. "drover restart 0"');
}
