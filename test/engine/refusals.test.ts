/**
 * What cannot be meant is refused at the call, with the option's name and the value, before Redis is asked: nothing listens where these
 * queues and workers look for it. An option or a method without a row here fails the last tests.
 */
import { FlowProducer, InvalidOptionError, Job, JobScheduler, Queue, QueueEvents, QueueEventsProducer, Worker } from '@drover/core';
import { Cluster } from 'ioredis';
import {
  JOB_OPTIONS,
  PRIORITY_CHANGE,
  REMOVE_OPTIONS,
  REPEAT_OPTIONS,
  RETRY_OPTIONS,
  TEMPLATE,
  WAIT_OPTIONS,
} from '../../packages/core/src/job/index.js';
import { DEPENDENCIES_REQUEST, DEPENDENCY_COUNTS_REQUEST, PAGE_REQUEST } from '../../packages/core/src/job/job-view.js';
import { FLOW_JOB } from '../../packages/core/src/queue/flow-nodes.js';
import { FLOW_OPTIONS, FLOW_PRODUCER_OPTIONS } from '../../packages/core/src/queue/flow-options.js';
import { FLOW_REQUEST } from '../../packages/core/src/queue/flow-producer.js';
import { JOB_SCHEDULER_OPTIONS, UPSERT_MODE } from '../../packages/core/src/queue/job-scheduler.js';
import { BULK_JOB } from '../../packages/core/src/queue/queue.js';
import { OBLITERATE_OPTIONS, PROMOTE_JOBS_OPTIONS, RETRY_JOBS_OPTIONS } from '../../packages/core/src/queue/queue-admin.js';
import { PRODUCER_OPTIONS, QUEUE_EVENTS_OPTIONS } from '../../packages/core/src/queue/queue-events-options.js';
import { QUEUE_OPTIONS } from '../../packages/core/src/queue/queue-options.js';
import { DRAIN_OPTIONS } from '../../packages/core/src/worker/drain.js';
import { NEXT_JOB_OPTIONS } from '../../packages/core/src/worker/manual-lane.js';
import { WORKER_OPTIONS } from '../../packages/core/src/worker/worker-options.js';
import { atEnd } from '../support/at-end.js';
import { within } from '../support/engine.js';

/** Nothing listens there: a call that asks Redis first fails with another error. */
const NOWHERE = { host: '127.0.0.1', port: 1 };
const ENDLESS = Number.POSITIVE_INFINITY;

/** The name that the error has to give, and values it has to give for it. */
type Row = readonly [name: string, ...values: unknown[]];

const NUMBERS = [-1, 1.5, Number.NaN, ENDLESS, '5', true, {}];
const ABOVE_ZERO = [0, ...NUMBERS];
const TIMER = [...ABOVE_ZERO, 2 ** 31];
const FLAG = [0, 1, 'yes', {}];
const TEXT = ['', 5, true, {}];
const OBJECT = [5, 'x', true, []];
const DELAY = [-5, -0.5, Number.NaN, ENDLESS, '5', true, 315_360_000_001];
const KEEP = [{ count: -2 }, { count: 1.5 }, { age: -1 }, { limit: 0 }, { cuont: 1 }];
const LISTS = [5, 'x', {}];
const NAMES = [5, true, {}];
const DATES = ['junk', Number.NaN, true, {}];
const PARENT = ['p', {}, { id: 'p' }, { id: 'p', queue: 'q' }, { id: 'p', queue: 'bull:q', key: 1 }];
const TELEMETRY = [...OBJECT, {}, { tracer: {} }, { tracer: { startSpan: () => undefined } }];
const POSITIONS = [1.5, Number.NaN, ENDLESS, '1'];

const CONNECTION: Row = [
  'connection',
  6379,
  { url: 'localhost' },
  { url: 6379 },
  'localhost',
  [],
  new Cluster([NOWHERE], { lazyConnect: true }),
  { keyPrefix: 'mine:' },
];

