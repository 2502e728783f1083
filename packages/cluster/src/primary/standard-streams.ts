import type { LineSinks } from './log-lines.js';

/** Lines to stdout and stderr, which may lose their reader (a pipe to a daemon that died): then they go nowhere. */
export function standardStreams(): LineSinks {
  const to = (stream: NodeJS.WriteStream) => {
    let isOpen = true;
    stream.on('error', () => {
      isOpen = false;
    });
    return (line: string): void => {
      if (isOpen) stream.write(`${line}\n`);
    };
  };
  return { out: to(process.stdout), err: to(process.stderr) };
}
