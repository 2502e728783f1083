import { RestartsDocument } from '@drover/cluster/protocol';
import { withPrimary } from '../connect.js';
import { UsageError } from '../exit-codes.js';
import { renderRestarts } from '../render/restarts.js';
import { parseCountOption } from '../values.js';
import { type CliCommand, textOf } from './command.js';

const WHAT = ['restarts'] as const;

export const show: CliCommand = {
  verb: 'show',
  aliases: [],
  positionals: '[what]',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover show restarts\n\nShows how the processes of each slot ended: the last 20 exits with cause, age of the process, jobs in hand, and the end of its stderr.',
      )
      .positional('what', { type: 'string', describe: 'restarts' })
      .option('slot', { type: 'string', requiresArg: true, describe: 'of one slot only' }),

  async run(call) {
    const what = WHAT.find((each) => each === call.args.what);
    if (!what) throw new UsageError(`show: what? Use "show ${WHAT.join('", "show ')}"`);
    const slot = textOf(call.args, 'slot');
    const command = { type: 'show', what, ...(slot !== undefined && { slot: parseCountOption('--slot', slot, 0) }) } as const;
    const { document } = await withPrimary(call, (client, deadlineMs) => client.request(command, { deadlineMs }));
    const restarts = RestartsDocument.parse(document);
    call.output.result(restarts, () => renderRestarts(restarts, { now: Date.now(), colors: call.output.colors }));
    return 0;
  },
};
