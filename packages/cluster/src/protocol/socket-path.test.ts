import { clusterName, type DirectoryFacts, refuseDirectory, refusePath, type SocketSurroundings, socketCandidates } from './socket-path.js';

const linux: SocketSurroundings = { platform: 'linux', uid: 1000, runtimeDir: '/run/user/1000', tempDir: '/tmp' };

describe('socketCandidates', () => {
  test.each([
    {
      name: 'linux with a runtime directory',
      around: linux,
      want: ['/run/user/1000/drover/mail.sock', '/run/drover/mail.sock', '/tmp/drover-1000/mail.sock'],
    },
    {
      name: 'linux without one, as under cron',
      around: { ...linux, runtimeDir: undefined },
      want: ['/run/drover/mail.sock', '/tmp/drover-1000/mail.sock'],
    },
    {
      name: 'a relative runtime directory is ignored, as its standard says',
      around: { ...linux, runtimeDir: 'run' },
      want: ['/run/drover/mail.sock', '/tmp/drover-1000/mail.sock'],
    },
    {
      name: 'macOS',
      around: { platform: 'darwin', uid: 501, runtimeDir: undefined, tempDir: '/var/folders/x/T' },
      want: ['/var/folders/x/T/drover-501/mail.sock'],
    },
    {
      name: 'Windows',
      around: { platform: 'win32', uid: undefined, runtimeDir: undefined, tempDir: 'C:\\Temp' },
      want: ['\\\\.\\pipe\\drover-mail'],
    },
  ] as const)('$name', ({ around, want }) => {
    expect(socketCandidates('mail', around)).toEqual(want);
  });

  test.each(['', '.', '..', '../x', 'a/b', 'a\\b', 'a b', 'ä', 'a\0', 'x'.repeat(65), 5, null])('the name %j is refused', (name) => {
    expect(() => clusterName(name)).toThrow('name must be');
  });

  test.each(['drover', 'mail-2', 'a.b_c', 'X'])('the name %j is taken', (name) => {
    expect(clusterName(name)).toBe(name);
  });
});

test('a path may be as long as the platform allows, counted in bytes', () => {
  expect(refusePath(`/${'x'.repeat(106)}`, 'linux')).toBeUndefined();
  expect(refusePath(`/${'x'.repeat(107)}`, 'linux')).toContain('108 bytes');
  expect(refusePath(`/${'ä'.repeat(54)}`, 'linux')).toContain('109 bytes');
  expect(refusePath(`/${'x'.repeat(103)}`, 'darwin')).toContain('at most 103');
  expect(refusePath('/a\0b', 'linux')).toContain('NUL');
  expect(refusePath(`\\\\.\\pipe\\${'x'.repeat(200)}`, 'win32')).toBeUndefined();
});

describe('refuseDirectory', () => {
  const ours: DirectoryFacts = { isDirectory: true, uid: 1000, mode: 0o700 };
  test.each([
    { name: 'ours, closed to others', facts: ours, kind: 'private', want: undefined },
    { name: 'open to the group', facts: { ...ours, mode: 0o750 }, kind: 'private', want: '0750' },
    { name: 'open to all', facts: { ...ours, mode: 0o701 }, kind: 'private', want: '0701' },
    { name: 'of somebody else', facts: { ...ours, uid: 1001 }, kind: 'private', want: 'uid 1001' },
    { name: 'of root', facts: { ...ours, uid: 0 }, kind: 'private', want: 'uid 0' },
    { name: 'not a directory (a file, a symlink)', facts: { ...ours, isDirectory: false }, kind: 'private', want: 'not a directory' },
    { name: 'chosen: readable by others', facts: { ...ours, mode: 0o755 }, kind: 'chosen', want: undefined },
    { name: 'chosen: of root', facts: { ...ours, uid: 0, mode: 0o755 }, kind: 'chosen', want: undefined },
    { name: 'chosen: the shared temporary directory', facts: { ...ours, uid: 0, mode: 0o1777 }, kind: 'chosen', want: undefined },
    { name: 'chosen: writable by others', facts: { ...ours, mode: 0o777 }, kind: 'chosen', want: '0777' },
    { name: 'chosen: writable by the group', facts: { ...ours, mode: 0o775 }, kind: 'chosen', want: '0775' },
    { name: 'chosen: of somebody else', facts: { ...ours, uid: 1001, mode: 0o755 }, kind: 'chosen', want: 'uid 1001' },
  ] as const)('$name', ({ facts, kind, want }) => {
    const refused = refuseDirectory(facts, 1000, kind);
    if (want === undefined) expect(refused).toBeUndefined();
    else expect(refused).toContain(want);
  });

  test('where there are no users, anything that is a directory will do', () => {
    expect(refuseDirectory({ isDirectory: true, uid: 0, mode: 0o777 }, undefined, 'private')).toBeUndefined();
  });
});
