import { decodeJson } from './decode.js';

/** What became of a job's children: done, still awaited, failed and tolerated, failed so that the job fails. */
export type ChildKind = 'processed' | 'unprocessed' | 'ignored' | 'failed';

export const CHILD_KINDS: readonly ChildKind[] = ['processed', 'unprocessed', 'ignored', 'failed'];

/** Children of one kind: their full keys and, for `processed` (JSON text) and `ignored` (reason), what they left. */
export interface ChildPage {
  readonly entries: readonly (readonly [key: string, text: string | undefined])[];
  /** Where the next page begins; 0: this was the last. */
  readonly next: number;
}

export interface PageRequest {
  /** Where the page before ended; 0: from the start. */
  readonly cursor?: number;
  /** About how many to bring. Default 20. */
  readonly count?: number;
}

/** Which children to bring; without any kind: all of every kind. */
export type DependenciesRequest = { readonly [K in ChildKind]?: PageRequest };
/** Which children to count; without any kind: each. */
export type DependencyCountsRequest = { readonly [K in ChildKind]?: boolean };

/** Children by what became of them. A cursor is there for each kind that was asked for by page. */
export interface JobDependencies {
  /** Values by full job key. */
  processed?: Record<string, unknown>;
  nextProcessedCursor?: number;
  /** Full job keys. */
  unprocessed?: string[];
  nextUnprocessedCursor?: number;
  /** Reasons by full job key. */
  ignored?: Record<string, string>;
  nextIgnoredCursor?: number;
  /** Full job keys. */
  failed?: string[];
  nextFailedCursor?: number;
}

const CURSORS = {
  processed: 'nextProcessedCursor',
  unprocessed: 'nextUnprocessedCursor',
  ignored: 'nextIgnoredCursor',
  failed: 'nextFailedCursor',
} as const;

/** Pages -> BullMQ's shape. */
export function toDependencies(pages: readonly (readonly [ChildKind, ChildPage])[], hasCursors: boolean): JobDependencies {
  const dependencies: JobDependencies = {};
  for (const [kind, { entries, next }] of pages) {
    if (kind === 'processed') dependencies.processed = toValues(entries);
    else if (kind === 'ignored') dependencies.ignored = Object.fromEntries(entries.map(([key, text]) => [key, text ?? '']));
    else dependencies[kind] = entries.map(([key]) => key);
    if (hasCursors) dependencies[CURSORS[kind]] = next;
  }
  return dependencies;
}

/** Values by full child key; what is not JSON is left as the text it is. */
export function toValues(entries: ChildPage['entries']): Record<string, unknown> {
  return Object.fromEntries(entries.map(([key, text]) => [key, decodeJson(text, text).value]));
}
