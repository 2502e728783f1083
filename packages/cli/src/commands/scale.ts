import { type CommandOf, type ScaleReply, Victim } from '@drover/cluster/protocol';
import { carryOut } from '../carry-out.js';
import { withPrimary } from '../connect.js';
import { UsageError } from '../exit-codes.js';
import { plural } from '../render/format.js';
import { type Change, parseChange, quote } from '../values.js';
import { type Call, type CliCommand, textOf } from './command.js';

export const scale: CliCommand = {
  verb: 'scale',
  aliases: [],
  positionals: '[size] [count]',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover scale N | up [n] | down [n]\n\nSets how many workers a group has. A worker that has to go takes no new job and finishes the ones it has;\nwhat is beyond the limits of the group is cut to them, and said.',
      )
      .positional('size', { type: 'string', describe: 'the number of workers to have, or "up" or "down"' })
      .positional('count', { type: 'string', describe: 'how many more or less; 1 if left out' })
      .option('group', { alias: 'g', type: 'string', requiresArg: true, describe: 'which group; may be left out if there is one' })
      .option('victim', { type: 'string', requiresArg: true, describe: 'who goes first: oldest (the default), youngest or idle' })
      .example('drover scale 6', 'have 6 workers')
      .example('drover scale down 2 --victim idle', 'let the two that have least to do go'),

  async run(call) {
    const command = commandOf(call);
    const { reply, result } = await withPrimary(call, (client) => carryOut(client, command, call));
    const final: ScaleReply = result && 'desired' in result ? result : reply;
    const state = result ? 'done' : 'accepted';
    call.output.result({ ...reply, desired: final.desired, state }, sentence(reply, final.desired, state));
    return 0;
  },
};

type ScaleCommand = CommandOf<'scale_up'> | CommandOf<'scale_down'> | CommandOf<'scale_to'>;

function commandOf({ args }: Call): ScaleCommand {
  const change = parseChange(textOf(args, 'size'), textOf(args, 'count'));
  const group = textOf(args, 'group');
  const victim = parseVictim(textOf(args, 'victim'), change);
  const base = group === undefined ? {} : { group };
  if (change.verb === 'scale_up') return { type: 'scale_up', count: change.count, ...base };
  return { type: change.verb, count: change.count, ...base, ...(victim && { victim }) };
}

function parseVictim(text: string | undefined, { verb }: Change): Victim | undefined {
  if (text === undefined) return undefined;
  if (verb === 'scale_up') throw new UsageError('scale up: nobody has to go, so --victim means nothing here; leave it out');
  const parsed = Victim.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--victim: must be ${Victim.options.join(', ')}, got ${quote(text)}`);
}

function sentence(reply: ScaleReply, desired: number, state: 'done' | 'accepted'): string {
  const now =
    state === 'done'
      ? `${reply.group}: ${plural(desired, 'worker')}`
      : `${reply.group}: on the way to ${plural(desired, 'worker')}, as operation ${reply.opId}`;
  return `${now}${clampNote(reply)}`;
}

/** Why fewer or more were taken than asked for. */
function clampNote({ requested, applied, reason }: ScaleReply): string {
  if (reason === undefined) return '';
  const limit = { at_min: "the group's minimum", at_max: "the group's maximum", hard_ceiling: 'the hard ceiling (maxWorkersHard)' }[reason];
  return `; ${requested} asked for, ${applied} applied: that is ${limit}`;
}
