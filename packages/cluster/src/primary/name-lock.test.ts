import { lockAddress, NameLock } from './name-lock.js';

test.each([
  { platform: 'linux', want: '\0drover/7/mail' },
  { platform: 'win32', want: '\\\\.\\pipe\\drover-lock-mail' },
] as const)('on $platform the lock leaves no file', ({ platform, want }) => {
  expect(lockAddress('mail', platform, 7)).toBe(want);
});

test('a name is held by one, who is named to the second, and free after its release', async () => {
  const name = `lock-test-${process.pid}`;
  const lock = await NameLock.acquire(name);
  await expect(NameLock.acquire(name)).rejects.toMatchObject({ exitCode: 75, message: expect.stringContaining(`pid ${process.pid}`) });
  await lock.release();
  const again = await NameLock.acquire(name);
  await again.release();
});
