import { didYouMean } from '@drover/core/kit';
import { ControlFailure, ControlRequest, SUPPORTED_VERSIONS, VERBS } from '../protocol/index.js';

/** A request, or the failure that answers it; `rid` is empty where none could be read. */
export type ParsedRequest =
  | { readonly ok: true; readonly request: ControlRequest }
  | { readonly ok: false; readonly rid: string; readonly failure: ControlFailure };

/** Turns anything that arrived into a request, or into a failure that names the path and the value. Unknown fields are ignored. */
export function parseRequest(raw: unknown): ParsedRequest {
  if (!isRecord(raw)) return refused('', bad(`a request must be an object, got ${show(raw)}`));
  const rid = typeof raw.rid === 'string' && raw.rid.length > 0 && raw.rid.length <= 128 ? raw.rid : '';
  const failure = checkHead(raw, rid) ?? checkVerb(raw.command);
  if (failure) return refused(rid, failure);
  const parsed = ControlRequest.safeParse(raw);
  return parsed.success ? { ok: true, request: parsed.data } : refused(rid, failureOf(raw, parsed.error.issues[0]));
}

function checkHead(raw: Record<string, unknown>, rid: string): ControlFailure | undefined {
  if (!SUPPORTED_VERSIONS.includes(raw.v as number)) {
    const supported = SUPPORTED_VERSIONS.join(', ');
    return new ControlFailure('UNSUPPORTED_VERSION', `v: protocol version ${show(raw.v)} is not spoken here; supported: ${supported}`, {
      supported: SUPPORTED_VERSIONS,
    });
  }
  if (raw.kind !== 'req') return bad(`kind: must be "req", got ${show(raw.kind)}`);
  if (rid === '') return bad(`rid: must be a text of 1 to 128 characters, got ${show(raw.rid)}`);
  if (raw.target !== undefined) return bad('target: a command to several primaries is not supported; send it to each');
  return undefined;
}

function checkVerb(command: unknown): ControlFailure | undefined {
  if (!isRecord(command)) return bad(`command: must be an object with a type, got ${show(command)}`);
  const { type } = command;
  if (typeof type !== 'string') return bad(`command.type: must be the name of a verb, got ${show(type)}`);
  if ((VERBS as readonly string[]).includes(type)) return undefined;
  const meant = didYouMean(type, VERBS);
  const hint = meant ? `; did you mean ${JSON.stringify(meant)}?` : '';
  return new ControlFailure('UNKNOWN_VERB', `unknown verb ${show(type)}${hint} (verbs: ${VERBS.join(', ')})`, { verbs: VERBS });
}

/** The part of a schema's complaint that is used here; whole numbers out of their range are OUT_OF_RANGE, all else is BAD_REQUEST. */
interface Issue {
  readonly code?: string | undefined;
  readonly origin?: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function failureOf(raw: unknown, issue: Issue | undefined): ControlFailure {
  if (!issue) return bad('not a request');
  const path = issue.path.map(String).join('.');
  const value = issue.path.reduce<unknown>((at, key) => (isRecord(at) || Array.isArray(at) ? Reflect.get(at, key) : undefined), raw);
  const isRange = (issue.code === 'too_small' || issue.code === 'too_big') && (issue.origin === 'number' || issue.origin === 'int');
  const message = `${path}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}, got ${show(value)}`;
  return isRange ? new ControlFailure('OUT_OF_RANGE', message, { path }) : new ControlFailure('BAD_REQUEST', message, { path });
}

function refused(rid: string, failure: ControlFailure): ParsedRequest {
  return { ok: false, rid, failure };
}

function bad(message: string): ControlFailure {
  return new ControlFailure('BAD_REQUEST', message);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as part of a line: short, on one line, whatever it is. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value);
}