const OPTIONS = {
  job: [
    ['timestamp', ...NUMBERS],
    ['priority', ...NUMBERS, 2_097_152],
    ['delay', ...DELAY],
    ['attempts', ...NUMBERS],
    ['backoff', -5, Number.NaN, 'fixed', {}, { type: 'fixed', delay: -1 }, { type: 'fixed', jitter: 2 }, { type: 'fixed', dely: 1 }],
    ['lifo', ...FLAG],
    ['removeOnComplete', -2, 1.5, 'all', ...KEEP],
    ['removeOnFail', -2, 1.5, 'all', ...KEEP],
    ['keepLogs', ...NUMBERS],
    ['stackTraceLimit', ...NUMBERS],
    ['sizeLimit', ...NUMBERS],
    ['jobId', ...TEXT, '12', 'a:b', 'meta'],
    ['parent', ...PARENT],
    ['deduplication', 'x', {}, { id: '' }, { id: 'x', ttl: -1 }, { id: 'x', ttl: 1.5 }, { id: 'x', extend: 1 }, { id: 'x', tll: 5 }],
    ['debounce', { id: 'x' }],
    ['repeat', { every: 5 }],
    ['failParentOnFailure', ...FLAG],
    ['continueParentOnFailure', ...FLAG],
    ['ignoreDependencyOnFailure', ...FLAG],
    ['removeDependencyOnFailure', ...FLAG],
    ['telemetry', 'x', { metadata: 5 }, { omitContext: 'no' }, { meta: 'x' }],
    ['prioritty', 1],
  ],
  queue: [
    CONNECTION,
    ['prefix', ...TEXT],
    ['defaultJobOptions', ...OBJECT, { delay: -1 }, { attemps: 3 }],
    ['streams', ...OBJECT, { event: {} }, { events: 5 }, { events: { maxLen: -1 } }, { events: { maxlen: 5 } }],
    ['skipMetasUpdate', ...FLAG],
    ['skipVersionCheck', ...FLAG],
    ['skipWaitingForReady', ...FLAG],
    ['settings', ...OBJECT, { repeatStrategy: 'x' }, { backoffStrategy: () => 1 }],
    ['telemetry', ...TELEMETRY],
    ['prefixx', 'bull'],
  ],
  worker: [
    CONNECTION,
    ['prefix', ...TEXT],
    ['name', ...TEXT],
    ['autorun', ...FLAG],
    ['concurrency', ...ABOVE_ZERO],
    ['limiter', ...OBJECT, {}, { max: 1 }, { max: 0, duration: 1 }, { max: 1, duration: 1.5 }, { max: 1, duration: 1, groupKey: 'x' }],
    ['metrics', ...OBJECT, { maxDataPoints: 0 }, { maxDataPoints: '5' }, { maxPoints: 5 }],
    ['maximumRateLimitDelay', ...TIMER],
    ['maxStartedAttempts', ...NUMBERS],
    ['maxStalledCount', ...NUMBERS],
    ['maxReturns', ...NUMBERS],
    ['onMaxReturns', ...TEXT, 'wait'],
    ['stalledInterval', ...TIMER],
    ['removeOnComplete', 5, true, ...KEEP],
    ['removeOnFail', 5, true, ...KEEP],
    ['skipStalledCheck', ...FLAG],
    ['skipLockRenewal', ...FLAG],
    ['drainDelay', 0, -1, Number.NaN, ENDLESS, '5', 2_147_484],
    ['lockDuration', ...TIMER],
    ['lockRenewTime', ...TIMER, 30_001],
    ['settings', ...OBJECT, { backoffStrategy: 5 }, { repeatStrategy: 'x' }, { backofStrategy: () => 1 }],
    ['runtime', 5, {}],
    ['logger', 5, {}, { debug: 1 }],
    ['runRetryDelay', ...NUMBERS],
    ['skipVersionCheck', ...FLAG],
    ['skipWaitingForReady', ...FLAG],
    ['useWorkerThreads', ...FLAG],
    ['workerForkOptions', ...OBJECT, { stdio: ['pipe', 'pipe', 'pipe'] }],
    ['workerThreadsOptions', ...OBJECT],
    ['sandboxGrace', ...ABOVE_ZERO],
    ['telemetry', ...TELEMETRY],
    ['concurency', 5],
  ],
  queueEvents: [
    CONNECTION,
    ['prefix', ...TEXT],
    ['runtime', 5, {}],
    ['skipVersionCheck', ...FLAG],
    ['skipWaitingForReady', ...FLAG],
    ['telemetry', ...OBJECT],
    ['autorun', ...FLAG],
    ['lastEventId', '', 5, 'now', '1-'],
    ['blockingTimeout', ...TIMER],
    ['lastEventid', '$'],
  ],
  producer: [
    CONNECTION,
    ['prefix', ...TEXT],
    ['runtime', 5, {}],
    ['skipVersionCheck', ...FLAG],
    ['skipWaitingForReady', ...FLAG],
    ['telemetry', ...OBJECT],
    ['autorun', true],
  ],
  flowProducer: [
    CONNECTION,
    ['prefix', ...TEXT],
    ['skipVersionCheck', ...FLAG],
    ['skipWaitingForReady', ...FLAG],
    ['telemetry', ...TELEMETRY],
    ['prefx', 'bull'],
  ],
  jobScheduler: [
    CONNECTION,
    ['prefix', ...TEXT],
    ['settings', ...OBJECT, { repeatStrategy: 'x' }],
    ['skipVersionCheck', ...FLAG],
    ['skipWaitingForReady', ...FLAG],
    ['telemetry', ...TELEMETRY],
    ['defaultJobOptions', {}],
  ],
} satisfies Record<string, readonly Row[]>;

interface Subjects {
  readonly queue: Queue;
  readonly worker: Worker;
  readonly producer: QueueEventsProducer;
  readonly job: Job;
  readonly flows: FlowProducer;
  readonly schedulers: JobScheduler;
}

/** A call that has one argument, or one member of an options object, to be refused. */
type Call = readonly [call: string, name: string, values: readonly unknown[], run: (subjects: Subjects, value: never) => unknown];

