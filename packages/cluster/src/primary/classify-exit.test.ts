import { classifyExit, type ProcessEnd } from './classify-exit.js';

const end: ProcessEnd = {
  code: 0,
  signal: null,
  wasAsked: false,
  isRecycled: false,
  saidDrained: false,
  hadBooted: true,
  killedFor: undefined,
  hungFor: undefined,
  stderrTail: '',
  bootError: undefined,
  groupError: undefined,
};

test.each([
  { name: 'asked and drained', of: { wasAsked: true, saidDrained: true }, want: 'shutdown' },
  { name: 'recycled, and killed because it overran its drain', of: { code: null, signal: 'SIGKILL', isRecycled: true }, want: 'planned' },
  { name: 'asked and killed at the deadline', of: { code: null, signal: 'SIGKILL', wasAsked: true }, want: 'shutdown' },
  { name: 'asked, jobs returned at the deadline', of: { code: 94, wasAsked: true }, want: 'shutdown' },
  { name: 'recycled', of: { code: 90, saidDrained: true }, want: 'planned' },
  { name: 'recycled before it was ready', of: { code: 90, hadBooted: false }, want: 'abnormal' },
  { name: 'drained unasked', of: { saidDrained: true }, want: 'normal' },
  { name: '0 without a word', of: {}, want: 'abnormal' },
  { name: 'a drain unasked that hit its deadline', of: { code: 94, saidDrained: true }, want: 'abnormal' },
  { name: 'an uncaught exception', of: { code: 1 }, want: 'abnormal' },
  { name: 'a signal', of: { code: null, signal: 'SIGSEGV' }, want: 'abnormal' },
  { name: 'a boot failure', of: { code: 91, bootError: 'no such module' }, want: 'abnormal' },
  { name: 'a root supervisor that gave up', of: { code: 95 }, want: 'abnormal' },
] as const)('$name is $want', ({ of, want }) => {
  expect(classifyExit({ ...end, ...of }).class).toBe(want);
});

test.each([
  { of: { code: 91, bootError: 'mail: cannot find module x.js' }, says: 'mail: cannot find module x.js' },
  { of: { code: null, signal: 'SIGKILL', killedFor: 'was not ready within 60000 ms' }, says: 'was not ready within 60000 ms' },
  { of: { code: null, signal: 'SIGKILL' }, says: 'killed by SIGKILL' },
  { of: { code: 93 }, says: 'exited with 93 (lost its channel to the primary)' },
  { of: { code: 7, groupError: 'group mail: long ago' }, says: 'exited with 7' },
  { of: { code: 95, groupError: 'group mail: no licence' }, says: 'exited with 95 (its root supervisor gave up); group mail: no licence' },
] as const)('says: $says', ({ of, says }) => {
  expect(classifyExit({ ...end, ...of }).reason).toBe(says);
});

const heapFull = 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory';
test.each([
  { of: { wasAsked: true, saidDrained: true }, cause: 'asked' },
  { of: { saidDrained: true }, cause: 'drained' },
  { of: { code: 90 }, cause: 'recycle' },
  { of: { code: 91, hadBooted: false, bootError: 'no such module' }, cause: 'boot' },
  { of: { code: null, signal: 'SIGKILL', hadBooted: false, killedFor: 'was not ready within 60000 ms' }, cause: 'boot' },
  { of: { code: 92 }, cause: 'hang' },
  { of: { code: null, signal: 'SIGKILL', hungFor: 'its event loop stood still for 12000 ms' }, cause: 'hang' },
  { of: { code: null, signal: 'SIGKILL', wasAsked: true, hungFor: 'its event loop stood still for 12000 ms' }, cause: 'hang' },
  { of: { code: null, signal: 'SIGABRT', stderrTail: heapFull }, cause: 'oom' },
  { of: { code: null, signal: 'SIGABRT' }, cause: 'signal' },
  { of: { code: null, signal: 'SIGKILL' }, cause: 'signal' },
  { of: { code: 93 }, cause: 'orphaned' },
  { of: { code: 95 }, cause: 'escalated' },
  { of: { code: 1 }, cause: 'crash' },
  { of: {}, cause: 'crash' },
] as const)('$of has the cause $cause', ({ of, cause }) => {
  expect(classifyExit({ ...end, ...of }).cause).toBe(cause);
});
