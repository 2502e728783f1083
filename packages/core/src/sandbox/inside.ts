import { encodeValue } from './encode-value.js';
import { loadFunction } from './load-function.js';
import type { SandboxPort } from './port.js';
import { MAX_VALUE_BYTES, type ToSandbox } from './protocol.js';
import { RemoteCalls } from './remote-commands.js';
import { SandboxedJob, type SandboxedJobProcessor } from './sandboxed-job.js';
import { decodeThrown, encodeThrown } from './thrown.js';

/** The inner side of a sandbox: owns the loaded processor, and the abort controller of the run under way. */
export class Inside {
  readonly #calls: RemoteCalls;
  #processor: SandboxedJobProcessor | undefined;
  #run: { readonly number: number; readonly controller: AbortController } | undefined;
  #isStopping = false;

  /** @param exit ends this process or thread. */
  constructor(
    private readonly port: SandboxPort,
    private readonly exit: () => void,
  ) {
    this.#calls = new RemoteCalls(port);
  }

  listen(): void {
    this.port.listen((message) => this.#on(message));
  }

  /** Ends when the run under way has ended and its outcome has left. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#run) void this.port.flushed().then(this.exit);
  }

  #on(message: ToSandbox): void {
    switch (message.type) {
      case 'load':
        void this.#load(message.url);
        break;
      case 'start':
        void this.#start(message);
        break;
      case 'cancel':
        if (this.#run?.number === message.run) this.#run.controller.abort(decodeThrown(message.reason));
        this.port.send({ type: 'cancelled', run: message.run });
        break;
      case 'reply':
        this.#calls.answered(message);
        break;
      case 'stop':
        this.stop();
        break;
    }
  }

  async #load(url: string): Promise<void> {
    try {
      this.#processor = await loadFunction(url);
      this.port.send({ type: 'loaded' });
    } catch (error) {
      this.port.send({ type: 'not-loaded', thrown: encodeThrown(error) });
    }
  }

  async #start(message: Extract<ToSandbox, { type: 'start' }>): Promise<void> {
    const { run } = message;
    if (this.#isStopping) return; // never started: its worker gives it to another sandbox when this one has ended
    const controller = new AbortController();
    this.#run = { number: run, controller };
    this.port.send({ type: 'started', run });
    const job = new SandboxedJob(message, this.#calls.commandsOf(run), () => this.port.send({ type: 'discarded', run }));
    try {
      const returned = await (this.#processor as SandboxedJobProcessor)(job, message.token, controller.signal);
      const value = encodeValue(`the result of job ${job.id}`, returned, MAX_VALUE_BYTES);
      this.port.send({ type: 'done', run, value });
    } catch (error) {
      this.port.send({ type: 'threw', run, thrown: encodeThrown(error) });
    }
    this.#run = undefined;
    if (this.#isStopping) this.stop();
  }
}