/** An options object of a call: each member with values, and one that does not exist. */
function members(call: string, rows: readonly Row[], run: (subjects: Subjects, options: never) => unknown): Call[] {
  const given = rows.map(([name, ...values]): Call => [call, name, values, (on, value) => run(on, { [name]: value } as never)]);
  return [...given, [call, 'options', OBJECT, run], [call, 'colour', ['red'], (on, value) => run(on, { colour: value } as never)]];
}

/** Makes a scheduler with a rule and a template of one queue, by the queue or by the class of its own. */
type Upsert = (subjects: Subjects, repeat: object, template: object) => unknown;
const REPEAT: readonly Row[] = [
  ['pattern', ...NAMES],
  ['every', ...NUMBERS],
  ['limit', ...NUMBERS],
  ['startDate', ...DATES],
  ['endDate', ...DATES],
  ['tz', ...NAMES],
  ['immediately', ...FLAG],
  ['offset', ...NUMBERS],
  ['count', ...NUMBERS],
  ['evry', 5],
];
const upserts = (call: string, upsert: Upsert): Call[] => [
  ...REPEAT.map(
    ([name, ...values]): Call => [
      call,
      `repeat.${name}`,
      values,
      (on, value) => upsert(on, { every: 5, [name]: value }, { name: 'a', opts: {} }),
    ],
  ),
  [call, 'repeat options', OBJECT, (on, value) => upsert(on, value, { name: 'a', opts: {} })],
  [call, 'template.name', NAMES, (on, value) => upsert(on, { every: 5 }, { name: value, opts: {} })],
  [call, 'template.opts', OBJECT, (on, value) => upsert(on, { every: 5 }, { name: 'a', opts: value })],
  [call, 'template.opts.delay', [5], (on, value) => upsert(on, { every: 5 }, { name: 'a', opts: { delay: value } })],
  [call, 'template.opts.priority', NUMBERS, (on, value) => upsert(on, { every: 5 }, { name: 'a', opts: { priority: value } })],
];
const node = (more: object = {}) => ({ name: 'a', queueName: 'mail', ...more }) as never;

