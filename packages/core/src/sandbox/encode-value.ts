import { SandboxValueError } from './sandbox-errors.js';

/**
 * JSON text of a value that is to cross; undefined for what JSON leaves out.
 * @param what for the message: "the result of job 5".
 * @throws SandboxValueError when its text has more than `maxBytes`; TypeError of JSON when it cannot be written, as for a cycle.
 */
export function encodeValue(what: string, value: unknown, maxBytes: number): string | undefined {
  const json = JSON.stringify(value) as string | undefined; // throws TypeErrors of its own that say where the cycle is
  if (json === undefined) return undefined;
  const bytes = json.length * 3 > maxBytes ? Buffer.byteLength(json) : json.length;
  if (bytes > maxBytes) throw new SandboxValueError(what, bytes, maxBytes);
  return json;
}
