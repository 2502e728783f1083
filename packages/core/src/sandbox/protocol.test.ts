import { type FromSandbox, openFromSandbox, openToSandbox, seal, type ToSandbox } from './protocol.js';

const TO: readonly ToSandbox[] = [
  { type: 'load', url: 'file:///a.js' },
  { type: 'cancel', run: 1, reason: { kind: 'value', json: '"stop"' } },
  { type: 'reply', call: 4, value: undefined, thrown: undefined },
  { type: 'stop' },
];
const FROM: readonly FromSandbox[] = [
  { type: 'loaded' },
  { type: 'done', run: 3, value: '{"a":1}' },
  { type: 'threw', run: 3, thrown: { kind: 'error', name: 'Error', message: 'bad' } },
  { type: 'call', run: 3, call: 1, method: 'addLog', args: '["1","row",0]' },
];

test.each(TO)('$type reaches a sandbox, by either way of writing it', (message) => {
  expect(openToSandbox(seal(message))).toEqual(message);
  expect(openToSandbox(JSON.parse(JSON.stringify(seal(message))))).toEqual(message);
});

test.each(FROM)('$type leaves a sandbox', (message) => {
  expect(openFromSandbox(seal(message))).toEqual(message);
  expect(openToSandbox(seal(message))).toBeUndefined();
});

test.each([
  ['the application sent it', { type: 'loaded' }],
  ['no object', 'loaded'],
  ['an unknown type', { ...seal({ type: 'loaded' }), type: 'toString' }],
  ['a field of a wrong type', { ...seal({ type: 'started', run: 1 }), run: '1' }],
  ['a command that is not for sandboxes', { ...seal(FROM[3] as FromSandbox), method: 'addNextIteration' }],
])('ignored: %s', (_why, raw) => {
  expect(openFromSandbox(raw)).toBeUndefined();
});