const CALLS: readonly Call[] = [
  ...members('Queue.remove', [['removeChildren', ...FLAG]], ({ queue }, options) => queue.remove('a', options)),
  ...members(
    'Queue.retryJobs',
    [
      ['count', ...ABOVE_ZERO],
      ['state', 'wait', 5],
      ['timestamp', ...NUMBERS],
    ],
    ({ queue }, options) => queue.retryJobs(options),
  ),
  ...members('Queue.promoteJobs', [['count', ...ABOVE_ZERO]], ({ queue }, options) => queue.promoteJobs(options)),
  ...members(
    'Queue.obliterate',
    [
      ['count', ...ABOVE_ZERO],
      ['force', ...FLAG],
    ],
    ({ queue }, options) => queue.obliterate(options),
  ),
  ['Queue.add', 'job name', [5, undefined], ({ queue }, value) => queue.add(value, {})],
  ['Queue.add', 'opts', [5, 'x'], ({ queue }, value) => queue.add('a', {}, value)],
  ['Queue.addBulk', 'jobs', [5, {}], ({ queue }, value) => queue.addBulk(value)],
  ['Queue.addBulk', 'jobs[0]', [5, null], ({ queue }, value) => queue.addBulk([value])],
  ['Queue.addBulk', 'jobs[0].opts', [5, []], ({ queue }, value) => queue.addBulk([{ name: 'a', data: 1, opts: value }])],
  ['Queue.addBulk', 'jobs[0].options', [{}], ({ queue }, value) => queue.addBulk([{ name: 'a', data: 1, options: value } as never])],
  ['Queue.addJobLog', 'keepLogs', NUMBERS, ({ queue }, value) => queue.addJobLog('a', 'row', value)],
  ['Queue.drain', 'delayed', FLAG, ({ queue }, value) => queue.drain(value)],
  ['Queue.clean', 'grace', NUMBERS, ({ queue }, value) => queue.clean(value, 1)],
  ['Queue.clean', 'limit', [-1, 1.5, Number.NaN, '5'], ({ queue }, value) => queue.clean(1, value)],
  ['Queue.clean', 'type', ['done', 5], ({ queue }, value) => queue.clean(1, 1, value)],
  ['Queue.removeOrphanedJobs', 'count', ABOVE_ZERO, ({ queue }, value) => queue.removeOrphanedJobs(value)],
  ['Queue.removeOrphanedJobs', 'limit', NUMBERS, ({ queue }, value) => queue.removeOrphanedJobs(1, value)],
  ['Queue.trimEvents', 'maxLength', NUMBERS, ({ queue }, value) => queue.trimEvents(value)],
  ['Queue.setGlobalConcurrency', 'concurrency', ABOVE_ZERO, ({ queue }, value) => queue.setGlobalConcurrency(value)],
  ['Queue.setGlobalRateLimit', 'max', ABOVE_ZERO, ({ queue }, value) => queue.setGlobalRateLimit(value, 1)],
  ['Queue.setGlobalRateLimit', 'duration', ABOVE_ZERO, ({ queue }, value) => queue.setGlobalRateLimit(1, value)],
  ['Queue.rateLimit', 'expireTimeMs', ABOVE_ZERO, ({ queue }, value) => queue.rateLimit(value)],
  ['Queue.getRateLimitTtl', 'maxJobs', NUMBERS, ({ queue }, value) => queue.getRateLimitTtl(value)],
  ['Queue.getJobs', 'type', ['done', 5], ({ queue }, value) => queue.getJobs([value])],
  ['Queue.getJobs', 'start', POSITIONS, ({ queue }, value) => queue.getJobs([], value)],
  ['Queue.getJobs', 'end', POSITIONS, ({ queue }, value) => queue.getJobs([], 0, value)],
  ['Queue.getJobs', 'asc', FLAG, ({ queue }, value) => queue.getJobs([], 0, 1, value)],
  ...(['getWaiting', 'getActive', 'getDelayed', 'getPrioritized', 'getCompleted', 'getFailed', 'getWaitingChildren'] as const).flatMap(
    (getter): Call[] => [
      [`Queue.${getter}`, 'start', POSITIONS, ({ queue }, value) => queue[getter](value)],
      [`Queue.${getter}`, 'end', POSITIONS, ({ queue }, value) => queue[getter](0, value)],
    ],
  ),
  ['Queue.getJobLogs', 'start', POSITIONS, ({ queue }, value) => queue.getJobLogs('a', value)],
  ['Queue.getJobLogs', 'end', POSITIONS, ({ queue }, value) => queue.getJobLogs('a', 0, value)],
  ['Queue.getJobLogs', 'asc', FLAG, ({ queue }, value) => queue.getJobLogs('a', 0, 1, value)],
  ['Queue.getDependencies', 'type', ['failed', 'constructor'], ({ queue }, value) => queue.getDependencies('a', value)],
  ['Queue.getDependencies', 'start', NUMBERS, ({ queue }, value) => queue.getDependencies('a', 'pending', value)],
  ['Queue.getDependencies', 'end', [-2, ...POSITIONS], ({ queue }, value) => queue.getDependencies('a', 'pending', 0, value)],
  ['Queue.getMetrics', 'type', ['active', 5], ({ queue }, value) => queue.getMetrics(value)],
  ['Queue.getMetrics', 'start', POSITIONS, ({ queue }, value) => queue.getMetrics('failed', value)],
  ['Queue.getMetrics', 'end', POSITIONS, ({ queue }, value) => queue.getMetrics('failed', 0, value)],
  ['Queue.getJobCounts', 'type', ['done', 'constructor'], ({ queue }, value) => queue.getJobCounts(value)],
  ['Queue.getJobCountByTypes', 'type', ['done', 5], ({ queue }, value) => queue.getJobCountByTypes(value)],
  ['Queue.getCountsPerPriority', 'priority', [...NUMBERS, 2_097_152], ({ queue }, value) => queue.getCountsPerPriority([value])],
  ['Queue.getCountsPerPriority', 'priorities', [5, {}], ({ queue }, value) => queue.getCountsPerPriority(value)],
  ['Queue.getDelayedCount', 'before', NUMBERS, ({ queue }, value) => queue.getDelayedCount(value)],
  ['Queue.exportPrometheusMetrics', 'labels', [5, []], ({ queue }, value) => queue.exportPrometheusMetrics(value)],

  ...upserts('Queue.upsertJobScheduler', ({ queue }, repeat, template) => queue.upsertJobScheduler('s', repeat, template)),
  ['Queue.upsertJobScheduler', 'job scheduler id', TEXT, ({ queue }, value) => queue.upsertJobScheduler(value, { every: 5 })],
  ['Queue.upsertJobScheduler', 'template', OBJECT, ({ queue }, value) => queue.upsertJobScheduler('s', { every: 5 }, value)],
  [
    'Queue.upsertJobScheduler',
    'template.nam',
    ['a'],
    ({ queue }, value) => queue.upsertJobScheduler('s', { every: 5 }, { nam: value } as never),
  ],
  ['Queue.removeJobScheduler', 'job scheduler id', NAMES, ({ queue }, value) => queue.removeJobScheduler(value)],
  ['Queue.getJobScheduler', 'job scheduler id', NAMES, ({ queue }, value) => queue.getJobScheduler(value)],
  ['Queue.getJobSchedulers', 'start', POSITIONS, ({ queue }, value) => queue.getJobSchedulers(value)],
  ['Queue.getJobSchedulers', 'end', POSITIONS, ({ queue }, value) => queue.getJobSchedulers(0, value)],
  ['Queue.getJobSchedulers', 'asc', FLAG, ({ queue }, value) => queue.getJobSchedulers(0, 1, value)],
  ['Queue.recordJobCountsMetric', 'type', ['done', 'constructor'], ({ queue }, value) => queue.recordJobCountsMetric(value)],

  ...upserts('JobScheduler.upsertJobScheduler', ({ schedulers }, repeat, { name, opts }: { name?: never; opts?: never }) =>
    schedulers.upsertJobScheduler('s', repeat, name as never, {}, opts),
  ),
  ...members('JobScheduler.upsertJobScheduler', [['override', false, ...FLAG]], ({ schedulers }, mode) =>
    schedulers.upsertJobScheduler('s', { every: 5 }, 'a', {}, {}, mode),
  ),
  [
    'JobScheduler.upsertJobScheduler',
    'job scheduler id',
    TEXT,
    ({ schedulers }, value) => schedulers.upsertJobScheduler(value, { every: 5 }, 'a', {}),
  ],
  ['JobScheduler.removeJobScheduler', 'job scheduler id', NAMES, ({ schedulers }, value) => schedulers.removeJobScheduler(value)],
  ['JobScheduler.getScheduler', 'job scheduler id', NAMES, ({ schedulers }, value) => schedulers.getScheduler(value)],
  ['JobScheduler.isJobScheduler', 'job scheduler id', NAMES, ({ schedulers }, value) => schedulers.isJobScheduler(value)],
  ['JobScheduler.getJobSchedulers', 'start', POSITIONS, ({ schedulers }, value) => schedulers.getJobSchedulers(value)],
  ['JobScheduler.getJobSchedulers', 'end', POSITIONS, ({ schedulers }, value) => schedulers.getJobSchedulers(0, value)],
  ['JobScheduler.getJobSchedulers', 'asc', FLAG, ({ schedulers }, value) => schedulers.getJobSchedulers(0, 1, value)],

  ...members('FlowProducer.add', [['queuesOptions', ...OBJECT, { mail: 5 }, { mail: { prefixx: 'a' } }]], ({ flows }, options) =>
    flows.add(node(), options),
  ),
  ['FlowProducer.add', 'flow', [...OBJECT, undefined, null], ({ flows }, value) => flows.add(value)],
  ['FlowProducer.add', 'flow.job name', [...NAMES, undefined], ({ flows }, value) => flows.add(node({ name: value }))],
  ['FlowProducer.add', 'flow.queue name', [...TEXT, 'a:b', undefined], ({ flows }, value) => flows.add(node({ queueName: value }))],
  ['FlowProducer.add', 'flow.prefix', TEXT, ({ flows }, value) => flows.add(node({ prefix: value }))],
  ['FlowProducer.add', 'flow.opts', OBJECT, ({ flows }, value) => flows.add(node({ opts: value }))],
  ['FlowProducer.add', 'flow.delay', DELAY, ({ flows }, value) => flows.add(node({ opts: { delay: value } }))],
  ['FlowProducer.add', 'flow.children', LISTS, ({ flows }, value) => flows.add(node({ children: value }))],
  ['FlowProducer.add', 'flow.children[0]', OBJECT, ({ flows }, value) => flows.add(node({ children: [value] }))],
  ['FlowProducer.add', 'flow.childrn', [[]], ({ flows }, value) => flows.add(node({ childrn: value }))],
  ['FlowProducer.addBulk', 'flows', LISTS, ({ flows }, value) => flows.addBulk(value)],
  ['FlowProducer.addBulk', 'flows[0]', OBJECT, ({ flows }, value) => flows.addBulk([value])],
  ['FlowProducer.getFlow', 'request', OBJECT, ({ flows }, value) => flows.getFlow(value)],
  ...(
    [
      ['id', [...TEXT, undefined]],
      ['prefix', TEXT],
      ['depth', ABOVE_ZERO],
      ['maxChildren', ABOVE_ZERO],
      ['dept', [5]],
    ] as const
  ).map(
    ([name, values]): Call => [
      'FlowProducer.getFlow',
      `request.${name}`,
      values,
      ({ flows }, value) => flows.getFlow({ queueName: 'mail', id: 'a', [name]: value }),
    ],
  ),
  ['FlowProducer.getFlow', 'queue name', [...TEXT, 'a:b', undefined], ({ flows }, value) => flows.getFlow({ queueName: value, id: 'a' })],

  ...members('Worker.getNextJob', [['block', ...FLAG]], ({ worker }, options) => worker.getNextJob('token', options)),
  ['Worker.getNextJob', 'token', TEXT, ({ worker }, value) => worker.getNextJob(value)],
  ...members(
    'Worker.drain',
    [
      ['abortLeadMs', ...NUMBERS],
      ['onDeadline', 'wait', 5],
    ],
    ({ worker }, options) => worker.drain(within(0), options),
  ),
  ['Worker.concurrency', 'concurrency', ABOVE_ZERO, ({ worker }, value) => Object.assign(worker, { concurrency: value })],
  ['Worker.pause', 'doNotWaitActive', FLAG, ({ worker }, value) => worker.pause(value)],
  ['Worker.close', 'force', FLAG, ({ worker }, value) => worker.close(value)],
  ['Worker.rateLimit', 'expireTimeMs', ABOVE_ZERO, ({ worker }, value) => worker.rateLimit(value)],
  ['Worker.extendJobLocks', 'duration', ABOVE_ZERO, ({ worker }, value) => worker.extendJobLocks(['a'], ['t'], value)],
  ['Worker.extendJobLocks', 'tokens', [5, [], ['a', 'b']], ({ worker }, value) => worker.extendJobLocks(['a'], value, 5)],
  ['Worker.extendJobLocks', 'jobIds', [5], ({ worker }, value) => worker.extendJobLocks(value, [], 5)],

  ['QueueEventsProducer.publishEvent', 'maxEvents', NUMBERS, ({ producer }, value) => producer.publishEvent({ eventName: 'x' }, value)],
  [
    'QueueEventsProducer.publishEvent',
    'eventName',
    [...TEXT, 'error'],
    ({ producer }, value) => producer.publishEvent({ eventName: value }),
  ],

  ...members(
    'Job.changePriority',
    [
      ['priority', ...NUMBERS, 2_097_152],
      ['lifo', ...FLAG],
    ],
    ({ job }, options) => job.changePriority(options),
  ),
  ...members(
    'Job.retry',
    [
      ['resetAttemptsMade', ...FLAG],
      ['resetAttemptsStarted', ...FLAG],
    ],
    ({ job }, options) => job.retry('failed', options),
  ),
  ['Job.retry', 'state', ['wait', 5], ({ job }, value) => job.retry(value)],
  ...members('Job.remove', [['removeChildren', ...FLAG]], ({ job }, options) => job.remove(options)),
  ['Job.changeDelay', 'delay', DELAY, ({ job }, value) => job.changeDelay(value)],
  ['Job.moveToDelayed', 'timestamp', [-1, Number.NaN, ENDLESS, '5', 8e15], ({ job }, value) => job.moveToDelayed(value, 'token')],
  ...members('Job.moveToWaitingChildren', [['child', ...PARENT]], ({ job }, options) => job.moveToWaitingChildren('token', options)),
  ['Job.clearLogs', 'keepLogs', NUMBERS, ({ job }, value) => job.clearLogs(value)],
  ['Job.extendLock', 'duration', ABOVE_ZERO, ({ job }, value) => job.extendLock('token', value)],
  ['Job.waitUntilFinished', 'ttl', [...NUMBERS, 2 ** 31], ({ job }, value) => job.waitUntilFinished({} as never, value)],
  ...(['processed', 'unprocessed', 'ignored', 'failed'] as const).flatMap((kind): Call[] => [
    ['Job.getDependencies', kind, OBJECT, ({ job }, value) => job.getDependencies({ [kind]: value })],
    ['Job.getDependencies', `${kind}.cursor`, NUMBERS, ({ job }, value) => job.getDependencies({ [kind]: { cursor: value } })],
    ['Job.getDependencies', `${kind}.count`, ABOVE_ZERO, ({ job }, value) => job.getDependencies({ [kind]: { count: value } })],
    ['Job.getDependenciesCount', kind, FLAG, ({ job }, value) => job.getDependenciesCount({ [kind]: value })],
  ]),
  ['Job.getDependencies', 'colour', ['red'], ({ job }, value) => job.getDependencies({ colour: value } as never)],
  ['Job.getDependenciesCount', 'colour', ['red'], ({ job }, value) => job.getDependenciesCount({ colour: value } as never)],
  ['Job.addJobLog', 'keepLogs', NUMBERS, ({ queue }, value) => Job.addJobLog(queue, 'a', 'row', value)],
];

