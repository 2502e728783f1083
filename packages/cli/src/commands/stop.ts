import type { CommandOf, ControlClient, StopReport } from '@drover/cluster/protocol';
import { carryOut } from '../carry-out.js';
import { withPrimary } from '../connect.js';
import { UsageError } from '../exit-codes.js';
import { plural } from '../render/format.js';
import { parseDuration } from '../values.js';
import { type Call, type CliCommand, textOf } from './command.js';

/** After its last word the primary only closes its doors. */
const GOODBYE_MS = 5_000;

export const stop: CliCommand = {
  verb: 'stop',
  aliases: [],
  positionals: '',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover stop\n\nNo worker takes a new job, jobs in hand finish, then the processes and the primary end.\nWhat is not finished by the deadline goes back to its queue.',
      )
      .option('fast', { type: 'boolean', describe: 'abort the jobs in hand at once, and give back what does not end' })
      .option('now', { type: 'boolean', describe: 'give back every job in hand and exit' })
      .option('deadline', { type: 'string', requiresArg: true, describe: 'time for the jobs in hand, e.g. 60s' })
      .example('drover stop --deadline 60s', 'let jobs take up to a minute'),

  async run(call) {
    const command = commandOf(call);
    const { reply, result } = await withPrimary(call, async (client) => {
      const carried = await carryOut(client, command, call);
      if (carried.result) await hangUp(client);
      return carried;
    });
    const report = result && 'drained' in result ? result : undefined;
    const text = (): string => (report ? sentence(report) : `stopping, as operation ${reply.opId}`);
    call.output.result({ opId: reply.opId, state: result ? 'done' : 'accepted', ...report }, text);
    return 0;
  },
};

function commandOf({ args }: Call): CommandOf<'stop'> {
  if (args.fast && args.now) throw new UsageError('stop: --fast and --now exclude each other; keep one');
  const deadline = textOf(args, 'deadline');
  const mode = args.now ? 'now' : args.fast ? 'fast' : undefined;
  return { type: 'stop', ...(mode && { mode }), ...(deadline !== undefined && { drainMs: parseDuration('--deadline', deadline) }) };
}

/** Waits until the primary has let go of its socket, so that the next one can take its place. */
async function hangUp(client: ControlClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GOODBYE_MS);
  });
  await Promise.race([client.closed, enough]);
  clearTimeout(timer);
}

function sentence({ drained }: StopReport): string {
  const { finished, aborted, returned, lost } = drained;
  return `stopped: ${plural(finished, 'job')} finished, ${aborted} aborted, ${returned.length} returned to the queue, ${lost.length} lost`;
}
