// An application that forks the primary and commands it over the IPC channel of the fork.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '@drover/cluster';

const primary = fork(
  fileURLToPath(import.meta.resolve('@drover/cluster/bin/primary.js')),
  [fileURLToPath(new URL('./drover.config.mjs', import.meta.url))],
  {
    env: { ...process.env, DROVER_NAME: `host-application-${process.pid}` },
  },
);
const client = await ControlClient.connect({ channel: primary });
await client.ready();

const sizes = [];
const note = async () => sizes.push((await client.request({ type: 'worker_count' })).count);
await note();
await client.run({ type: 'scale_to', count: 4 });
await note();
await client.run({ type: 'scale_down', count: 2 });
await note();

const exited = new Promise((resolve) => primary.once('exit', (code) => resolve(code)));
await client.request({ type: 'stop' });
console.log(JSON.stringify({ sizes, exitCode: await exited }));
