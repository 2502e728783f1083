import type { ForkOptions } from 'node:child_process';

const INSPECTOR = /^--inspect(-brk|-wait|-port)?(=|$)|^--debug-port(=|$)/;

/**
 * Options of a sandbox process: those given, on top of what this process runs with. If it would open the inspector, it gets a port of its
 * own (0 lets the system choose), as the one that its flags name is taken by this process or by another sandbox.
 * @param env of this process; NODE_OPTIONS may open the inspector as well.
 */
export function forkOptions(given: ForkOptions, execArgv: readonly string[], env: NodeJS.ProcessEnv): ForkOptions {
  const flags = given.execArgv ?? execArgv;
  const inherited = ((given.env ?? env).NODE_OPTIONS ?? '').split(/\s+/);
  const isInspected = [...flags, ...inherited].some((flag) => INSPECTOR.test(flag));
  return { serialization: 'advanced', ...given, execArgv: isInspected ? [...flags, '--inspect-port=0'] : [...flags] };
}
