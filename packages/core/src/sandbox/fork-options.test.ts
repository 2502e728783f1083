import { forkOptions } from './fork-options.js';

test.each([
  { name: 'flags are handed on', given: {}, flags: ['--import', 'tsx'], want: ['--import', 'tsx'] },
  { name: 'those given win', given: { execArgv: ['--no-warnings'] }, flags: ['--inspect'], want: ['--no-warnings'] },
  { name: 'an inspector gets a port of its own', given: {}, flags: ['--inspect'], want: ['--inspect', '--inspect-port=0'] },
  { name: 'whatever it had', given: { execArgv: ['--inspect-brk=9999'] }, flags: [], want: ['--inspect-brk=9999', '--inspect-port=0'] },
  { name: 'also by NODE_OPTIONS', given: {}, flags: [], env: '--no-warnings --inspect=0.0.0.0:1', want: ['--inspect-port=0'] },
  { name: 'or by that of the sandbox', given: { env: { NODE_OPTIONS: '--inspect' } }, flags: [], want: ['--inspect-port=0'] },
  {
    name: 'other flags with that beginning do not',
    given: {},
    flags: ['--inspect-publish-uid=http'],
    want: ['--inspect-publish-uid=http'],
  },
])('$name', ({ given, flags, env, want }) => {
  expect(forkOptions(given, flags, env === undefined ? {} : { NODE_OPTIONS: env }).execArgv).toEqual(want);
});

test('everything else is as given', () => {
  expect(forkOptions({ silent: true, cwd: '/' }, [], {})).toEqual({ serialization: 'advanced', silent: true, cwd: '/', execArgv: [] });
  expect(forkOptions({ serialization: 'json' }, [], {}).serialization).toBe('json');
});
