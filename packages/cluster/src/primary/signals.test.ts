import { decideSignal, handledSignals } from './signals.js';

test.each([
  { signal: 'SIGTERM', interrupts: 0, isTty: false, want: { do: 'stop', mode: 'drain' } },
  { signal: 'SIGINT', interrupts: 1, isTty: true, want: { do: 'stop', mode: 'drain' } },
  { signal: 'SIGINT', interrupts: 2, isTty: true, want: { do: 'stop', mode: 'fast' } },
  { signal: 'SIGINT', interrupts: 3, isTty: true, want: { do: 'stop', mode: 'now' } },
  { signal: 'SIGINT', interrupts: 9, isTty: true, want: { do: 'stop', mode: 'now' } },
  { signal: 'SIGQUIT', interrupts: 0, isTty: true, want: { do: 'stop', mode: 'fast' } },
  { signal: 'SIGHUP', interrupts: 0, isTty: true, want: { do: 'stop', mode: 'drain' } },
  { signal: 'SIGTTIN', interrupts: 0, isTty: false, want: { do: 'scale', by: 1 } },
  { signal: 'SIGTTOU', interrupts: 0, isTty: false, want: { do: 'scale', by: -1 } },
  { signal: 'SIGUSR2', interrupts: 0, isTty: false, want: { do: 'reload' } },
] as const)('$signal number $interrupts, terminal $isTty', ({ signal, interrupts, isTty, want }) => {
  expect(decideSignal(signal, interrupts, isTty)).toEqual(want);
});

test.each([
  { signal: 'SIGHUP', isTty: false },
  { signal: 'SIGTTIN', isTty: true },
  { signal: 'SIGTTOU', isTty: true },
  { signal: 'SIGTSTP', isTty: false },
] as const)('$signal is ignored with terminal $isTty', ({ signal, isTty }) => {
  expect(decideSignal(signal, 0, isTty).do).toBe('ignore');
});

test('a terminal stops the program as it stops any other', () => {
  expect(handledSignals(false)).toEqual(expect.arrayContaining(['SIGTSTP', 'SIGTTIN', 'SIGTTOU']));
  expect(handledSignals(true)).toContain('SIGTTIN');
  expect(handledSignals(true)).not.toEqual(expect.arrayContaining(['SIGTSTP']));
  expect(handledSignals(true)).not.toEqual(expect.arrayContaining(['SIGTTOU']));
});
