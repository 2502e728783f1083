import type { Job, JobCommands } from '../job/index.js';
import { encodeValue } from './encode-value.js';
import { MAX_VALUE_BYTES, type RemoteMethod } from './protocol.js';

type AnyCommand = (...args: unknown[]) => Promise<unknown>;

/**
 * Carries out a command that the processor of `job` asks for. Data and progress go by way of the job here, so that its worker tells its
 * listeners and shows them what changed.
 * @param args JSON text of the list of arguments.
 * @returns JSON text of what the command resolved with.
 */
export async function serveCall(job: Job, commands: JobCommands, method: RemoteMethod, args: string): Promise<string | undefined> {
  const given = JSON.parse(args) as unknown[];
  const told = { updateData: () => job.updateData(json(given)), updateProgress: () => job.updateProgress(json(given)) };
  const result =
    method === 'updateData' || method === 'updateProgress'
      ? await statusOf(told[method])
      : await (commands as unknown as Record<RemoteMethod, AnyCommand>)[method](...given);
  return encodeValue(`what ${method} answers`, result, MAX_VALUE_BYTES);
}

// biome-ignore lint/suspicious/noExplicitAny: data and progress of any type
function json(given: readonly unknown[]): any {
  return JSON.parse(String(given[1]));
}

/** A refusal as the status that it stands for: the job in the sandbox makes the error of it. */
async function statusOf(command: () => Promise<void>): Promise<number> {
  try {
    await command();
    return 0;
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (typeof code === 'number') return code;
    throw error;
  }
}
