import { environmentChanges, inheritedExecArgv } from './clean-environment.js';

test('without pm2 only what is meant for the own Node goes', () => {
  const env = {
    PATH: '/bin',
    name: 'mine',
    NODE_OPTIONS: '--inspect',
    NODE_ENV: 'production',
    REDIS_URL: 'redis://x',
    NODE_UNIQUE_ID: '1',
  };
  expect(environmentChanges(env)).toEqual({ NODE_OPTIONS: undefined, NODE_UNIQUE_ID: undefined });
});

test('under pm2 its description of the primary goes, too', () => {
  const env = {
    PATH: '/bin',
    pm_id: '0',
    name: 'drover',
    status: 'online',
    NODE_APP_INSTANCE: '0',
    PM2_HOME: '/p',
    axm_actions: '',
    MAIL: 'x',
  };
  expect(Object.keys(environmentChanges(env)).sort()).toEqual(['NODE_APP_INSTANCE', 'PM2_HOME', 'axm_actions', 'name', 'pm_id', 'status']);
});

test.each([
  { argv: ['--import', 'tsx', '--max-old-space-size=512'], want: ['--import', 'tsx', '--max-old-space-size=512'] },
  { argv: ['--inspect-brk=9229', '--enable-source-maps', '--inspect'], want: ['--enable-source-maps'] },
  { argv: ['--input-type=module', '-e', 'start()', '--expose-gc'], want: ['--expose-gc'] },
  { argv: ['--watch', '--test'], want: [] },
])('of $argv a process gets $want', ({ argv, want }) => {
  expect(inheritedExecArgv(argv)).toEqual(want);
});
