/** Programs that host the control plane, and bare connections to them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientChannel, ControlClient, childChannel, connectSocket } from '@drover/cluster/protocol';
import { silentLogger } from '@drover/core/kit';
import { Dispatcher } from '../../packages/cluster/dist/control/dispatcher.js';
import { embeddedChannel } from '../../packages/cluster/dist/control/transports/embedded.js';
import { atEnd } from '../support/at-end.js';
import { type Program, startNode } from '../support/process-harness.js';
import { until } from '../support/until.js';
import { MemoryOperations } from './fixture/memory-operations.mjs';

const FIXTURE = join(import.meta.dirname, 'fixture', 'primary.mjs');

/** A directory of this test alone, mode 0700, with a short path: that of a socket is limited. */
export function privateDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dc-'));
  atEnd(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts the fixture program; it listens when this resolves. */
export async function startFixture(env: Record<string, string> = {}, ipc = false): Promise<{ program: Program; socket: string }> {
  const settings = { FIXTURE_SOCKET: env.FIXTURE_SOCKET ?? join(privateDir(), 's.sock'), ...env };
  const program = startNode(FIXTURE, [], { env: { ...process.env, ...settings }, stdio: ['pipe', 'pipe', 'pipe', ipc ? 'ipc' : 'ignore'] });
  const line = await program.line(/^listening /);
  return { program, socket: line.slice('listening '.length) };
}

/** Starts the fixture program where it is expected to refuse. */
export async function refusedFixture(env: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
  const program = startNode(FIXTURE, [], { env: { ...process.env, ...env } });
  const { code } = await program.exit();
  return { code, stderr: program.stderr };
}

/** One control plane, and how to reach it over one transport. */
export interface Reached {
  readonly open: () => Promise<ClientChannel>;
  readonly client: () => Promise<ControlClient>;
  /** Makes the other side vanish. */
  readonly vanish: () => void;
}

/** The transports that the conformance suite runs over. */
export const TRANSPORTS: Readonly<Record<string, (env?: Record<string, string>) => Promise<Reached>>> = {
  'unix socket': async (env) => {
    const { program, socket } = await startFixture(env);
    const open = () => connectSocket(socket, 5_000);
    return { open, client: async () => tracked(new ControlClient(await open())), vanish: () => program.kill('SIGKILL') };
  },
  'host IPC': async (env) => {
    const { program } = await startFixture(env, true);
    const open = async () => childChannel(program.child);
    return { open, client: async () => tracked(new ControlClient(await open())), vanish: () => program.kill('SIGKILL') };
  },
  embedded: async (env = {}) => {
    const groups = env.FIXTURE_GROUPS?.split(',') ?? ['mail'];
    const operations = new MemoryOperations({ groups, heldBoot: env.FIXTURE_BOOT === 'held' });
    if (env.FIXTURE_BOOT !== 'held') operations.becomeReady();
    const dispatcher = new Dispatcher(operations, silentLogger);
    const channels: ClientChannel[] = [];
    const open = async () => {
      const channel = embeddedChannel(dispatcher);
      channels.push(channel);
      return channel;
    };
    const vanish = () => {
      for (const channel of channels) channel.close();
    };
    return { open, client: async () => tracked(new ControlClient(await open())), vanish };
  },
};

function tracked(client: ControlClient): ControlClient {
  atEnd(() => client.close());
  return client;
}

export interface Message {
  readonly v: number;
  readonly kind: 'res' | 'prog' | 'evt';
  readonly rid?: string;
  readonly ok?: boolean;
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean; readonly details?: object };
  readonly result?: Record<string, unknown>;
  readonly [key: string]: unknown;
}

/** A channel below the client: whatever object is sent, everything that comes is kept. */
export class Tap {
  readonly received: Message[] = [];
  isClosed = false;

  constructor(readonly channel: ClientChannel) {
    channel.open({
      message: (raw) => this.received.push(raw as Message),
      closed: () => {
        this.isClosed = true;
      },
    });
    atEnd(() => channel.close());
  }

  send(message: object): void {
    this.channel.send(message);
  }

  /** Sends a request and waits for the reply with its rid. */
  async ask(message: Record<string, unknown>): Promise<Message> {
    this.send(message);
    return this.find((each) => each.kind === 'res' && each.rid === (typeof message.rid === 'string' ? message.rid : ''));
  }

  find(matches: (message: Message) => boolean): Promise<Message> {
    return until(() => this.received.find(matches), { what: 'a message of the primary' });
  }
}

/** A bare unix socket: any bytes. */
export class Bytes {
  text = '';
  isClosed = false;

  private constructor(readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('error', () => {}); // a reset is one way of being closed
    atEnd(() => socket.destroy());
  }

  static connect(path: string): Promise<Bytes> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ path });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Bytes(socket)));
    });
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  get messages(): Message[] {
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Message);
  }

  find(matches: (message: Message) => boolean): Promise<Message> {
    return until(() => this.messages.find(matches), { what: 'a message of the primary' });
  }

  closed(): Promise<true> {
    return until(() => this.isClosed, { what: 'the connection to end' });
  }
}

export function request(rid: string, command: Record<string, unknown>, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { v: 1, kind: 'req', rid, command, ...more };
}
