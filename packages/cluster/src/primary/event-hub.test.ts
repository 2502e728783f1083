import { silentLogger } from '@drover/core/kit';
import { EventHub } from './event-hub.js';

test('subscribers hear of the topics that their patterns cover, until they stop', () => {
  const hub = new EventHub(() => 5, silentLogger);
  const heard: string[] = [];
  const stop = hub.subscribe(['process.*', 'op'], (event) => heard.push(event.topic));
  hub.publish('process.ready', { slot: 0 });
  hub.publish('worker.running', {});
  hub.publish('op', {});
  stop();
  hub.publish('op', {});
  expect(heard).toEqual(['process.ready', 'op']);
});

test('a subscriber that throws does not keep the fact from the others', () => {
  const hub = new EventHub(() => 5, silentLogger);
  const heard: unknown[] = [];
  hub.subscribe(['*'], () => {
    throw new Error('no');
  });
  hub.subscribe(['*'], (event) => heard.push(event));
  hub.publish('scale', { group: 'mail' });
  expect(heard).toEqual([{ topic: 'scale', at: 5, data: { group: 'mail' } }]);
});
