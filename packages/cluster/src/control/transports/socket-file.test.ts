import { refuseToRemove } from './socket-file.js';

const entry = (facts: { socket?: boolean; link?: boolean; uid?: number }) => ({
  isSocket: () => facts.socket ?? false,
  isSymbolicLink: () => facts.link ?? false,
  uid: facts.uid ?? 1000,
});

test.each([
  { name: 'our own socket may go', found: entry({ socket: true }), want: undefined },
  { name: 'a file stays', found: entry({}), want: 'a file that is no socket' },
  { name: 'a symbolic link stays', found: entry({ link: true }), want: 'a symbolic link' },
  { name: 'the socket of another user stays', found: entry({ socket: true, uid: 0 }), want: 'a socket of uid 0' },
])('$name', ({ found, want }) => {
  const refused = refuseToRemove(found, 1000);
  if (want === undefined) expect(refused).toBeUndefined();
  else expect(refused).toContain(want);
});
