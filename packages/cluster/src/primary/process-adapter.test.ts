import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { type Logger, silentLogger, systemClock } from '@drover/core/kit';
import type { ProcessIdentity } from './fork-process.js';
import { ProcessAdapter, type ProcessAdapterDeps } from './process-adapter.js';

/** What a fork returns, by another Node: it has no channel handle where ours looks for it. */
class OtherWorker extends EventEmitter {
  readonly process = Object.assign(new EventEmitter(), { pid: 1, stdio: [], kill: () => setImmediate(() => this.#end()) });
  isConnected(): boolean {
    return true;
  }
  send(): boolean {
    return true;
  }
  #end(): void {
    this.emit('disconnect');
    this.process.emit('exit', null, 'SIGKILL');
  }
}

test('channels that cannot be guarded are one warning, however many processes are forked', async () => {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const nobody = new Proxy({}, { get: () => () => {} }) as ProcessAdapterDeps['listener'];
  const health = { heartbeatMs: 1_000, hangAfterMs: 12_000, bootTimeoutMs: 60_000, orphanDeadlineMs: 10_000, captureStack: false };
  const adapter = new ProcessAdapter({
    clock: systemClock(),
    logger,
    listener: nobody,
    fork: (_: ProcessIdentity) => new OtherWorker() as unknown as Worker,
    init: () => ({ groups: [], health, share: 1 }),
    makeId: () => 'id',
    budget: (_slot, drainMs) => ({ mode: 'drain', drainMs, abortLeadMs: 0, reason: 'stop' }),
  });
  const unwanted = AbortSignal.abort();
  const boots = [0, 1, 2].map((slot) => adapter.start({ slot, generation: 1 }, unwanted));
  for (const boot of boots) await expect(boot).rejects.toThrow('stopped while it booted');
  expect(warnings).toEqual([expect.stringMatching(/^the channels of processes cannot be guarded/)]);
});
