import { ControlClient, ControlFailure } from '@drover/cluster/protocol';
import type { Call, CommonArgs } from './commands/command.js';
import { UsageError } from './exit-codes.js';

/** Time for an answer, where nothing else was asked for. */
const ANSWER_MS = 10_000;

/** Which cluster is meant. */
export interface Where {
  readonly name: string;
  readonly socket: string | undefined;
}

/** Flags beat the environment, and a name that was typed beats a socket that was not. */
export function whereOf({ name, socket }: Pick<CommonArgs, 'name' | 'socket'>, env: NodeJS.ProcessEnv): Where {
  const chosen = socket ?? (name === undefined ? env.DROVER_CONTROL_SOCKET : undefined);
  return { name: name ?? (env.DROVER_NAME || 'drover'), socket: chosen || undefined };
}

/** Connects to the cluster that is meant, lets `use` speak to it, and hangs up. `answerMs` is the time for a plain answer. */
export async function withPrimary<T>(call: Call, use: (client: ControlClient, answerMs: number) => Promise<T>): Promise<T> {
  const answerMs = call.timeoutMs ?? ANSWER_MS;
  const client = await connect(whereOf(call.args, call.env), answerMs);
  try {
    return await use(client, answerMs);
  } finally {
    client.close();
  }
}

/** @throws ControlFailure PEER_GONE there is none, with what to do; FORBIDDEN it is not ours. UsageError no such place can exist. */
async function connect({ name, socket }: Where, timeoutMs: number): Promise<ControlClient> {
  try {
    return await ControlClient.connect(socket === undefined ? { name } : { socket }, { timeoutMs });
  } catch (error) {
    if (!(error instanceof ControlFailure)) throw error;
    if (error.code === 'BAD_REQUEST') throw new UsageError(error.message);
    if (error.code !== 'PEER_GONE') throw error;
    const problem = socket === undefined ? `no primary named "${name}" is running` : error.message;
    throw new ControlFailure('PEER_GONE', `${problem}; start one with "drover start", or point to another with --name or --socket`);
  }
}
