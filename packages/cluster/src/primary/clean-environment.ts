/**
 * pm2 writes every scalar option of an app into its environment under the option's own name. These describe the primary, and names such
 * as `name` or `status` would be read by whoever looks for something of that name.
 */
const PM2_NAMES: ReadonlySet<string> = new Set([
  ...['append_env_to_name', 'args', 'autorestart', 'autostart', 'automation', 'combine_logs', 'created_at', 'cron_restart', 'cwd'],
  ...['disable_logs', 'disable_source_map_support', 'disable_trace', 'error_file', 'exec_interpreter', 'exec_mode', 'exit_code'],
  ...['exp_backoff_restart_delay', 'filter_env', 'force', 'gid', 'ignore_watch', 'increment_var', 'instance_var', 'instances'],
  ...['kill_retry_time', 'kill_timeout', 'km_link', 'listen_timeout', 'log_date_format', 'log_file', 'log_type', 'max_memory_restart'],
  ...['max_restarts', 'merge_logs', 'min_uptime', 'name', 'namespace', 'node_args', 'node_version', 'out_file', 'pid_file', 'pmx'],
  ...['prev_restart_delay', 'restart_delay', 'restart_time', 'script', 'shutdown_with_message', 'source_map_support', 'status'],
  ...['stop_exit_codes', 'time', 'treekill', 'uid', 'unique_id', 'unstable_restarts', 'username', 'version', 'vizion', 'vizion_running'],
  ...['wait_ready', 'watch', 'watch_delay', 'windowsHide'],
]);

/** Set for the primary alone, or changing how a process of ours starts. */
const NEVER = /^(NODE_OPTIONS|NODE_APP_INSTANCE|NODE_UNIQUE_ID|NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE|NODE_V8_COVERAGE)$/;
const PM2_PREFIXED = /^(pm_|PM2_|axm_)/;

/**
 * What to change in the environment for a forked process, in the form that `cluster.fork` takes: undefined removes a variable.
 * User code gets what the primary was given, without pm2's description of the primary and without options meant for the primary's Node.
 */
export function environmentChanges(env: Readonly<Record<string, string | undefined>>): Record<string, undefined> {
  const isUnderPm2 = env.pm_id !== undefined;
  const dropped = Object.keys(env).filter((name) => NEVER.test(name) || (isUnderPm2 && (PM2_PREFIXED.test(name) || PM2_NAMES.has(name))));
  return Object.fromEntries(dropped.map((name) => [name, undefined]));
}

/** Flags of Node that say what to run, or open a debugger: a process runs our entry, and each debugger would want a port. */
const NOT_INHERITED = /^(--inspect.*|--debug.*|--input-type.*|--watch.*|--test.*|-i|--interactive|-c|--check|--prof)$/;
const WITH_SCRIPT = /^(-e|--eval|-p|--print|-pe)$/;

/** The flags of the primary's Node that its processes are started with, too: loaders, memory limits and the like. */
export function inheritedExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i] as string;
    if (WITH_SCRIPT.test(flag)) i++;
    else if (!NOT_INHERITED.test(flag) && !flag.startsWith('--eval=') && !flag.startsWith('--print=')) kept.push(flag);
  }
  return kept;
}
