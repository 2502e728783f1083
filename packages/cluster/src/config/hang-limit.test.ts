import { hangLimit } from './hang-limit.js';

const mail = { group: 'mail', lockMs: 30_000, renewMs: 15_000 };
const video = { group: 'video', lockMs: 6_000, renewMs: 2_000 };

test.each([
  { name: 'unset it is 12 s', input: {}, groups: [mail], want: { hangAfterMs: 12_000, heartbeatMs: 1_000, captureStack: false } },
  { name: 'or what the tightest locks allow', input: {}, groups: [mail, video], want: { hangAfterMs: 2_000, heartbeatMs: 666 } },
  { name: 'the longest that locks allow is taken', input: { hangAfter: 13_000 }, groups: [mail], want: { hangAfterMs: 13_000 } },
  {
    name: 'heartbeats as asked for',
    input: { heartbeat: 4_000, captureStack: true },
    groups: [mail],
    want: { heartbeatMs: 4_000, captureStack: true },
  },
])('$name', ({ input, groups, want }) => {
  expect(hangLimit(input, groups)).toMatchObject(want);
});

test.each([
  {
    input: { hangAfter: 13_001 },
    groups: [mail],
    path: 'health.hangAfter',
    says: 'is 13001 ms: group mail has lockDuration 30000 ms and lockRenewTime 15000 ms, so a process that hangs must be killed after 13000 ms at most (lockDuration - lockRenewTime - 2000 ms); lower hangAfter or raise lockDuration',
  },
  { input: { hangAfter: 12_000 }, groups: [mail, video], path: 'health.hangAfter', says: 'group video has lockDuration 6000 ms' },
  {
    input: {},
    groups: [mail, { group: 'tight', lockMs: 4_000, renewMs: 2_000 }],
    path: 'groups.tight.lockDuration',
    says: 'is 4000 ms and lockRenewTime 2000 ms: between them there must be 3000 ms, so that a process that hangs is dead before its locks run out; set lockDuration to 5000 ms or more',
  },
  { input: { hangAfter: 999 }, groups: [mail], path: 'health.hangAfter', says: 'is 999 ms: it must be at least 1000 ms' },
  { input: { hangAfter: false as const }, groups: [mail], path: 'health.hangAfter', says: 'all groups share processes here' },
  { input: { heartbeat: 4_001 }, groups: [mail], path: 'health.heartbeat', says: 'it must be at most 4000 ms' },
  { input: { captureStack: true, hangAfter: 2_999 }, groups: [mail], path: 'health.captureStack', says: 'at least 3000 ms' },
])('$path is refused: $says', ({ input, groups, path, says }) => {
  expect(hangLimit(input, groups)).toEqual({ path, problem: expect.stringContaining(says) });
});
