import type { ControlClient, ListReply, ProcessStatus, StatusReply } from '@drover/cluster/protocol';
import { withPrimary } from '../connect.js';
import { renderStatus } from '../render/status.js';
import type { CliCommand } from './command.js';

/** As many processes as one `status` carries; beyond that they are listed by page. */
const PROCESSES_IN_STATUS = 50;

export const status: CliCommand = {
  verb: 'status',
  aliases: ['ps', 'ls'],
  positionals: '',
  build: (parser) =>
    parser.usage(
      'Usage: drover status\n\nShows the groups with their workers, the processes with the workers that each hosts, and the latest operations.',
    ),

  async run(call) {
    const reply = await withPrimary(call, readStatus);
    call.output.result(reply, () => renderStatus(reply, { now: Date.now(), width: call.output.width, colors: call.output.colors }));
    return 0;
  },
};

async function readStatus(client: ControlClient, deadlineMs: number): Promise<StatusReply> {
  const reply = await client.request({ type: 'status' }, { deadlineMs });
  if (reply.processes.length < PROCESSES_IN_STATUS) return reply;
  const processes: ProcessStatus[] = [];
  let after: string | undefined;
  do {
    const page: ListReply = await client.request(
      { type: 'list', what: 'processes', ...(after !== undefined && { after }) },
      { deadlineMs },
    );
    for (const item of page.items) if ('incarnation' in item) processes.push(item);
    after = page.next;
  } while (after !== undefined);
  return { ...reply, processes };
}
