import { ControlFailure, type OperationStatus } from '@drover/cluster/protocol';
import { carryOut } from '../carry-out.js';
import { withPrimary } from '../connect.js';
import { CliExit, UsageError } from '../exit-codes.js';
import { type CliCommand, textOf } from './command.js';

export const op: CliCommand = {
  verb: 'op',
  aliases: [],
  positionals: '[id]',
  build: (parser) =>
    parser
      .usage(
        'Usage: drover op ID\n\nShows how an operation is going; with --wait, once it has ended. Operations are remembered for 10 minutes.',
      )
      .positional('id', { type: 'string', describe: 'as printed by scale --no-wait, or by a command that timed out' }),

  async run(call) {
    const opId = textOf(call.args, 'id');
    if (!opId) throw new UsageError('op: which operation? Use "op ID"; "drover status" lists them');
    const status = await withPrimary(call, async (client, deadlineMs) => {
      // How it ended is part of its status, so a failure of the operation is not one of the waiting.
      if (call.args.wait) await carryOut(client, { type: 'operation', opId }, call).catch(unlessTheOperationFailed);
      return client.request({ type: 'operation', opId }, { deadlineMs });
    });
    call.output.result(status, sentence(status));
    return status.state === 'failed' ? CliExit.failed : CliExit.ok;
  },
};

/** What broke the waiting itself is thrown on. */
function unlessTheOperationFailed(error: unknown): void {
  const isOfConnection = error instanceof ControlFailure && ['DEADLINE', 'PEER_GONE', 'NOT_FOUND'].includes(error.code);
  if (!(error instanceof ControlFailure) || isOfConnection) throw error;
}

function sentence({ opId, verb, state, done, total, error, supersededBy }: OperationStatus): string {
  const how = state === 'failed' ? `failed: ${error?.message}` : state === 'done' ? 'done' : `${state}, ${done} of ${total}`;
  return `${opId} (${verb}): ${how}${supersededBy ? `; superseded by ${supersededBy}` : ''}`;
}
