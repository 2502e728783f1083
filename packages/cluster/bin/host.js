#!/usr/bin/env node
import cluster from 'node:cluster';

// First of all: without this mark Node ends the process with 0 the moment the channel is lost, and no drain could run.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;

if (process.env.DROVER_ROLE !== 'process' || !cluster.isWorker) {
  process.stderr.write('this is what the primary forks for each of its processes; start `drover start` instead\n');
  process.exit(78);
}

const { startHost } = await import('../dist/start-host.js');
try {
  startHost(process.env);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(error.exitCode ?? 70);
}
