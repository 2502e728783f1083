/**
 * Real programs in tests: started, listened to line by line, and ended with all their descendants when the test ends.
 *
 * Descendants are found through /proc by parent, and by a mark in the environment that every program started here carries and
 * hands on: a process whose parent was killed belongs to init, but keeps its environment.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { atEnd } from './at-end.js';
import { until } from './until.js';

const MARK = 'TEST_PROGRAM_MARK';

/** How a program ended: by itself with a code, or by a signal. */
export interface ProgramExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Owns one started program: its output so far, its exit, and the end of everything it started. */
export class Program {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Settles when the program is gone and its output was read to the end. */
  readonly exited: Promise<ProgramExit>;
  readonly #mark: string;
  readonly #title: string;
  #stdout = '';
  #stderr = '';
  #exit: ProgramExit | undefined;

  constructor(command: string, args: readonly string[], options: SpawnOptions) {
    this.#title = [command, ...args].join(' ');
    this.#mark = randomBytes(8).toString('hex');
    const env = { ...(options.env ?? process.env), [MARK]: this.#mark };
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options, env });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', (error) => reject(new Error(`cannot run ${this.#title}: ${error.message}`, { cause: error })));
      this.child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    this.exited.catch(() => {}); // told to whoever awaits it; a test that does not await it fails elsewhere
    this.pid = this.child.pid ?? Number.NaN;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it wrote, for the message of a failed expectation. */
  get output(): string {
    return `$ ${this.#title}\n${this.#stdout}${this.#stderr}`;
  }

  /**
   * The first complete line, of either stream, that matches; lines already written count.
   * @throws when the limit passes, or the program ends without it; the message has the whole output.
   */
  async line(pattern: RegExp | string, limitMs = 15_000): Promise<string> {
    const matches = (line: string): boolean => (typeof pattern === 'string' ? line.includes(pattern) : line.search(pattern) >= 0);
    const find = (): string | undefined => [this.#stdout, this.#stderr].flatMap(completeLines).find(matches);
    try {
      const found = await until(() => find() ?? (this.#exit ? 'ended' : undefined), { what: `a line like ${String(pattern)}`, limitMs });
      const line = find();
      if (line !== undefined) return line;
      throw new Error(`the program ${found} without a line like ${String(pattern)}`);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.output}`, { cause: error });
    }
  }

  /** Its exit, within a limit. */
  async exit(limitMs = 15_000): Promise<ProgramExit> {
    if (Number.isNaN(this.pid)) return this.exited;
    try {
      return await until(() => this.#exit, { what: 'the program to end', limitMs });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.output}`, { cause: error });
    }
  }

  /** Sends one signal to the program alone. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.child.kill(signal);
  }

  /** Everything alive that descends from this program, itself included. */
  family(): number[] {
    const marked = allPids().filter((pid) => environmentHas(pid, `${MARK}=${this.#mark}`));
    return [...new Set([this.pid, ...descendants(this.pid), ...marked])].filter((pid) => pidAlive(pid));
  }

  /** Ends the program and all that descends from it, at once, and waits until they are gone. */
  async killTree(): Promise<void> {
    const killAll = (): boolean => {
      const family = this.family();
      for (const pid of family) signalIfThere(pid, 'SIGKILL');
      return family.length === 0;
    };
    await until(killAll, { what: `the processes of ${this.#title} to end` });
  }
}

/** Starts a program that ends, with its descendants, no later than the test (or, from `beforeAll`, the file) that started it. */
export function start(command: string, args: readonly string[], options: SpawnOptions = {}): Program {
  const program = new Program(command, args, options);
  atEnd(() => program.killTree());
  return program;
}

/** Starts a script of ours with the Node that runs the tests. */
export function startNode(script: string, args: readonly string[] = [], options: SpawnOptions = {}): Program {
  return start(process.execPath, [script, ...args], options);
}

/** Whether a process runs. A zombie, dead but not collected by its parent, does not. */
export function pidAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Pids of all living processes below `pid`, by parent, nearest first. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const each of allPids()) {
    const stat = statOf(each);
    if (stat === undefined || stat.state === 'Z') continue;
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), each]);
  }
  const found: number[] = [];
  for (const queue = [pid]; queue.length > 0; ) {
    const below = children.get(queue.shift()!) ?? [];
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

function completeLines(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** State and parent from /proc; undefined when there is no such process. The name in parentheses may hold anything. */
function statOf(pid: number): { state: string; parent: number } | undefined {
  const text = readProc(pid, 'stat');
  const [state, parent] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === undefined ? undefined : { state, parent: Number(parent) };
}

function environmentHas(pid: number, entry: string): boolean {
  return (readProc(pid, 'environ') ?? '').split('\0').includes(entry);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // it ended while we looked, or belongs to another user
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
