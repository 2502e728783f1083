import type { SupervisionConfig } from '../config/resolved.js';
import { type ChildSpec, checkChildSpec, checkSupervisorFlags, resolveSupervisorFlags } from './child-spec.js';

const config: SupervisionConfig = {
  strategy: 'one_for_one',
  maxRestarts: undefined,
  periodMs: 60_000,
  onGiveUp: 'escalate',
  backoff: { firstMs: 0, baseMs: 250, factor: 2, capMs: 15_000, jitter: 'full' },
  maxConsecutiveFailures: 5,
  resetAfterMs: 30_000,
};
const child: ChildSpec<null> = { id: 'mail#1', spec: null, restart: 'permanent', shutdown: 25_000, startOrder: 1 };

test.each([
  { maxRestarts: undefined, children: 0, want: 10 },
  { maxRestarts: undefined, children: 5, want: 10 },
  { maxRestarts: undefined, children: 6, want: 12 },
  { maxRestarts: 1, children: 50, want: 1 },
  { maxRestarts: 0, children: 50, want: 0 },
])('the intensity of $children children with maxRestarts $maxRestarts is $want', ({ maxRestarts, children, want }) => {
  expect(resolveSupervisorFlags({ ...config, maxRestarts }, children).intensity).toBe(want);
});

test.each([
  { field: 'intensity', value: -1 },
  { field: 'periodMs', value: 0 },
  { field: 'maxConsecutiveFailures', value: 0 },
  { field: 'resetAfterMs', value: 1.5 },
  { field: 'strategy', value: 'all' },
  { field: 'onGiveUp', value: 'ignore' },
])('flags with $field $value are refused by name', ({ field, value }) => {
  const flags = resolveSupervisorFlags(config, 1);
  expect(() => checkSupervisorFlags({ ...flags, [field]: value })).toThrow(field);
});

test.each([
  { field: 'firstMs', value: -1 },
  { field: 'baseMs', value: -1 },
  { field: 'factor', value: 0.5 },
  { field: 'factor', value: Number.NaN },
  { field: 'capMs', value: 0.1 },
  { field: 'jitter', value: 'some' },
])('a back-off with $field $value is refused by name', ({ field, value }) => {
  expect(() => resolveSupervisorFlags({ ...config, backoff: { ...config.backoff, [field]: value } }, 1)).toThrow(`backoff.${field}`);
});

test.each([
  { field: 'id', value: '' },
  { field: 'restart', value: 'always' },
  { field: 'shutdown', value: -1 },
  { field: 'shutdown', value: Number.NaN },
  { field: 'startOrder', value: 0.5 },
])('a child with $field $value is refused by name', ({ field, value }) => {
  expect(() => checkChildSpec({ ...child, [field]: value })).toThrow(field);
});

test.each(['brutal_kill', 0, 25_000, Number.POSITIVE_INFINITY] as const)('a shutdown of %s is accepted', (shutdown) => {
  expect(checkChildSpec({ ...child, shutdown })).toMatchObject({ shutdown });
});
