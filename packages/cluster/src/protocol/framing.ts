import { CodedError, messageOf } from '@drover/core/kit';

/** The longest request that the primary reads, in bytes without the newline. Lists are paged so that nothing needs more. */
export const MAX_REQUEST_BYTES = 64 * 1024;
/** The longest message that a client reads. Larger than a request: `status` names up to thousands of workers. */
export const MAX_REPLY_BYTES = 1024 * 1024;

const NEWLINE = 0x0a;
const UNSAFE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Bytes or a value that cannot be one frame. `fatal`: where the next frame starts is not known either. */
export class FrameError extends CodedError {
  constructor(
    message: string,
    readonly fatal: boolean,
    options?: ErrorOptions,
  ) {
    super('BAD_FRAME', message, options);
  }
}

/** One message as a line. @throws FrameError what JSON cannot express, or longer than `maxBytes`. */
export function encodeFrame(message: object, maxBytes: number): string {
  return `${toText(message, maxBytes)}\n`;
}

/** The value of one line, without keys that reach a prototype. @throws FrameError not JSON. */
export function decodeFrame(line: string): unknown {
  try {
    return JSON.parse(line, withoutUnsafeKeys);
  } catch (error) {
    throw new FrameError(`not a line of JSON: ${messageOf(error)}`, false, { cause: error });
  }
}

/**
 * The same value as the unix socket would have delivered: for channels that carry objects. Drops what JSON drops and keys that reach
 * a prototype, and shares nothing with its argument.
 * @throws FrameError what JSON cannot express (a BigInt, a cycle), or longer than `maxBytes`.
 */
export function plainCopy(message: unknown, maxBytes: number): unknown {
  return decodeFrame(toText(message, maxBytes));
}

function toText(message: unknown, maxBytes: number): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new FrameError(`not JSON: ${messageOf(error)}`, false, { cause: error });
  }
  if (text === undefined) throw new FrameError(`not JSON: ${typeof message}`, false);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw new FrameError(`a message of ${bytes} bytes; at most ${maxBytes} are allowed`, false);
  return text;
}

function withoutUnsafeKeys(key: string, value: unknown): unknown {
  return UNSAFE_KEYS.has(key) ? undefined : value;
}

/** Cuts a byte stream into lines and owns the unfinished one, which never grows beyond `maxBytes`. */
export class FrameReader {
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(private readonly maxBytes: number) {}

  /**
   * @returns the lines that `chunk` completes, empty ones left out.
   * @throws FrameError (fatal) a line is too long; the reader is of no use from then on.
   */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end));
      const line = Buffer.concat(this.#parts, this.#bytes).toString('utf8').trim();
      this.#parts = [];
      this.#bytes = 0;
      if (line !== '') lines.push(line);
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.maxBytes) throw new FrameError(`a line of more than ${this.maxBytes} bytes`, true);
    this.#parts.push(part);
  }
}
