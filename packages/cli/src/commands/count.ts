import { withPrimary } from '../connect.js';
import { type CliCommand, textOf } from './command.js';

export const count: CliCommand = {
  verb: 'count',
  aliases: [],
  positionals: '',
  build: (parser) =>
    parser
      .usage('Usage: drover count\n\nPrints how many workers run or are starting; those that are draining or parked are not counted.')
      .option('group', { alias: 'g', type: 'string', requiresArg: true, describe: 'of one group only' }),

  async run(call) {
    const group = textOf(call.args, 'group');
    const command = { type: 'worker_count', ...(group !== undefined && { group }) } as const;
    const reply = await withPrimary(call, (client, deadlineMs) => client.request(command, { deadlineMs }));
    call.output.result(reply, String(reply.count));
    return 0;
  },
};
