import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atEnd } from '../../../../test/support/at-end.js';
import { testRedisUrl } from '../../../../test/support/redis.js';
import { Connection } from '../redis/index.js';

const SOURCE = join(import.meta.dirname, '../../../../lua/includes/choose-removal.lua');

test.each([
  { name: 'a few ids near the end that is searched', length: 50_000, count: 10, depth: 100, want: 'lrem' },
  { name: 'one id anywhere', length: 50_000, count: 1, depth: 50_000, want: 'lrem' },
  { name: 'many ids deep in a long list', length: 50_000, count: 50, depth: 25_000, want: 'sweep' },
  { name: 'many ids deep in a list of thousands', length: 5_000, count: 200, depth: 2_500, want: 'sweep' },
  { name: 'a full batch of a short list', length: 200, count: 200, depth: 20, want: 'lrem' },
])('$name: $want', async ({ length, count, depth, want }) => {
  const connection = new Connection(testRedisUrl(), { role: 'command' });
  atEnd(() => connection.close());
  await connection.whenReady();
  const source = `${await readFile(SOURCE, 'utf8')}\nreturn chooseRemoval(tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]))`;
  expect(await connection.send('eval', [source, 0, length, count, depth])).toBe(want);
});
