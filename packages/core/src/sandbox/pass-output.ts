import type { Readable } from 'node:stream';

/** What a sandbox prints into a pipe comes out of this process. A pipe that nobody reads would stop the sandbox when it is full. */
export function passOutput(from: Readable | null | undefined, to: NodeJS.WriteStream): void {
  from?.on('data', (chunk: Buffer) => {
    if (to.write(chunk)) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
}
