import { type LogLinesOptions, logLines, prettyLine } from './log-lines.js';

function lines(format: LogLinesOptions['format']) {
  const written: string[] = [];
  const made = logLines(
    { format, level: 'info' },
    { out: (line) => written.push(`out ${line}`), err: (line) => written.push(`err ${line}`) },
  );
  return { ...made, written };
}

test('in json every line is an object, what processes print included', () => {
  const { logger, output, written } = lines('json');
  logger.info('ready', { slot: 1 });
  logger.debug('unheard');
  output(2, 'stderr', 'oh "no"');
  const objects = written.map((line) => JSON.parse(line.slice(4)));
  expect(objects).toMatchObject([
    { level: 'info', slot: 1, msg: 'ready' },
    { slot: 2, stream: 'stderr', msg: 'oh "no"' },
  ]);
});

test('pretty tags the lines of processes and keeps their streams', () => {
  const { output, written } = lines('pretty');
  output(0, 'stdout', 'hello');
  output(1, 'stderr', 'oh');
  expect(written).toEqual(['out [0] hello', 'err [1] oh']);
});

test('a pretty line has time, level, message and fields', () => {
  const json = '{"time":"2024-01-02T03:04:05.678Z","level":"warn","slot":1,"reason":"killed by SIGKILL","msg":"a process has ended"}';
  expect(prettyLine(json)).toBe('03:04:05.678 warn  a process has ended  slot=1 reason=killed by SIGKILL');
});
