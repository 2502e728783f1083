import { reconnectDelayMs } from './connection-options.js';
import { isVersionAtLeast, parseServerInfo } from './server-info.js';

test('Redis, Valkey and Dragonfly are told apart', () => {
  expect(
    parseServerInfo('# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nmaxclients:10000\r\nmaxmemory_policy:noeviction\r\n'),
  ).toEqual({
    kind: 'redis',
    version: '7.0.15',
    isCluster: false,
    maxmemoryPolicy: 'noeviction',
    maxClients: 10_000,
  });
  expect(parseServerInfo('redis_version:7.2.4\r\nserver_name:valkey\r\ncluster_enabled:1').kind).toBe('valkey');
  expect(parseServerInfo('redis_version:7.2.0\ndragonfly_version:df-v1.2').kind).toBe('dragonfly');
  expect(parseServerInfo('')).toMatchObject({ version: '0.0.0', maxmemoryPolicy: undefined, maxClients: undefined });
});

test.each([
  ['7.0.15', '6.2.0', true],
  ['6.2.0', '6.2.0', true],
  ['6.0.20', '6.2.0', false],
  ['5.0', '6.2.0', false],
  ['10.0.0', '6.2.0', true],
] as const)('%s is at least %s: %s', (version, minimum, want) => {
  expect(isVersionAtLeast(version, minimum)).toBe(want);
});

test.each([
  [1, 1_000],
  [7, 1_097],
  [9, 8_103],
  [10, 20_000],
  [1_000, 20_000],
])('reconnect %i waits %i ms', (times, want) => {
  expect(reconnectDelayMs(times)).toBe(want);
});
