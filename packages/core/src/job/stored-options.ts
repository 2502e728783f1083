import type { JobsOptions } from './job-options.js';
import type { StoredJobOptions } from './job-record.js';

/** Options whose stored name is shorter than the public one (data model 2.2). `telemetry` is two of them. */
const SHORT_NAMES = {
  deduplication: 'de',
  failParentOnFailure: 'fpof',
  continueParentOnFailure: 'cpof',
  ignoreDependencyOnFailure: 'idof',
  removeDependencyOnFailure: 'rdof',
  keepLogs: 'kl',
} as const;

const LONG_NAMES = new Map<string, string>(Object.entries(SHORT_NAMES).map(([long, short]) => [short, long]));

/**
 * Public options -> what is stored. `attempts` is always there, `backoff` always an object. Undefined and null are left out: for other
 * clients' scripts a JSON null is true.
 */
export function toStoredOptions(options: JobsOptions): StoredJobOptions {
  const stored: Record<string, unknown> = { attempts: 0 };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || name === 'telemetry') continue;
    const short = Object.hasOwn(SHORT_NAMES, name) ? SHORT_NAMES[name as keyof typeof SHORT_NAMES] : name;
    stored[short] = name === 'backoff' && typeof value === 'number' ? { type: 'fixed', delay: value } : withoutNulls(value);
  }
  if (options.telemetry?.metadata !== undefined) stored.tm = options.telemetry.metadata;
  if (options.telemetry?.omitContext !== undefined) stored.omc = options.telemetry.omitContext;
  return stored;
}

/** Stored options -> the public names. Unknown names are kept. */
export function toPublicOptions(stored: StoredJobOptions): JobsOptions {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(stored)) {
    if (name !== 'tm' && name !== 'omc') options[LONG_NAMES.get(name) ?? name] = value;
  }
  if (stored.tm !== undefined || stored.omc !== undefined) {
    options.telemetry = {
      ...(stored.tm === undefined ? {} : { metadata: stored.tm }),
      ...(stored.omc === undefined ? {} : { omitContext: stored.omc }),
    };
  }
  return options as JobsOptions;
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && member !== null));
}
