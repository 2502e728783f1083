import { decodeJson } from '../job/index.js';

/** An entry of an event stream: its fields, before anything is decoded. */
export interface StreamEvent {
  readonly name: string;
  readonly jobId: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

/** What listeners are handed, and what could not be decoded. */
export interface EventPayload {
  readonly payload: Readonly<Record<string, unknown>>;
  /** The field that holds something else than the JSON it should; it is passed on as the text it is. */
  readonly undecodable?: { readonly field: string; readonly reason: string };
}

/** Fields that hold JSON, by event. Everything else is a text, but for the due time of `delayed`. */
const JSON_FIELDS: Readonly<Record<string, string>> = { completed: 'returnvalue', progress: 'data' };

/** Reads the flat field list of an entry. @returns undefined for an entry that is no event: it has no name. */
export function readEvent(flat: readonly string[]): StreamEvent | undefined {
  const pairs: [string, string][] = [];
  let name: string | undefined;
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const field = flat[at] as string;
    const value = flat[at + 1] as string;
    if (field === 'event') name = value;
    else pairs.push([field, value]);
  }
  if (name === undefined || name === '') return undefined;
  const fields = Object.fromEntries(pairs);
  return { name, jobId: fields.jobId, fields };
}

/** Decodes what the data model (5.2) says is decoded, and nothing else: `count` and `attemptsMade` stay texts. */
export function decodeEvent({ name, fields }: StreamEvent): EventPayload {
  if (name === 'delayed' && fields.delay !== undefined) return { payload: { ...fields, delay: Number(fields.delay) } };
  const field = Object.hasOwn(JSON_FIELDS, name) ? (JSON_FIELDS[name] as string) : undefined;
  const text = field === undefined ? undefined : fields[field];
  if (field === undefined || text === undefined) return { payload: fields };
  const { value, problem } = decodeJson(text, text);
  const payload = { ...fields, [field]: value };
  return problem === undefined ? { payload } : { payload, undecodable: { field, reason: problem } };
}
