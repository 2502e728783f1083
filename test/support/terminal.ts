/** A pseudo-terminal with an interactive shell in it, as an operator has it: made by script(1) of util-linux, typed into byte by byte. */
import { type Program, start } from './process-harness.js';

export const CTRL_C = '\x03';
export const CTRL_Z = '\x1a';

/** Owns one terminal: what is typed and what it shows. */
export class Terminal {
  private constructor(private readonly program: Program) {}

  static open(env: NodeJS.ProcessEnv = {}): Terminal {
    const options = { env: { ...process.env, PS1: 'prompt$ ', TERM: 'dumb', HISTFILE: '/dev/null', ...env } };
    return new Terminal(start('script', ['-q', '-f', '-c', 'bash --norc --noprofile -i', '/dev/null'], options));
  }

  type(text: string): void {
    this.program.child.stdin?.write(text);
  }

  /** The first line shown that matches, of those that were there already, too. */
  shows(pattern: RegExp | string, limitMs = 20_000): Promise<string> {
    return this.program.line(pattern, limitMs);
  }

  get screen(): string {
    return this.program.output;
  }

  /** The window is closed: the kernel hangs up on whoever runs in it. */
  close(): void {
    this.program.kill('SIGKILL');
  }
}
