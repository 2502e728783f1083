import { reconnectDelayMs } from './connection-options.js';
import { isVersionAtLeast, parseServerInfo, refusalOf } from './server-info.js';

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
  expect(parseServerInfo('redis_version:7.2.4\nvalkey_version:7.2.5').kind).toBe('valkey');
  expect(parseServerInfo('')).toMatchObject({ version: undefined, maxmemoryPolicy: undefined, maxClients: undefined });
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
  ['Redis 6.2', 'redis_version:6.2.0', undefined],
  ['Redis 7.4', 'redis_version:7.4.1', undefined],
  ['Redis 6.0', 'redis_version:6.0.20', '6.0.20'],
  ['Redis 5', 'redis_version:5.0.7', '5.0.7'],
  ['Valkey 8, by the Redis it stands for', 'redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1', undefined],
  ['Dragonfly, by the Redis it stands for', 'redis_version:6.2.11\r\ndragonfly_version:df-v1.2.0', undefined],
  ['a Dragonfly that stands for an old Redis', 'redis_version:6.0.0\r\ndragonfly_version:df-v0.1.0', '6.0.0'],
  ['a server that does not say', 'valkey_version:8.0.1', undefined],
])('%s: %j is refused for %j', (_, info, version) => {
  const reason = refusalOf(parseServerInfo(info));
  if (version === undefined) expect(reason).toBeUndefined();
  else
    expect(reason).toBe(
      `it is version ${version}, and 6.2 is the oldest that will do: upgrade it (skipVersionCheck: true tries all the same)`,
    );
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
