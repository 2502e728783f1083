/**
 * What `npm run demo` and `npm test` start. It needs Node and npm, nothing else: it installs the dependencies with the pinned
 * pnpm (through npx), builds, finds or installs a Redis server, and runs the command. A step prints one line; the output of a
 * step is shown, whole, only when it fails, and its exit code becomes ours.
 *
 *     node tools/run.mjs <command> [arguments of the command]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];

/** To add a command, add a line: what it says in the usage, and a function of the arguments that follow it. */
const COMMANDS = {
  demo: { says: 'hash and compress thousands of files on a cluster that is scaled while it works (--dir, --limit, --json)', run: demo },
  test: { says: 'every check and every test; more arguments go to jest', run: test },
  bench: { says: 'speed beside the stock client and the ceiling (--workloads, --rounds, --jobs, --json, --write)', run: bench },
  faults: { says: 'random faults on a cluster under load; no job may be lost (--minutes, --seed, --rate, --json, --write)', run: faults },
  soak: { says: 'processes killed for an hour; the primary must not grow (--minutes, --per-minute, --json, --write)', run: soak },
};

let currentChild;
let signalled;

/** A step that failed; what there is to say about it has been printed. */
class StepFailed extends Error {
  constructor(exitCode) {
    super(`a step ended with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

async function demo(args) {
  await prepare();
  await withRedis((env) => passThrough('examples/demo/demo.mjs', args, env));
}

async function bench(args) {
  await prepare();
  // The targets are for a Redis that writes no append-only file; REDIS_URL measures another one.
  await withRedis((env) => passThrough('bench/dist/bench/run.js', args, env), { appendonly: false });
}

/** The suite starts, and kills, Redis servers of its own. */
async function faults(args) {
  await prepare();
  await passThrough('faults/dist/faults/run.js', args, {});
}

async function soak(args) {
  await prepare();
  await passThrough('faults/dist/faults/soak.js', args, {});
}

async function test(args) {
  await prepare();
  await step('lint and format', [binOf('@biomejs/biome'), 'ci', '--colors=off', '.']);
  await step('types of the tests', [binOf('typescript'), '-p', 'tsconfig.check.json']);
  await step('imports', ['tools/check-imports.mjs']);
  await withRedis(async (env) => {
    const dir = mkdtempSync(join(tmpdir(), 'drover-test-'));
    const countsFile = join(dir, 'counts.json');
    try {
      const jest = [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        binOf('jest'),
        '-c',
        'test/jest.config.js',
        '--ci',
        ...args,
      ];
      await passThrough(jest, [], { ...env, TEST_COUNTS_FILE: countsFile }).finally(() => printCounts(countsFile));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

/** Written by test/support/count-reporter.mjs; absent when jest ended before it ran anything. */
function printCounts(file) {
  if (!existsSync(file)) return;
  const { passed, failed, skipped } = JSON.parse(readFileSync(file, 'utf8'));
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
}

/** Brings a fresh clone to the point where everything can run. */
async function prepare() {
  await install();
  if (existsSync(join(ROOT, 'tools/build-lua.mjs'))) await step('build scripts', ['tools/build-lua.mjs']);
  await step('build', [binOf('typescript'), '-b']);
}

/** Runs pnpm when the last install was for other manifests, or something of it is gone. */
async function install() {
  const packages = readdirSync(join(ROOT, 'packages'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const manifests = [
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    ...packages.map(({ name }) => join('packages', name, 'package.json')),
  ];
  const hash = createHash('sha256').update(process.versions.modules);
  for (const path of manifests) hash.update(readFileSync(join(ROOT, path)));
  const wanted = hash.digest('hex');
  const stamp = join(ROOT, 'node_modules', '.drover-install');
  const complete = packages.every(({ name }) => existsSync(join(ROOT, 'packages', name, 'node_modules')));
  if (complete && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;

  const [pnpm] = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).packageManager.split('+');
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  // pm-on-fail: this is the pinned version already, pnpm need not look for it in the lock file. CI: it asks and draws nothing.
  await step('install', ['--yes', pnpm, 'install', '--frozen-lockfile', '--pm-on-fail=ignore'], { program: npx, env: { CI: 'true' } });
  writeFileSync(stamp, wanted);
}

/** Runs `use` with the address of a Redis server in the environment, and stops the server if it was started for us. */
async function withRedis(use, options = {}) {
  const { startPrivateRedis } = await import('./private-redis.mjs');
  const startedAt = Date.now();
  const redis = await startPrivateRedis({ log: say, ...options });
  if (signalled) return redis.stop();
  sayDone(process.env.REDIS_URL ? 'redis (of REDIS_URL)' : 'redis', startedAt);
  try {
    await use({ REDIS_URL: redis.url });
  } finally {
    await redis.stop();
  }
}

/** One quiet step. @throws {StepFailed} after its whole output was printed. */
async function step(name, args, { program = process.execPath, env = {} } = {}) {
  const startedAt = Date.now();
  let output = '';
  const exitCode = await run(program, args, env, (child) => {
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  });
  if (exitCode !== 0) {
    say(`failed  ${name}${seconds(startedAt)}\n${output.trimEnd()}`);
    throw new StepFailed(exitCode);
  }
  sayDone(name, startedAt);
}

/** A step that is the command itself: its output is ours. */
async function passThrough(program, args, env) {
  const exitCode = await run(process.execPath, [...[program].flat(), ...args], env);
  if (exitCode !== 0) throw new StepFailed(exitCode);
}

/** Runs one program in the root of the project. @returns its exit code, by the shell's convention when a signal ended it. */
async function run(program, args, env, capture) {
  if (signalled) throw new StepFailed(128 + signalled);
  const stdio = capture ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  const child = spawn(program, args, { cwd: ROOT, stdio, env: { ...process.env, ...env }, shell: program.endsWith('.cmd') });
  capture?.(child);
  currentChild = child;
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`cannot run ${program}: ${error.message}`, { cause: error })));
      child.once('close', (code, signal) => resolve(code ?? 128 + signalNumber(signal)));
    });
  } finally {
    currentChild = undefined;
  }
}

/** The script a package runs as its program: the same on every platform, unlike node_modules/.bin. */
function binOf(name) {
  const dir = join(ROOT, 'node_modules', ...name.split('/'));
  const { bin } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
  return join(dir, typeof bin === 'string' ? bin : Object.values(bin)[0]);
}

/** All of our own words go to stderr: stdout belongs to the command (`demo --json` prints one document there). */
function say(line) {
  process.stderr.write(`${line}\n`);
}

function sayDone(name, startedAt) {
  say(`ok      ${name}${seconds(startedAt)}`);
}

function seconds(startedAt) {
  return `  ${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
}

function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 1;
}

/** The step under way ends first (the demo stops its cluster), then our own clean-up runs, then we exit. */
function handleSignals() {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      signalled ??= signalNumber(signal);
      currentChild?.kill(signal);
    });
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  say(`Node ${OLDEST_NODE.join('.')} or later is needed; this is ${process.versions.node}`);
  process.exit(69);
}

async function main([name, ...args]) {
  checkNode();
  if (!Object.hasOwn(COMMANDS, name ?? '')) {
    say(
      `usage: node tools/run.mjs <command> [arguments]\n${Object.entries(COMMANDS)
        .map(([key, { says }]) => `  ${key.padEnd(8)}${says}`)
        .join('\n')}`,
    );
    process.exitCode = 64;
    return;
  }
  handleSignals();
  try {
    await COMMANDS[name].run(args);
  } catch (error) {
    if (!(error instanceof StepFailed)) say(error.exitCode ? error.message : error.stack);
    process.exitCode = error.exitCode ?? 70;
  }
  if (signalled) process.exitCode = 128 + signalled;
}

await main(process.argv.slice(2));
