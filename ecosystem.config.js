/**
 * Drover under pm2: one app, the primary. It forks the processes itself, so pm2 has one thing to start, watch and stop.
 *
 *     pm2 start ecosystem.config.js      pm2 stop drover      pm2 restart drover
 *
 * What is worked, and how large, stands in the configuration file named in `args`; WORKER_COUNT, CONCURRENCY and REDIS_URL override it.
 */
import { fileURLToPath } from 'node:url';

const DRAIN_DEADLINE_MS = 25_000;

export const apps = [
  {
    name: 'drover',
    script: fileURLToPath(import.meta.resolve('@drover/cluster/bin/primary.js')),
    cwd: import.meta.dirname,
    args: [process.env.DROVER_CONFIG ?? 'examples/demo/drover.config.mjs'],

    // Written out, because pm2's own default with `instances` is cluster mode: there the primary would be a worker of pm2's daemon and
    // could not fork. More than one instance would be a second primary of the same name, and it is refused.
    exec_mode: 'fork',
    instances: 1,

    // "online" means that a process works, not that Node runs.
    wait_ready: true,
    listen_timeout: 60_000,

    // Stop by message, and to the primary only: with treekill pm2 would signal the processes too, deepest first, in the middle of
    // their jobs. The primary drains them, and pm2 waits for it a little longer than the drain may take.
    shutdown_with_message: true,
    treekill: false,
    kill_timeout: DRAIN_DEADLINE_MS + 5_000,

    // A crash is started again with growing pauses; usage, a taken name, a bad configuration and giving up are not.
    exp_backoff_restart_delay: 200,
    stop_exit_codes: [64, 73, 75, 78, 79],

    // No max_memory_restart: it sees only the primary, which runs no job.
  },
];
