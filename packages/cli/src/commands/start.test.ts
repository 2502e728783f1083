import type { ClusterConfig } from '@drover/cluster';
import type { CommonArgs } from './command.js';
import { flagsOf, withoutSecrets } from './start.js';

const args = (given: Record<string, unknown>): CommonArgs & Record<string, unknown> => ({ json: false, color: true, ...given });

test.each([
  { name: 'nothing', given: {}, want: {} },
  { name: 'a processor', given: { file: './mail.js' }, want: { processor: './mail.js' } },
  { name: 'a configuration', given: { file: 'drover.config.mjs' }, want: { file: 'drover.config.mjs' } },
  { name: 'a configuration by flag', given: { config: 'anything.js' }, want: { file: 'anything.js' } },
  { name: 'both', given: { file: 'mail.js', config: 'x.json' }, want: { file: 'x.json', processor: 'mail.js' } },
  {
    name: 'every flag',
    given: {
      ...{ name: 'n', socket: '/s', redis: 'redis://r', prefix: 'p', queue: 'q', workers: '2x', concurrency: '5' },
      ...{ processes: '1..3', 'workers-per-process': '4' },
    },
    want: {
      ...{ name: 'n', socket: '/s', redis: 'redis://r', prefix: 'p', queue: 'q', workers: '2x', concurrency: 5 },
      ...{ processes: { min: 1, max: 3 }, workersPerProcess: 4 },
    },
  },
])('$name', ({ given, want }) => {
  expect(flagsOf(args(given))).toEqual(want);
});

test.each([
  { given: { workers: 'many' }, want: '--workers: must be a whole number' },
  { given: { concurrency: '0' }, want: '--concurrency: must be a whole number of at least 1, got "0"' },
  { given: { processes: '4..2' }, want: '--processes: 4 is above 2' },
  { given: { 'workers-per-process': 'x' }, want: '--workers-per-process: must be' },
  { given: { file: 'a.json', config: 'b.json' }, want: 'two configurations given' },
])('$given is refused: $want', ({ given, want }) => {
  expect(() => flagsOf(args(given))).toThrow(want);
});

test('what is shown of a configuration has no secret', () => {
  const group = { connection: 'rediss://user:secret1@redis.example:6380/2?token=secret2' };
  const config = {
    connection: { host: 'h', port: 1, password: 'secret3', tls: { key: 'secret4' } },
    groups: { mail: group, plain: { connection: 'u:secret5@h' } },
  };
  const shown = withoutSecrets(config as unknown as ClusterConfig);
  expect(JSON.stringify(shown)).not.toContain('secret');
  expect(shown.connection).toEqual({ host: 'h', port: 1 });
  expect(shown.groups.mail?.connection).toBe('rediss://redis.example:6380/2');
});