/** Methods that take no options and no numbers: ids, data, results, reasons, or nothing at all. */
const PLAIN = new Set([
  ...[
    'Queue.waitUntilReady',
    'Queue.close',
    'Queue.disconnect',
    'Queue.pause',
    'Queue.resume',
    'Queue.jobOf',
    'Queue.ready',
    'Queue.toKey',
  ],
  ...['removeDeduplicationKey', 'removeDebounceKey', 'updateJobProgress', 'removeDeprecatedPriorityKey'].map((name) => `Queue.${name}`),
  ...['removeGlobalConcurrency', 'removeGlobalRateLimit', 'removeRateLimitKey', 'getJob', 'getJobState'].map((name) => `Queue.${name}`),
  ...['getDeduplicationJobId', 'getDebounceJobId', 'count', 'isPaused', 'isMaxed', 'getMeta', 'getVersion'].map((name) => `Queue.${name}`),
  ...['Waiting', 'Active', 'Prioritized', 'Completed', 'Failed', 'WaitingChildren'].map((state) => `Queue.get${state}Count`),
  ...['getGlobalConcurrency', 'getGlobalRateLimit', 'getJobSchedulersCount', 'getWorkers', 'getWorkersCount', 'getQueueEvents'].map(
    (name) => `Queue.${name}`,
  ),
  ...['run', 'isRunning', 'isPaused', 'resume', 'waitUntilReady', 'startStalledCheckTimer', 'hand', 'cancelJob', 'cancelAllJobs'].map(
    (name) => `Worker.${name}`,
  ),
  ...['isRunning', 'run', 'waitUntilReady', 'onClose', 'close', 'on', 'once', 'off'].map((name) => `QueueEvents.${name}`),
  ...['waitUntilReady', 'close'].map((name) => `QueueEventsProducer.${name}`),
  ...['applyUpdate', 'getState', 'isCompleted', 'isFailed', 'isDelayed', 'isActive', 'isWaiting', 'isWaitingChildren'].map(
    (n) => `Job.${n}`,
  ),
  ...['getChildrenValues', 'getIgnoredChildrenFailures', 'getFailedChildrenValues', 'toJSON', 'asJSON', 'check'].map((n) => `Job.${n}`),
  ...['updateData', 'updateProgress', 'log', 'promote', 'removeDeduplicationKey', 'removeUnprocessedChildren'].map((n) => `Job.${n}`),
  ...['removeChildDependency', 'discard', 'moveToCompleted', 'moveToFailed', 'moveToWait'].map((n) => `Job.${n}`),
  'Job.ownToken',
  'Queue.traced', // for the classes of queues themselves
  ...['waitUntilReady', 'close', 'disconnect'].map((name) => `FlowProducer.${name}`),
  ...['toKey', 'waitUntilReady', 'getSchedulersCount', 'close', 'disconnect'].map((name) => `JobScheduler.${name}`),
]);

