// Turns lua/commands/*.lua into packages/core/src/redis/scripts.generated.ts: resolves the includes of each script, checks its header
// against its use of KEYS and ARGV, and computes the SHA-1 that EVALSHA names it by. The conventions are in lua/README.md.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INCLUDE = /^--- @include "([^"]+)"( rarely)?$/;

class BuildError extends Error {}

function fail(file, message) {
  throw new BuildError(`${file}: ${message}`);
}

/** @returns {{ includes: string[], rare: Set<string>, text: string }} the names a file includes, those it calls rarely, and its text. */
function splitIncludes(file, source) {
  const includes = [];
  const rare = new Set();
  const kept = [];
  for (const line of source.split('\n')) {
    const match = INCLUDE.exec(line.trim());
    if (match) includes.push(match[1]);
    if (match?.[2]) rare.add(match[1]);
    if (match) continue;
    if (line.includes('@include')) fail(file, `unreadable include: ${line.trim()}`);
    kept.push(line);
  }
  return { includes, rare, text: kept.join('\n').trim() };
}

function withoutComments(text) {
  return text.replace(/--\[\[[\s\S]*?\]\]/g, '').replace(/--[^\n]*/g, '');
}

function camelCase(name) {
  return name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

/** An include is a file with one function named after it, which works on its arguments alone. */
function checkInclude(file, name, text) {
  const body = withoutComments(text);
  if (/\b(KEYS|ARGV)\b/.test(body)) fail(file, 'an include takes arguments, it does not read KEYS or ARGV');
  const functions = [...body.matchAll(/^local function (\w+)/gm)].map((match) => match[1]);
  const expected = camelCase(name);
  if (functions.length !== 1 || functions[0] !== expected) {
    fail(file, `must define exactly one top-level function, ${expected}, and defines: ${functions.join(', ') || 'none'}`);
  }
}

/** @returns {number} the number of keys the script takes. */
function checkCommand(file, name, text) {
  const header = /^--\[\[([\s\S]*?)\]\]/.exec(text)?.[1];
  if (!header) fail(file, 'must begin with a header comment --[[ ... ]]');
  if (!header.trim().startsWith(`${name}: `)) fail(file, `its header must begin with "${name}: "`);
  for (const word of ['Returns', 'Cost']) if (!header.includes(word)) fail(file, `its header does not say "${word}"`);
  const body = withoutComments(text.slice(header.length));
  checkTable(file, 'KEYS', header, body);
  checkTable(file, 'ARGV', header, body);
  return indices('KEYS', header).length;
}

function indices(table, text) {
  const found = [...text.matchAll(new RegExp(`${table}\\[(\\d+)\\]`, 'g'))].map((match) => Number(match[1]));
  return [...new Set(found)].sort((a, b) => a - b);
}

/** Documented and used entries must agree; `ARGV[5...]` in the header documents a tail that the body walks with a variable. */
function checkTable(file, table, header, body) {
  const documented = indices(table, header);
  const tail = new RegExp(`${table}\\[(\\d+)\\.\\.\\.\\]`).exec(header);
  const used = indices(table, body);
  const walks = new RegExp(`${table}\\[[^\\d\\]]|#${table}\\b|\\b${table}\\b(?!\\[)`).test(body);
  documented.forEach((entry, at) => {
    if (entry !== at + 1) fail(file, `the header documents ${table}[${entry}] but not ${table}[${at + 1}]`);
  });
  for (const entry of used) {
    if (!documented.includes(entry) && !(tail && entry >= Number(tail[1]))) fail(file, `${table}[${entry}] is used but not documented`);
  }
  for (const entry of documented) if (!used.includes(entry)) fail(file, `${table}[${entry}] is documented but not used`);
  if (tail && Number(tail[1]) !== documented.length + 1)
    fail(file, `the tail ${table}[${tail[1]}...] must follow ${table}[${documented.length}]`);
  if (walks && !tail) fail(file, `${table} is walked with a variable, but the header documents no tail ${table}[n...]`);
  if (tail && !walks) fail(file, `the tail ${table}[${tail[1]}...] is documented but not used`);
}

/** Reads every include once; refuses unknown names, cycles and includes that are never called. */
class Includes {
  #files = new Map();

  constructor(folder) {
    for (const entry of readdirSync(folder).filter((file) => file.endsWith('.lua'))) {
      const name = basename(entry, '.lua');
      const file = join('lua/includes', entry);
      const parts = splitIncludes(file, readFileSync(join(folder, entry), 'utf8'));
      checkInclude(file, name, parts.text);
      this.#files.set(name, { file, ...parts });
    }
    for (const { file, includes, text } of this.#files.values()) this.checkUse(file, includes, text);
  }

  checkUse(file, includes, text) {
    const body = withoutComments(text);
    for (const name of this.#files.keys()) {
      const calls = new RegExp(`\\b${camelCase(name)}\\(`).test(body.replace(/^local function \w+\(/gm, ''));
      const isOwn = file.endsWith(`includes/${name}.lua`);
      if (includes.includes(name) && !calls) fail(file, `includes "${name}" but does not call ${camelCase(name)}`);
      if (!includes.includes(name) && calls && !isOwn) fail(file, `calls ${camelCase(name)} but does not include "${name}"`);
    }
  }

  /** The names of `names` and of all they include, each once, callees first. */
  #resolve(file, names, done = new Set(), path = []) {
    for (const name of names) {
      if (path.includes(name)) fail(file, `include cycle: ${[...path, name].join(' -> ')}`);
      if (done.has(name)) continue;
      const include = this.#files.get(name);
      if (!include) fail(file, `includes "${name}", which is not in lua/includes`);
      this.#resolve(include.file, include.includes, done, [...path, name]);
      done.add(name);
    }
    return done;
  }

  /** What `command` and its includes call on every way, without what they only call rarely. */
  #common(command) {
    const common = new Set();
    const visit = ({ includes, rare }) => {
      for (const name of includes) {
        if (rare.has(name) || common.has(name)) continue;
        common.add(name);
        visit(this.#files.get(name));
      }
    };
    visit(command);
    return common;
  }

  /**
   * The whole text of a script. Redis runs a script's text from its first line with each call, and making a function costs as much as a
   * tenth of a command: those that are called rarely are made by one function, `rare`, when the first of them is needed.
   */
  assemble(file, command) {
    const all = [...this.#resolve(file, command.includes)];
    const common = this.#common(command);
    const late = all.filter((name) => !common.has(name));
    const textOf = (name) => this.#files.get(name).text;
    const early = all.filter((name) => common.has(name)).map(textOf);
    if (late.length === 0) return `${[...early, command.text].join('\n')}\n`;
    const names = late.map(camelCase);
    const calls = new RegExp(`(?<![\\w.:])(${names.join('|')})\\(`, 'g');
    const calling = (text) => text.replace(calls, 'rare().$1(');
    const table = `rareOnes = { ${names.map((name) => `${name} = ${name}`).join(', ')} }`;
    const maker = ['rare = function()', 'if rareOnes then return rareOnes end', ...late.map(textOf), table, 'return rareOnes', 'end'];
    return `${['local rare, rareOnes', ...early.map(calling), ...maker, calling(command.text)].join('\n')}\n`;
  }
}

function build(root) {
  const includes = new Includes(join(root, 'lua/includes'));
  const scripts = [];
  for (const entry of readdirSync(join(root, 'lua/commands')).sort()) {
    if (!entry.endsWith('.lua')) continue;
    const name = basename(entry, '.lua');
    const file = join('lua/commands', entry);
    const command = splitIncludes(file, readFileSync(join(root, file), 'utf8'));
    const keys = checkCommand(file, name, command.text);
    includes.checkUse(file, command.includes, command.text);
    const source = includes.assemble(file, command);
    scripts.push({ name, keys, source, sha1: createHash('sha1').update(source).digest('hex') });
  }
  return scripts;
}

function render(scripts) {
  const entries = scripts.map(
    ({ name, keys, sha1, source }) => `  '${name}': { keys: ${keys}, sha1: '${sha1}', source: ${JSON.stringify(source)} },`,
  );
  return [
    '// Written by tools/build-lua.mjs from lua/. Do not edit.',
    'export interface ScriptSource {',
    '  readonly keys: number;',
    '  readonly sha1: string;',
    '  readonly source: string;',
    '}',
    `export type ScriptName =\n${scripts.map(({ name }) => `  | '${name}'`).join('\n')};`,
    'export const scripts: Readonly<Record<ScriptName, ScriptSource>> = {',
    ...entries,
    '};',
    '',
  ].join('\n');
}

try {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const target = join(root, 'packages/core/src/redis/scripts.generated.ts');
  const text = render(build(root));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build-lua: ${error.message}`);
  process.exitCode = 1;
}
