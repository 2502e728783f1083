/** Rules on what belongs to one job or to the queue as a whole: states, records, locks, counters, markers. */
import { type Fields, JOB_KEYS, QUEUE_KEYS, type QueueSnapshot } from './queue-snapshot.js';

const INTEGER_FIELDS = ['timestamp', 'delay', 'priority', 'processedOn', 'ats', 'atm', 'stc', 'finishedOn'];
const PRIORITY_UNIT = 2 ** 32;

/** Every key is one that the format knows, has its type, and belongs to a job that is there. */
export function* keysKnown({ base, keys, records }: QueueSnapshot): Generator<string> {
  for (const [rest, { type }] of keys) {
    const wanted = rest.startsWith('de:') ? 'string' : rest.startsWith('dn:') ? 'hash' : QUEUE_KEYS[rest];
    if (wanted !== undefined) {
      if (type !== wanted) yield `key ${base}${rest} is a ${type}, not a ${wanted}`;
      continue;
    }
    if (records.has(rest) || (rest.startsWith('repeat:') && type === 'hash')) continue;
    const owner = rest.slice(0, rest.lastIndexOf(':'));
    const ofJob = JOB_KEYS[rest.slice(rest.lastIndexOf(':') + 1)];
    if (ofJob === undefined || (!records.has(owner) && !rest.endsWith(':lock'))) yield `key ${base}${rest} belongs to nothing`;
    else if (type !== ofJob) yield `key ${base}${rest} is a ${type}, not a ${ofJob}`;
  }
}

/** Every job is in one state, once, and fits it. */
export function* statesOnce(snapshot: QueueSnapshot): Generator<string> {
  const { states, records } = snapshot;
  const seen = new Map<string, string>();
  for (const list of ['wait', 'paused', 'active']) {
    const ids = snapshot.list(list);
    if (ids.length !== new Set(ids).size) yield `an id is twice in ${list}: ${ids.filter((id, at) => ids.indexOf(id) !== at).join(', ')}`;
  }
  for (const [state, scores] of states) {
    for (const [id, score] of scores) {
      const other = seen.get(id);
      if (other) yield `job ${id} is in ${other} and in ${state}`;
      seen.set(id, state);
      const record = records.get(id);
      if (!record) yield `job ${id} is in ${state} but has no record`;
      else yield* stateFits(id, state, score, record);
    }
  }
  for (const id of records.keys()) if (!seen.has(id)) yield `job ${id} has a record but is in no state`;
}

function* stateFits(id: string, state: string, score: number, record: Fields): Generator<string> {
  const isFinished = state === 'completed' || state === 'failed';
  if (isFinished && Number(record.finishedOn) !== score) yield `job ${id}: finishedOn ${record.finishedOn} but score ${score} in ${state}`;
  if (!isFinished && record.finishedOn) yield `job ${id} is in ${state} but has finishedOn`;
  if (state === 'prioritized' && Math.floor(score / PRIORITY_UNIT) !== Number(record.priority))
    yield `job ${id}: score ${score} does not fit priority ${record.priority}`;
  if (state === 'prioritized' && !(Number(record.priority) > 0)) yield `job ${id} is in prioritized with priority ${record.priority}`;
  if (state === 'delayed' && !Number.isSafeInteger(score)) yield `job ${id}: score ${score} in delayed is not exact`;
  if (state === 'active' && record.processedOn === undefined) yield `job ${id} is active but was never started`;
  if (state === 'completed' && !isJson(record.returnvalue)) yield `job ${id}: returnvalue is not JSON: ${record.returnvalue}`;
  if (state === 'failed' && record.failedReason === undefined) yield `job ${id} failed without a reason`;
}

/** What clients parse can be parsed. */
export function* recordsWhole({ records }: QueueSnapshot): Generator<string> {
  for (const [id, record] of records) {
    for (const field of ['name', 'data', 'opts', 'timestamp']) if (record[field] === undefined) yield `job ${id} has no ${field}`;
    for (const field of INTEGER_FIELDS) {
      const text = record[field];
      if (text !== undefined && !/^-?\d+$/.test(text)) yield `job ${id}: ${field} is not a decimal integer: ${text}`;
    }
    for (const field of ['data', 'opts', 'parent', 'stacktrace', 'progress']) {
      if (record[field] !== undefined && !isJson(record[field])) yield `job ${id}: ${field} is not JSON: ${record[field]}`;
    }
    for (const field of ['opts', 'parent']) if (hasNull(record[field])) yield `job ${id}: null in ${field} ${record[field]}`;
    if (Number(record.atm ?? 0) > Number(record.ats ?? 0))
      yield `job ${id}: ${record.atm} attempts made, but only ${record.ats ?? 0} started`;
  }
}

