import { didYouMean } from '@drover/core/kit';
import { z } from 'zod';
import { ConfigError } from '../errors/errors.js';
import { ClusterSchema, GroupSchema } from './config-schema.js';

/** The first thing wrong with a configuration, as one line that names the path, the value and the fix. */
export function configError(error: z.ZodError, input: unknown, source: string): ConfigError {
  const issue = error.issues[0] as z.core.$ZodIssue;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] as string;
    const path = [...issue.path, key].join('.');
    const keys = issue.path.length > 0 ? knownKeys(issue.path) : [...knownKeys([]), ...Object.keys(GroupSchema.shape)];
    const guess = didYouMean(key, keys);
    return new ConfigError(path, `${source}: unknown key "${path}"${guess ? `, did you mean "${guess}"?` : ''}`);
  }
  const path = issue.path.join('.');
  return new ConfigError(path, `${source}: ${path || 'the configuration'} ${sentence(issue)}, got ${show(valueAt(input, issue.path))}`);
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}`;
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
  if (issue.code === 'invalid_key') return 'has a name that is not 1 to 64 letters, digits, ".", "_" or "-"';
  return issue.message.replace(/, got .*$/, '');
}

/** What may stand in the object at `path`: found by walking the schema. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = ClusterSchema;
  for (const part of path) at = step(unwrap(at), part);
  const object = unwrap(at);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional ? unwrap(schema.unwrap()) : schema;
}

function step(schema: unknown, part: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return schema.shape[part as string];
  return schema instanceof z.ZodRecord ? schema.valueType : undefined;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (typeof value === 'object' && value ? Reflect.get(value, part) : undefined), input);
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
