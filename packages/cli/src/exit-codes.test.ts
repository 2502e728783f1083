import { ControlFailure, type ErrorCode } from '@drover/cluster/protocol';
import { InvalidOptionError } from '@drover/core/kit';
import { exitCodeOf, UsageError } from './exit-codes.js';

const failure = (code: ErrorCode, details?: Record<string, unknown>): ControlFailure => new ControlFailure(code, 'text', details);

test.each([
  { name: 'usage', error: new UsageError('text'), want: 64 },
  { name: 'a bad option', error: new InvalidOptionError('--timeout', 'x', 'a duration'), want: 64 },
  { name: 'refused', error: failure('BAD_REQUEST'), want: 1 },
  { name: 'an unknown group', error: failure('NOT_FOUND'), want: 1 },
  { name: 'the primary stops', error: failure('DRAINING'), want: 1 },
  { name: 'the operation failed', error: failure('GAVE_UP'), want: 1 },
  { name: 'no primary', error: failure('PEER_GONE'), want: 69 },
  { name: 'the primary went while the operation ran', error: failure('PEER_GONE', { opId: 'op-1' }), want: 1 },
  { name: 'a primary that does not answer', error: failure('DEADLINE'), want: 69 },
  { name: 'an operation that goes on', error: failure('DEADLINE', { opId: 'op-1' }), want: 75 },
  { name: 'the socket of another user', error: failure('FORBIDDEN'), want: 77 },
  { name: 'a failure of the primary', error: Object.assign(new Error('bad'), { exitCode: 78 }), want: 78 },
  { name: 'a bug', error: new TypeError('bad'), want: 1 },
])('$name: $want', ({ error, want }) => {
  expect(exitCodeOf(error)).toBe(want);
});
