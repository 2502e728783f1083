import { StringDecoder } from 'node:string_decoder';

const TAIL_BYTES = 4_096;
const LONGEST_LINE = 16_384;

/** Splits what a process writes into lines, made harmless for a terminal or a log. */
export class LineReader {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Buffer): void {
    this.#rest += this.#decoder.write(chunk);
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() as string;
    for (const line of lines) this.onLine(escapeLine(line.replace(/\r$/, '')));
    if (this.#rest.length > LONGEST_LINE) this.end();
  }

  /** Hands over what has no newline yet. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.onLine(escapeLine(rest));
  }
}

/** Control characters but the tab and the colours (ESC [ ... m) as `\xNN`, so that a line can neither fake another one nor move the cursor. */
export function escapeLine(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return line.replace(/\u001b\[[0-9;]*m|[\u0000-\u0008\u000a-\u001f\u007f]/g, (found) =>
    found.length > 1 ? found : `\\x${found.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Owns the last 4 KiB of a stream. */
export class Tail {
  #bytes = Buffer.alloc(0);

  push(chunk: Buffer): void {
    const joined = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = joined.length > TAIL_BYTES ? joined.subarray(joined.length - TAIL_BYTES) : joined;
  }

  /** A character that was cut at the start is left out. */
  text(): string {
    let start = 0;
    while (start < 3 && ((this.#bytes[start] ?? 0) & 0xc0) === 0x80) start++;
    return this.#bytes.subarray(start).toString('utf8');
  }
}