let subjects: Subjects;

beforeAll(() => {
  const queue = new Queue('mail', { connection: NOWHERE, skipMetasUpdate: true });
  queue.on('error', () => undefined);
  const worker = new Worker('mail', null, { connection: NOWHERE });
  worker.on('error', () => undefined);
  const producer = new QueueEventsProducer('mail', { connection: NOWHERE });
  const flows = new FlowProducer({ connection: NOWHERE });
  flows.on('error', () => undefined);
  const schedulers = new JobScheduler('mail', { connection: NOWHERE });
  atEnd(() => Promise.all([queue.close(), worker.close(), producer.close(), flows.close(), schedulers.close()]));
  const job = Job.fromJSON(queue, { name: 'a', data: '{}', opts: '{}', timestamp: '1' }, 'a');
  subjects = { queue, worker, producer, job, flows, schedulers };
});

/** What a call throws or rejects with. A call that is not refused and then waits for Redis is seen by its error, or by the test's limit. */
async function refusalOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

function expectRefusal(error: unknown, name: string, value: unknown): void {
  expect({ value, error }).toEqual({ value, error: expect.any(InvalidOptionError) });
  const { option, message } = error as InvalidOptionError;
  expect({ value, option: option === name || option.startsWith(`${name}.`) ? name : option }).toEqual({ value, option: name });
  expect(message).toMatch(/ must be .+, got /);
  if (typeof value === 'number' || typeof value === 'boolean') expect(message).toContain(`got ${value}`);
  if (typeof value === 'string') expect(message).toContain(`got ${JSON.stringify(value)}`);
}

