import { type FlowJob, flowNodes, MAX_FLOW_DATA, MAX_FLOW_JOBS } from './flow-nodes.js';
import type { FlowOptions } from './flow-options.js';
import { queueOfJob } from './flow-reader.js';

const NOW = 1_700_000_000_000;
function nodesOf(flow: unknown, queuesOptions: FlowOptions['queuesOptions'] = {}) {
  let ids = 0;
  return flowNodes([['flow', flow as FlowJob]], { prefix: 'bull', queuesOptions, now: NOW, newId: () => `id-${++ids}` });
}
const node = (name: string, children?: unknown[], more: object = {}) => ({
  name,
  queueName: 'q',
  ...(children ? { children } : {}),
  ...more,
});

test('jobs come level by level, each with the index of its parent', () => {
  const nodes = nodesOf(node('root', [node('a', [node('a1', [node('a11')])]), node('b', [node('b1')])]));
  expect(nodes.map(({ job, parentAt, hasChildren }) => [job.name, parentAt, hasChildren])).toEqual([
    ['root', -1, true],
    ['a', 0, true],
    ['b', 0, true],
    ['a1', 1, true],
    ['b1', 2, false],
    ['a11', 3, false],
  ]);
});

test('children name their parent in the stored form, with its policy', () => {
  const [root, child] = nodesOf(
    node('root', [node('child', undefined, { opts: { failParentOnFailure: true, parent: { id: 'x', queue: 'a:b' } } })], { prefix: 'p:q' }),
  );
  expect(root?.queue.qualified).toBe('p:q:q');
  expect(child?.queue.qualified).toBe('bull:q');
  expect(child?.job.parent).toEqual({ key: 'p:q:q:id-1', json: '{"id":"id-1","queueKey":"p:q:q","fpof":true}' });
  expect(child?.job.opts).toEqual({ attempts: 0, fpof: true, parent: { id: 'id-1', queue: 'p:q:q' } });
});

test('options of the queue are defaults, but for the id', () => {
  const defaults = { q: { defaultJobOptions: { attempts: 4, priority: 2, jobId: 'never' } } };
  const [root, child] = nodesOf(node('root', [node('child', undefined, { opts: { priority: 9 } })]), defaults);
  expect(root?.job).toMatchObject({ id: 'id-1', priority: 2, opts: { attempts: 4, priority: 2 } });
  expect(child?.job).toMatchObject({ id: 'id-2', priority: 9, opts: { attempts: 4, priority: 9 } });
});

test('nulls count as absent', () => {
  expect(nodesOf({ name: 'a', queueName: 'q', prefix: null, opts: null, children: null })).toHaveLength(1);
});

const circle = node('circle', []);
(circle.children as unknown[]).push(circle);
const deduplication = { opts: { deduplication: { id: 'x' } } };
test.each([
  { what: 'nothing', flow: undefined, says: 'flow must be an object' },
  { what: 'no queue', flow: { name: 'a' }, says: 'flow.queue name must be a text without ":"' },
  { what: 'no name', flow: { queueName: 'q' }, says: 'flow.job name must be a text' },
  {
    what: 'an unknown member',
    flow: node('a', undefined, { childrens: [] }),
    says: 'flow.childrens must be absent: did you mean "children"?',
  },
  { what: 'children that are no list', flow: node('a', undefined, { children: {} }), says: 'flow.children must be an array' },
  { what: 'a child that is nothing', flow: node('a', [node('b'), null]), says: 'flow.children[1] must be an object' },
  { what: 'an empty prefix', flow: node('a', [node('b', undefined, { prefix: '' })]), says: 'flow.children[0].prefix must be a text' },
  {
    what: 'an option out of range',
    flow: node('a', [node('b', [node('c', undefined, { opts: { jobId: '12' } })])]),
    says: 'flow.children[0].children[0].jobId must be',
  },
  { what: 'a deduplicated parent', flow: node('a', [node('b')], deduplication), says: 'flow.opts.deduplication must be absent' },
  { what: 'a deduplicated child', flow: node('a', [node('b', undefined, deduplication)]), says: 'flow.children[0].deduplication must be' },
  {
    what: 'a job below itself',
    flow: node('a', [node('b', [node('a', undefined, { opts: { jobId: 'one' } })])], { opts: { jobId: 'one' } }),
    says: 'flow.children[0].children[0].opts.jobId must be another one',
  },
  { what: 'a circle', flow: circle, says: 'number of jobs added in one step must be at most 10000, got 10001' },
  {
    what: 'too many jobs',
    flow: node(
      'a',
      Array.from({ length: MAX_FLOW_JOBS }, () => node('b')),
    ),
    says: 'must be at most 10000, got 10001',
  },
  {
    what: 'too much data',
    flow: node('a', [node('b', undefined, { data: 'x'.repeat(MAX_FLOW_DATA) })]),
    says: 'length of the data added in one step must be at most 33554432',
  },
])('$what is refused', ({ flow, says }) => {
  expect(() => nodesOf(flow)).toThrow(says);
});

test.each([
  ['bull:mail:1', 'bull', 'mail'],
  ['a:b:mail:x-y', 'a:b', 'mail'],
  ['{t}:mail:5', '{t}', 'mail'],
])('job %s is of queue %s:%s', (key, prefix, name) => {
  expect(queueOfJob(key)).toMatchObject({ prefix, name });
});
