import type { LogFields, Logger, LogLevel } from '@drover/core/kit';
import { messageOf } from '@drover/core/kit';

/** Lines go to the primary, which writes them with the name of the process; `send` answers false when they cannot, then to standard error. */
export function hostLogger(
  send: (level: LogLevel, line: string) => boolean,
  writeError: (line: string) => void,
  base: LogFields = {},
): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    const known = Object.entries({ ...base, ...fields }).filter(([, value]) => value !== undefined);
    const line = [message, ...known.map(([name, value]) => `${name}=${show(value)}`)].join(' ');
    if (!send(level, line)) writeError(`${level} ${line}\n`);
  };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => hostLogger(send, writeError, { ...base, ...fields }),
  };
}

function show(value: unknown): string {
  const text = value instanceof Error ? messageOf(value) : typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