describe('options of jobs', () => {
  test.each(OPTIONS.job.map(([name, ...values]) => [name, values] as const))('%s', async (name, values) => {
    const { queue } = subjects;
    for (const value of values) {
      const opts = { [name]: value };
      expectRefusal(await refusalOf(() => queue.add('a', {}, opts)), name, value);
      expectRefusal(await refusalOf(() => queue.addBulk([{ name: 'a', data: {}, opts }])), name, value);
      expectRefusal(
        await refusalOf(() => new Queue('mail', { connection: NOWHERE, defaultJobOptions: opts })),
        `defaultJobOptions.${name}`,
        value,
      );
    }
  });
});

describe.each([
  ['Queue', OPTIONS.queue, (options: object) => new Queue('mail', options)],
  ['Worker', OPTIONS.worker, (options: object) => new Worker('mail', null, options)],
  ['QueueEvents', OPTIONS.queueEvents, (options: object) => new QueueEvents('mail', options)],
  ['QueueEventsProducer', OPTIONS.producer, (options: object) => new QueueEventsProducer('mail', options)],
  ['FlowProducer', OPTIONS.flowProducer, (options: object) => new FlowProducer(options)],
  ['JobScheduler', OPTIONS.jobScheduler, (options: object) => new JobScheduler('mail', options)],
] as const)('options of %s', (_, rows, make) => {
  test.each((rows as readonly Row[]).map(([name, ...values]) => [name, values] as const))('%s', (name, values) => {
    for (const value of values) {
      let error: unknown;
      try {
        make({ [name]: value });
      } catch (thrown) {
        error = thrown;
      }
      expectRefusal(error, name, value);
    }
  });

  test.each([5, 'x', null, []])('%j in their place', (options) => {
    expect(() => make(options as never)).toThrow('options must be an object, got');
  });
});

describe('arguments of methods', () => {
  test.each(CALLS)('%s: %s', async (_, name, values, run) => {
    for (const value of values) expectRefusal(await refusalOf(() => run(subjects, value as never)), name, value);
  });
});

