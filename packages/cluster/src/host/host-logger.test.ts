import { hostLogger } from './host-logger.js';

test('lines go to the primary with their fields; without one, to standard error', () => {
  const sent: string[] = [];
  const errors: string[] = [];
  let hasPrimary = true;
  const send = (level: string, line: string): boolean => {
    if (hasPrimary) sent.push(`${level}: ${line}`);
    return hasPrimary;
  };
  const logger = hostLogger(send, (line) => errors.push(line)).child({ worker: 'mail#1' });
  logger.warn('worker failed', { error: new Error('a = b'), jobs: ['1'], tries: 2, gone: undefined });
  hasPrimary = false;
  logger.error('late');
  expect(sent).toEqual(['warn: worker failed worker=mail#1 error="a = b" jobs="[\\"1\\"]" tries=2']);
  expect(errors).toEqual(['error late worker=mail#1\n']);
});