/** Whoever is active is locked, whoever is locked is active, and a lock ends by itself. */
export function* locksMatch(snapshot: QueueSnapshot, isIdle: boolean): Generator<string> {
  const { keys, records, states } = snapshot;
  const active = states.get('active') as ReadonlyMap<string, number>;
  for (const [rest, { ttlMs }] of keys) {
    if (!rest.endsWith(':lock')) continue;
    const id = rest.slice(0, -':lock'.length);
    if (!records.has(id)) yield `lock of job ${id}, which has no record`;
    if (!active.has(id)) yield `lock of job ${id}, which is not active`;
    if (ttlMs < 0) yield `lock of job ${id} never expires`;
  }
  for (const id of active.keys()) if (!keys.has(`${id}:lock`)) yield `job ${id} is active without a lock`;
  for (const id of snapshot.set('stalled')) if (!active.has(id)) yield `job ${id} is in stalled but not active`;
  if (isIdle && active.size > 0) yield `${active.size} jobs are active on an idle queue: ${[...active.keys()].slice(0, 5).join(', ')}`;
}

/** The id generator is ahead of all ids, counters are numbers, windows end, metrics add up. */
export function* countersFit(snapshot: QueueSnapshot): Generator<string> {
  const { keys, records } = snapshot;
  for (const name of ['id', 'pc', 'limiter']) {
    const text = snapshot.text(name);
    if (text !== undefined && !/^\d+$/.test(text)) yield `${name} is not a number: ${text}`;
  }
  const last = Number(snapshot.text('id') ?? 0);
  for (const id of records.keys()) if (/^[1-9]\d*$/.test(id) && Number(id) > last) yield `job ${id} is above the id counter ${last}`;
  for (const name of ['limiter', 'stalled-check', 'drover:exits', 'drover:returns'])
    if (keys.get(name)?.ttlMs === -1) yield `${name} never expires`;
  const maxEvents = snapshot.hash('meta')?.['opts.maxLenEvents'];
  if (maxEvents !== undefined && !/^\d+$/.test(maxEvents)) yield `opts.maxLenEvents is not a number: ${maxEvents}`;
  yield* metricsFit(snapshot, 'completed');
  yield* metricsFit(snapshot, 'failed');
}

function* metricsFit(snapshot: QueueSnapshot, target: string): Generator<string> {
  const metrics = snapshot.hash(`metrics:${target}`);
  const points = snapshot.list(`metrics:${target}:data`);
  if (!metrics && points.length > 0) yield `metrics of ${target}: data points without a count`;
  if (!metrics) return;
  const { count, prevTS, prevCount } = metrics;
  for (const [name, text] of Object.entries({ count, prevTS, prevCount })) {
    if (text === undefined || !/^\d+$/.test(text)) yield `metrics of ${target}: ${name} is not a number: ${text}`;
  }
  if (Number(prevCount) > Number(count)) yield `metrics of ${target}: ${prevCount} counted before, but only ${count} in all`;
  const strange = points.filter((point) => !/^\d+$/.test(point));
  if (strange.length > 0) yield `metrics of ${target}: data points ${strange.join(', ')}`;
  const sum = points.reduce((total, point) => total + Number(point), 0);
  if (sum > Number(prevCount)) yield `metrics of ${target}: data points add up to ${sum}, more than ${prevCount}`;
}

/** Every client understands the hints: `1` is due at its score, any other member is ready now and has the score 0. */
export function* markersFit(snapshot: QueueSnapshot): Generator<string> {
  for (const [member, score] of snapshot.zset('marker')) {
    if (member !== '1' && score !== 0) yield `the ready marker ${member} has the score ${score}`;
    if (member === '1' && !(score > 0)) yield `the delay marker has the score ${score}`;
  }
}

export function isJson(text: string | undefined): boolean {
  if (text === undefined) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Clients that decode JSON in Lua take a null for true. */
function hasNull(text: string | undefined): boolean {
  if (!isJson(text)) return false;
  const value: unknown = JSON.parse(text as string);
  return value === null || (typeof value === 'object' && Object.values(value).includes(null));
}
