import { createColors } from 'picocolors';

/** The part of a program that the command line writes to; tests and `main` hand it in. */
export interface Io {
  readonly stdout: Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
}

/** Where nobody has to fit a terminal, lines are as long as they are. */
const UNLIMITED = 1_000_000;

/**
 * Owns what is printed. With `--json` that is one document on stdout and nothing else there; without, text. Progress goes to stderr,
 * and only to a terminal.
 */
export class Output {
  readonly colors;
  #hasProgress = false;

  constructor(
    private readonly io: Io,
    readonly isJson: boolean,
    wantsColor: boolean,
  ) {
    this.colors = createColors(wantsColor && !isJson && io.stdout.isTTY === true && !io.env.NO_COLOR && io.env.TERM !== 'dumb');
  }

  /** Columns that a line may have. */
  get width(): number {
    return this.io.stdout.isTTY ? (this.io.stdout.columns ?? 80) : UNLIMITED;
  }

  /** The result of a command: the document, or the lines that say the same. */
  result(document: object, text: string | (() => string)): void {
    this.#endProgress();
    if (this.isJson) this.io.stdout.write(`${JSON.stringify(document)}\n`);
    else this.io.stdout.write(`${typeof text === 'string' ? text : text()}\n`);
  }

  /** What a person should know and a script need not. */
  note(text: string): void {
    this.#endProgress();
    this.io.stderr.write(`${text}\n`);
  }

  /** The one line that tells how far it is; overwritten by the next. */
  progress(text: string): void {
    if (!this.io.stderr.isTTY || this.isJson) return;
    this.io.stderr.write(`\r\u001b[2K${text}`);
    this.#hasProgress = true;
  }

  failure(error: { readonly code: string; readonly message: string; readonly details?: object | undefined }): void {
    this.#endProgress();
    if (!this.isJson) this.io.stderr.write(`drover: ${error.message}\n`);
    else this.io.stdout.write(`${JSON.stringify({ error })}\n`);
  }

  #endProgress(): void {
    if (this.#hasProgress) this.io.stderr.write('\r\u001b[2K');
    this.#hasProgress = false;
  }
}
