import { EventEmitter } from 'node:events';
import { classifyParentMessage, ParentChannel, type ParentPort } from './parent-channel.js';

const ping = { v: 1, kind: 'req', rid: '1', command: { type: 'ping' } };

describe('classifyParentMessage', () => {
  test.each([
    { name: 'our request', raw: ping, want: 'request' },
    { name: 'a request of a version to come', raw: { ...ping, v: 2 }, want: 'request' },
    { name: 'a request without a command', raw: { v: 1, kind: 'req' }, want: 'request' },
    { name: 'shutdown_with_message of pm2', raw: 'shutdown', want: 'stop' },
    { name: 'a packet of pm2', raw: { id: 3, type: 'process:msg', topic: 'drover', data: ping }, want: 'pm2' },
    { name: 'an action of pm2 with a parameter', raw: { msg: 'scale_up', opts: '2' }, want: 'pm2' },
    { name: 'another text', raw: 'ready', want: 'foreign' },
    { name: 'a reply, as a primary sends it', raw: { v: 1, kind: 'res', rid: '1', ok: true, result: {} }, want: 'foreign' },
    { name: 'the host app of its own', raw: { type: 'reload', data: { now: true } }, want: 'foreign' },
    { name: 'a command without its envelope', raw: { type: 'ping' }, want: 'foreign' },
    { name: 'null', raw: null, want: 'foreign' },
    { name: 'a number', raw: 7, want: 'foreign' },
    { name: 'a list', raw: [ping], want: 'foreign' },
    { name: 'nothing', raw: undefined, want: 'foreign' },
  ])('$name is $want', ({ raw, want }) => {
    expect(classifyParentMessage(raw).kind).toBe(want);
  });
});

class Port extends EventEmitter {
  connected = true;
  sent: unknown[] = [];
  send?(message: unknown, _handle: unknown, _options: unknown, sent: (error: Error | null) => void): boolean {
    if (message === 'throws') throw new Error('the channel closed in between');
    this.sent.push(message);
    sent(null);
    return true;
  }
}

const made = (): { port: Port; channel: ParentChannel; heard: string[] } => {
  const port = new Port();
  const channel = new ParentChannel(port as unknown as ParentPort);
  const heard: string[] = [];
  channel.listen({ request: () => heard.push('request'), stop: () => heard.push('stop'), gone: () => heard.push('gone') });
  return { port, channel, heard };
};

test('everyone who listens hears of requests, stops and the end, and of nothing else', () => {
  const { port, channel, heard } = made();
  channel.start();
  for (const message of [ping, 'shutdown', 'hello', null]) port.emit('message', message);
  port.emit('disconnect');
  expect(heard).toEqual(['request', 'stop', 'gone']);
});

test('there is one listener however often it is started, and none after it was stopped', () => {
  const { port, channel } = made();
  channel.start();
  channel.start();
  expect(port.listenerCount('message')).toBe(1);
  channel.stop();
  expect([port.listenerCount('message'), port.listenerCount('disconnect')]).toEqual([0, 0]);
});

test('without a parent it does nothing', () => {
  const { port, channel } = made();
  port.connected = false;
  channel.start();
  expect(port.listenerCount('message')).toBe(0);
});

test('a message that does not get out is reported and never thrown', () => {
  const { port, channel } = made();
  const errors: (string | undefined)[] = [];
  const note = (error: Error | null): void => void errors.push(error?.message);
  channel.send('fine', note);
  channel.send('throws', note);
  port.connected = false;
  channel.send('late', note);
  expect(errors).toEqual([undefined, 'the channel closed in between', 'the parent has gone']);
  expect(port.sent).toEqual(['fine']);
});
