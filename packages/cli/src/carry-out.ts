import type { CommandOf, ControlClient, ControlCommand, OperationResult, OperationVerb, Progress, ReplyOf } from '@drover/cluster/protocol';
import type { Call } from './commands/command.js';

/** A command that was accepted, and its end if that was waited for. */
export interface CarriedOut<T extends OperationVerb> {
  readonly reply: ReplyOf<T>;
  readonly result: OperationResult | undefined;
}

/** Sends a command and, unless told otherwise, waits for the end of its operation; a terminal sees how far it is. */
export async function carryOut<T extends OperationVerb>(
  client: ControlClient,
  command: CommandOf<T>,
  { args, output, timeoutMs }: Pick<Call, 'args' | 'output' | 'timeoutMs'>,
): Promise<CarriedOut<T>> {
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  if (args.wait === false) {
    const reply = await client.request(command, timeoutMs === undefined ? {} : { deadlineMs: timeoutMs });
    return { reply: reply as ReplyOf<T>, result: undefined };
  }
  const progress = (step: Progress): void => output.progress(progressLine((command as ControlCommand).type, step));
  return client.run(command, { ...limit, progress });
}

function progressLine(verb: string, { opId, done, total, note }: Progress): string {
  return `${verb} ${opId}: ${done} of ${total}${note ? `, ${note}` : ''}`;
}
