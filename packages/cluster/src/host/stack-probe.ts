import { type Debugger, Session } from 'node:inspector';

const FRAMES = 25;

/**
 * Reads the stack of the main thread from another one. The session has to be connected, and `Debugger.enable` answered, before the main
 * thread is blocked: asked for afterwards, it is never answered. Owns that session.
 */
export class StackProbe {
  readonly #session = new Session();
  /** Frames carry no addresses of files. */
  readonly #files = new Map<string, string>();
  #paused: ((stack: string) => void) | undefined;

  /** Only in a thread. */
  constructor() {
    this.#session.connectToMainThread();
    this.#session.on('Debugger.scriptParsed', ({ params }) => this.#files.set(params.scriptId, params.url));
    this.#session.on('Debugger.paused', ({ params }) => {
      this.#paused?.(
        params.callFrames
          .slice(0, FRAMES)
          .map((frame) => this.#line(frame))
          .join('\n'),
      );
      this.#session.post('Debugger.resume');
    });
    this.#session.post('Debugger.enable');
  }

  /** Pauses the main thread for a moment. @returns its stack, innermost frame first, or undefined when none came in time. */
  capture(limitMs: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), limitMs);
      this.#paused = (stack) => {
        clearTimeout(timer);
        this.#paused = undefined;
        resolve(stack);
      };
      this.#session.post('Debugger.pause');
    });
  }

  #line({ functionName, location }: Debugger.CallFrame): string {
    const { scriptId, lineNumber, columnNumber = 0 } = location;
    return `    at ${functionName || '(anonymous)'} (${this.#files.get(scriptId) || 'node'}:${lineNumber + 1}:${columnNumber + 1})`;
  }
}
