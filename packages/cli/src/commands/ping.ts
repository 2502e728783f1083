import { withPrimary } from '../connect.js';
import { duration } from '../render/format.js';
import type { CliCommand } from './command.js';

export const ping: CliCommand = {
  verb: 'ping',
  aliases: [],
  positionals: '',
  build: (parser) => parser.usage('Usage: drover ping\n\nTells whether the primary answers, and which one it is.'),

  async run(call) {
    const reply = await withPrimary(call, (client, deadlineMs) => client.request({ type: 'ping' }, { deadlineMs }));
    call.output.result(reply, `${reply.name} answers: pid ${reply.pid}, version ${reply.version}, up ${duration(reply.uptimeMs)}`);
    return 0;
  },
};
