import type { Logger } from '@drover/core/kit';
import { ControlFailure, type StopMode } from '../protocol/index.js';

/** What a signal asks for. `interrupts` counts SIGINTs, this one included. */
export type SignalAction =
  | { readonly do: 'stop'; readonly mode: StopMode }
  | { readonly do: 'scale'; readonly by: 1 | -1 }
  | { readonly do: 'reload' }
  | { readonly do: 'ignore'; readonly because: string };

export type HandledSignal = (typeof HANDLED)[number];

/** SIGUSR1 is not among them: Node opens the inspector on it. */
const HANDLED = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGUSR2'] as const;
/**
 * On a terminal these keep the kernel's meaning, which is to stop the program until `fg`. A handler for SIGTTOU would be worse than none: a
 * write that the terminal refuses to the background (`stty tostop`) is begun again after each handler, for ever.
 */
const LEFT_TO_TERMINAL: readonly HandledSignal[] = ['SIGTSTP', 'SIGTTOU'];
const MODES: readonly StopMode[] = ['drain', 'fast', 'now'];

/** The table of control-plane section 12. @param isTty stdin or stdout is a terminal. */
export function decideSignal(signal: HandledSignal, interrupts: number, isTty: boolean): SignalAction {
  switch (signal) {
    case 'SIGTERM':
      return { do: 'stop', mode: 'drain' };
    case 'SIGINT':
      return { do: 'stop', mode: MODES[Math.min(interrupts, MODES.length) - 1] ?? 'drain' };
    case 'SIGQUIT':
      return { do: 'stop', mode: 'fast' };
    case 'SIGHUP':
      return isTty ? { do: 'stop', mode: 'drain' } : { do: 'ignore', because: 'the configuration is read at start only' };
    case 'SIGTSTP':
      return { do: 'ignore', because: 'fetching cannot be paused by a signal' };
    case 'SIGTTIN':
    case 'SIGTTOU':
      if (isTty) return { do: 'ignore', because: 'on a terminal the kernel sends it, too' };
      return { do: 'scale', by: signal === 'SIGTTIN' ? 1 : -1 };
    case 'SIGUSR2':
      return { do: 'reload' };
  }
}

/** The signals that get a handler. @param isTty stdin or stdout is a terminal. */
export function handledSignals(isTty: boolean): readonly HandledSignal[] {
  return HANDLED.filter((signal) => !isTty || !LEFT_TO_TERMINAL.includes(signal));
}

export interface SignalTarget {
  stop(mode: StopMode): void;
  /** @throws ControlFailure */
  scale(by: 1 | -1): void;
  /** @throws ControlFailure */
  reload(): void;
}

/** Owns the program's signal handlers. Signals are hints: several of one turn may arrive as one. */
export class Signals {
  readonly #listeners = new Map<NodeJS.Signals, () => void>();
  #interrupts = 0;

  constructor(
    private readonly target: SignalTarget,
    private readonly logger: Logger,
    private readonly isTty: boolean,
  ) {}

  install(): void {
    for (const signal of handledSignals(this.isTty)) {
      const listener = (): void => this.#on(signal);
      this.#listeners.set(signal, listener);
      process.on(signal, listener);
    }
  }

  remove(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#listeners.clear();
  }

  #on(signal: HandledSignal): void {
    if (signal === 'SIGINT') this.#interrupts++;
    const action = decideSignal(signal, this.#interrupts, this.isTty);
    this.logger.info('signal', { signal, ...action });
    if (action.do === 'stop') this.target.stop(action.mode);
    else if (action.do === 'scale') this.#try(() => this.target.scale(action.by));
    else if (action.do === 'reload') this.#try(() => this.target.reload());
  }

  #try(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof ControlFailure)) throw error;
      this.logger.warn('a signal could not be followed', { error });
    }
  }
}
