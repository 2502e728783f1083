import { jsonLogger, type Logger, type LogLevel } from '@drover/core/kit';

/** Where lines go. */
export interface LineSinks {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

export interface LogLinesOptions {
  readonly format: 'json' | 'pretty';
  readonly level: LogLevel;
}

/** What the primary writes: its own log, and what its processes print. */
export interface LogLines {
  readonly logger: Logger;
  readonly output: (slot: number, stream: 'stdout' | 'stderr', line: string) => void;
}

/** `json`: one object a line, the lines of processes included, so that a collector can parse all of it. `pretty`: for a person. */
export function logLines({ format, level }: LogLinesOptions, sinks: LineSinks): LogLines {
  if (format === 'pretty') {
    return {
      logger: jsonLogger((line) => sinks.out(prettyLine(line)), level),
      output: (slot, stream, line) => (stream === 'stdout' ? sinks.out : sinks.err)(taggedLine(slot, line)),
    };
  }
  return {
    logger: jsonLogger(sinks.out, level),
    output: (slot, stream, msg) => sinks.out(JSON.stringify({ time: new Date().toISOString(), level: 'info', slot, stream, msg })),
  };
}

/** `[2] line`: a line that the process of slot 2 printed. */
export function taggedLine(slot: number, line: string): string {
  return `[${slot}] ${line}`;
}

/** `12:34:56.789 warn  a process has ended  slot=1 code=1` of a line of the JSON log. */
export function prettyLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${msg}`;
  return rest.length === 0 ? head : `${head}  ${rest.join(' ')}`;
}
