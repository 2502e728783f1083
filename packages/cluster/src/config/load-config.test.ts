import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './load-config.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drover-config-'));
  await writeFile(join(folder, 'work.mjs'), 'export default async () => 1;');
});
afterEach(() => rm(folder, { recursive: true }));

const write = (text: string, name = 'drover.config.mjs') => writeFile(join(folder, name), text);
const TWO_GROUPS = `export default { groups: { mail: { processor: './work.mjs', workers: 1 }, 'big-files': { processor: './work.mjs', workers: 1 } } };`;

test('flags beat environment beats file', async () => {
  await write(`export default { queue: 'mail', processor: './work.mjs', workers: 1, concurrency: 1, name: 'file' };`);
  const env = { WORKER_COUNT: '2', CONCURRENCY: '3', DROVER_NAME: 'env', REDIS_URL: 'redis://env' };
  const config = await loadConfig({ workers: 9, redis: 'redis://flag' }, env, folder);
  expect(config).toMatchObject({ name: 'env', connection: 'redis://flag', groups: { mail: { workers: 9, concurrency: 3 } } });
});

test('a processor on the command line needs no file', async () => {
  const config = await loadConfig({ processor: 'work.mjs', queue: 'mail', workers: '1x' }, {}, folder);
  expect(config.groups.mail).toMatchObject({ queue: 'mail', module: { kind: 'processor' } });
});

test('json and js files are found by themselves', async () => {
  await write(JSON.stringify({ queue: 'a', processor: './work.mjs' }), 'drover.config.json');
  expect(Object.keys((await loadConfig({}, {}, folder)).groups)).toEqual(['a']);
});

test('DROVER_ variables are paths, for groups and for the defaults', async () => {
  await write(TWO_GROUPS);
  const env = {
    DROVER_GROUPS_MAIL_WORKERS: '4',
    DROVER_GROUPS_BIG_FILES_CONCURRENCY: '2',
    DROVER_PROCESSES_MAX: '3',
    DROVER_DRAIN_DEADLINE: '7s',
  };
  const config = await loadConfig({}, env, folder);
  expect(config.groups.mail?.workers).toBe(4);
  expect(config.groups['big-files']).toMatchObject({ concurrency: 2, drain: { deadlineMs: 7_000 } });
  expect(config.processes.max).toBe(3);
});

test.each([
  { name: 'an unknown DROVER_ variable', env: { DROVER_PROCESES_MAX: '3' }, flags: {}, says: 'did you mean DROVER_PROCESSES_MAX?' },
  {
    name: 'WORKER_COUNT with two groups',
    env: { WORKER_COUNT: '3' },
    flags: {},
    says: 'DROVER_GROUPS_MAIL_WORKERS or DROVER_GROUPS_BIG_FILES_WORKERS',
  },
  { name: 'a WORKER_COUNT that is no number', env: { WORKER_COUNT: 'lots' }, flags: {}, says: 'WORKER_COUNT must be a whole number' },
  { name: 'a file that is not there', env: {}, flags: { file: 'nope.mjs' }, says: 'there is no configuration file' },
  {
    name: 'a pm2 kill timer shorter than the drain',
    env: { pm_id: '0', kill_timeout: '1600' },
    flags: {},
    says: 'set kill_timeout to 30000',
  },
])('$name is refused', async ({ env, flags, says }) => {
  await write(TWO_GROUPS);
  await expect(loadConfig(flags, env, folder)).rejects.toThrow(says);
});

test('a file that throws says which and why', async () => {
  await write('throw new Error("boom")');
  await expect(loadConfig({}, {}, folder)).rejects.toThrow(/drover\.config\.mjs cannot be loaded: boom/);
});
