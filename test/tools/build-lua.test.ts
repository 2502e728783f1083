import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { atEnd } from '../support/at-end.js';

const BUILDER = join(import.meta.dirname, '../../tools/build-lua.mjs');
const HEADER = '--[[ greet: says hello.\n  KEYS[1] who\n  ARGV[1] how\n  Returns a text\n  Cost O(1) ]]\n';
const INCLUDE = 'local function sayHello(who, how)\n  return how .. who\nend\n';
const BODY = 'return sayHello(KEYS[1], ARGV[1])\n';
const GOOD = { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER}${BODY}`, 'includes/say-hello.lua': INCLUDE };

/** Builds a project with these files under `lua/`; what was printed on stderr, and the generated text if there is one. */
async function build(files: Readonly<Record<string, string>>): Promise<{ stderr: string; generated: string | undefined }> {
  const root = await mkdtemp(join(tmpdir(), 'build-lua-'));
  atEnd(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'tools'));
  await copyFile(BUILDER, join(root, 'tools/build-lua.mjs'));
  for (const folder of ['commands', 'includes']) await mkdir(join(root, 'lua', folder), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, 'lua', file)), { recursive: true });
    await writeFile(join(root, 'lua', file), text);
  }
  const run = promisify(execFile)(process.execPath, [join(root, 'tools/build-lua.mjs')]);
  const { stderr } = await run.catch((error: { stderr: string }) => error);
  const generated = await readFile(join(root, 'packages/core/src/redis/scripts.generated.ts'), 'utf8').catch(() => undefined);
  return { stderr: stderr.trim(), generated };
}

test('a script carries its includes, callees first and each once, and the number of its keys', async () => {
  const { stderr, generated } = await build({
    ...GOOD,
    'commands/greet.lua': `--- @include "say-hello"\n--- @include "shout"\n${HEADER}return shout(sayHello(KEYS[1], ARGV[1]))\n`,
    'includes/say-hello.lua': `--- @include "shout"\nlocal function sayHello(who, how)\n  return shout(how .. who)\nend\n`,
    'includes/shout.lua': 'local function shout(text)\n  return string.upper(text)\nend\n',
  });
  expect(stderr).toBe('');
  expect(generated).toContain("'greet': { keys: 1, sha1: '");
  const [source] = /"local function.*"/.exec(generated as string) as unknown as [string];
  const text = JSON.parse(source) as string;
  expect([...text.matchAll(/^local function (\w+)/gm)].map((match) => match[1])).toEqual(['shout', 'sayHello']);
});

test('functions that are called rarely are made by one function, with what only they call', async () => {
  const { stderr, generated } = await build({
    ...GOOD,
    'commands/greet.lua': `--- @include "say-hello"\n${HEADER}${BODY}`,
    'includes/say-hello.lua': [
      '--- @include "again" rarely',
      '--- @include "shout"',
      "local function sayHello(who, how)\n  if who == '' then return again(how) end\n  return shout(how .. who)\nend\n",
    ].join('\n'),
    'includes/again.lua': '--- @include "shout"\n--- @include "twice"\nlocal function again(how)\n  return shout(twice(how))\nend\n',
    'includes/twice.lua': 'local function twice(text)\n  return text .. text\nend\n',
    'includes/shout.lua': 'local function shout(text)\n  return string.upper(text)\nend\n',
  });
  expect(stderr).toBe('');
  const [source] = /"local rare.*"/.exec(generated as string) as unknown as [string];
  const text = JSON.parse(source) as string;
  const functions = [...text.matchAll(/^(?:local function (\w+)|(rare) = function)/gm)].map((match) => match[1] ?? match[2]);
  expect(functions).toEqual(['shout', 'sayHello', 'rare', 'twice', 'again']);
  expect(text).toContain("if who == '' then return rare().again(how) end");
  expect(text).toContain('return shout(twice(how))');
});

test.each<{ name: string; files: Record<string, string>; says: string }>([
  {
    name: 'an unknown include',
    files: { 'commands/greet.lua': `--- @include "nobody"\n${HEADER}${BODY}` },
    says: 'calls sayHello but does not include "say-hello"',
  },
  {
    name: 'an include that is not there',
    files: { 'includes/say-hello.lua': `--- @include "nobody"\n${INCLUDE}` },
    says: 'lua/includes/say-hello.lua: includes "nobody", which is not in lua/includes',
  },
  {
    name: 'an include that is not called',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER}return KEYS[1] .. ARGV[1]\n` },
    says: 'includes "say-hello" but does not call sayHello',
  },
  {
    name: 'an include that reads ARGV',
    files: { 'includes/say-hello.lua': 'local function sayHello()\n  return ARGV[1]\nend\n' },
    says: 'an include takes arguments, it does not read KEYS or ARGV',
  },
  {
    name: 'an include named otherwise',
    files: { 'includes/say-hello.lua': 'local function hello()\nend\n' },
    says: 'must define exactly one top-level function, sayHello, and defines: hello',
  },
  {
    name: 'a missing header',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${BODY}` },
    says: 'must begin with a header comment',
  },
  {
    name: 'a header of another script',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER.replace('greet', 'meet')}${BODY}` },
    says: 'its header must begin with "greet: "',
  },
  {
    name: 'a header without costs',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER.replace('Cost', 'Price')}${BODY}` },
    says: 'its header does not say "Cost"',
  },
  {
    name: 'an argument that is not documented',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER}return sayHello(KEYS[1], ARGV[1] .. ARGV[2])\n` },
    says: 'ARGV[2] is used but not documented',
  },
  {
    name: 'an argument that is not used',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER.replace('how\n', 'how\n  ARGV[2] why\n')}${BODY}` },
    says: 'ARGV[2] is documented but not used',
  },
  {
    name: 'a key that is not used',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER}return sayHello('', ARGV[1])\n` },
    says: 'KEYS[1] is documented but not used',
  },
  {
    name: 'arguments walked without saying so',
    files: { 'commands/greet.lua': `--- @include "say-hello"\n${HEADER}local n = #ARGV\n${BODY}` },
    says: 'ARGV is walked with a variable, but the header documents no tail',
  },
  {
    name: 'includes that call each other',
    files: {
      'includes/say-hello.lua': '--- @include "shout"\nlocal function sayHello()\n  return shout()\nend\n',
      'includes/shout.lua': '--- @include "say-hello"\nlocal function shout()\n  return sayHello()\nend\n',
    },
    says: 'include cycle: say-hello -> shout -> say-hello',
  },
])('$name is refused in one line', async ({ files, says }) => {
  const { stderr, generated } = await build({ ...GOOD, ...files });
  expect(stderr).toMatch(/^build-lua: [^\n]+$/);
  expect(stderr).toContain(says);
  expect(generated).toBeUndefined();
});