describe('nothing is left out', () => {
  const namesOf = (rows: readonly Row[]) => new Set(rows.map(([name]) => name));
  const ofCall = (call: string) => new Set(CALLS.filter(([each]) => each === call).map(([, name]) => name));
  /** Members of an argument. @param others those without effect, and those that errors give another name. */
  const membersOf = (call: string, path: string, ...others: string[]) =>
    new Set([...others, ...[...ofCall(call)].flatMap((name) => (name.startsWith(`${path}.`) ? [name.slice(path.length + 1)] : []))]);

  test.each([
    ['jobs', JOB_OPTIONS, namesOf(OPTIONS.job)],
    ['Queue', QUEUE_OPTIONS, namesOf(OPTIONS.queue)],
    ['Worker', WORKER_OPTIONS, namesOf(OPTIONS.worker)],
    ['QueueEvents', QUEUE_EVENTS_OPTIONS, namesOf(OPTIONS.queueEvents)],
    ['QueueEventsProducer', PRODUCER_OPTIONS, namesOf(OPTIONS.producer)],
    ['FlowProducer', FLOW_PRODUCER_OPTIONS, namesOf(OPTIONS.flowProducer)],
    ['JobScheduler', JOB_SCHEDULER_OPTIONS, namesOf(OPTIONS.jobScheduler)],
    ['FlowProducer.add', FLOW_OPTIONS, ofCall('FlowProducer.add')],
    ['a node of FlowProducer.add', FLOW_JOB, membersOf('FlowProducer.add', 'flow', 'name', 'queueName', 'data')],
    ['FlowProducer.getFlow', FLOW_REQUEST, membersOf('FlowProducer.getFlow', 'request', 'queueName')],
    ['Queue.upsertJobScheduler', REPEAT_OPTIONS, membersOf('Queue.upsertJobScheduler', 'repeat', 'key', 'jobId', 'prevMillis')],
    [
      'JobScheduler.upsertJobScheduler',
      REPEAT_OPTIONS,
      membersOf('JobScheduler.upsertJobScheduler', 'repeat', 'key', 'jobId', 'prevMillis'),
    ],
    ['a template of Queue.upsertJobScheduler', TEMPLATE, membersOf('Queue.upsertJobScheduler', 'template', 'data')],
    ['the mode of JobScheduler.upsertJobScheduler', UPSERT_MODE, ofCall('JobScheduler.upsertJobScheduler')],
    ['Job.moveToWaitingChildren', WAIT_OPTIONS, ofCall('Job.moveToWaitingChildren')],
    ['Queue.remove', REMOVE_OPTIONS, ofCall('Queue.remove')],
    ['Queue.retryJobs', RETRY_JOBS_OPTIONS, ofCall('Queue.retryJobs')],
    ['Queue.promoteJobs', PROMOTE_JOBS_OPTIONS, ofCall('Queue.promoteJobs')],
    ['Queue.obliterate', OBLITERATE_OPTIONS, ofCall('Queue.obliterate')],
    ['Queue.addBulk', BULK_JOB, new Set(['name', 'data', ...[...ofCall('Queue.addBulk')].map((name) => name.split('.')[1] ?? '')])],
    ['Worker.getNextJob', NEXT_JOB_OPTIONS, ofCall('Worker.getNextJob')],
    ['Worker.drain', DRAIN_OPTIONS, ofCall('Worker.drain')],
    ['Job.changePriority', PRIORITY_CHANGE, ofCall('Job.changePriority')],
    ['Job.retry', RETRY_OPTIONS, ofCall('Job.retry')],
    ['Job.remove', REMOVE_OPTIONS, ofCall('Job.remove')],
    ['Job.getDependencies', DEPENDENCIES_REQUEST, ofCall('Job.getDependencies')],
    ['Job.getDependenciesCount', DEPENDENCY_COUNTS_REQUEST, ofCall('Job.getDependenciesCount')],
    ['a page of Job.getDependencies', PAGE_REQUEST, new Set([...ofCall('Job.getDependencies')].map((name) => name.split('.')[1] ?? ''))],
  ])('every option of %s has a row', (_, shape, covered) => {
    expect(Object.keys(shape).filter((name) => !covered.has(name))).toEqual([]);
  });

  test('every method has a row, or takes nothing that could be refused', () => {
    const called = new Set(CALLS.map(([call]) => call));
    const methods = [Queue, Worker, QueueEvents, QueueEventsProducer, Job, FlowProducer, JobScheduler].flatMap((one) =>
      methodsOf(one).map((name) => `${one.name}.${name}`),
    );
    expect(methods.filter((name) => !called.has(name) && !PLAIN.has(name))).toEqual([]);
    const known = new Set([...methods, 'Worker.concurrency', 'Job.addJobLog']);
    expect([...called, ...PLAIN].filter((name) => !known.has(name))).toEqual([]);
  });
});

/** Names of the methods that a class and those above it declare, up to the emitter. */
function methodsOf(ofClass: { readonly prototype: object }): string[] {
  const names = new Set<string>();
  for (
    let each = ofClass.prototype;
    each !== Object.prototype && !Object.hasOwn(each, 'listenerCount');
    each = Object.getPrototypeOf(each)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(each))) {
      if (typeof value === 'function' && name !== 'constructor') names.add(name);
    }
  }
  return [...names];
}
