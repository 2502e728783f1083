import { queueRef } from '../keys/queue-keys.js';
import { type EventSink, type StreamEntry, StreamTable, type Subscription } from './event-stream.js';

const queue = queueRef('mail');

class Heard implements EventSink {
  readonly ids: string[] = [];
  isPlaced = false;
  onEntry: () => void = () => undefined;

  constructor(readonly blockMs = 10_000) {}

  entry(id: string): void {
    this.ids.push(id);
    this.onEntry();
  }
  placed(): void {
    this.isPlaced = true;
  }
  problem(): void {}
  offline(): void {}
  ended(): void {}
}

const entries = (...ids: string[]): StreamEntry[] => ids.map((id) => [id, ['event', 'added']]);

function listener(table: StreamTable, position: string, sink = new Heard()): { sink: Heard; subscription: Subscription } {
  const subscription = table.add(queue, position, sink);
  table.place(subscription, position);
  return { sink, subscription };
}

test('a stream is read from the place of the listener furthest behind, who hears what the other has heard already', () => {
  const table = new StreamTable();
  const ahead = listener(table, '20-0');
  const behind = listener(table, '9-0');
  const [stream] = [...table.readable()];
  expect(stream?.position).toBe('9-0');
  stream?.deliver('9-0', entries('10-0', '20-0', '20-1'));
  expect(behind.sink.ids).toEqual(['10-0', '20-0', '20-1']);
  expect(ahead.sink.ids).toEqual(['20-1']);
  expect(stream?.position).toBe('20-1');
});

test('a listener who came while the read was under way, with an older place, is left to the next read', () => {
  const table = new StreamTable();
  const first = listener(table, '20-0');
  const late = listener(table, '5-0');
  const [stream] = [...table.readable()];
  stream?.deliver('20-0', entries('21-0'));
  expect(first.sink.ids).toEqual(['21-0']);
  expect(late.sink.ids).toEqual([]);
  expect(stream?.position).toBe('5-0');
});

test('a listener without a place hears nothing, and does not make the stream readable', () => {
  const table = new StreamTable();
  const sink = new Heard();
  const subscription = table.add(queue, '$', sink);
  expect([...table.readable()]).toEqual([]);
  expect(table.unplaced(0)).toEqual([subscription]);
  subscription.stream.deliver('0-0', entries('1-0'));
  expect(sink.ids).toEqual([]);
  table.place(subscription, '1-0');
  expect(sink.isPlaced).toBe(true);
  expect(table.hasUnplaced(0)).toBe(false);
});

test('a place that could not be asked for is due again at its time', () => {
  const table = new StreamTable();
  const subscription = table.add(queue, '$', new Heard());
  subscription.retryAt = 100;
  expect([table.hasUnplaced(99), table.hasUnplaced(100)]).toEqual([false, true]);
});

test('who leaves in the middle of a batch hears nothing more, and the stream goes with its last listener', () => {
  const table = new StreamTable();
  const { sink, subscription } = listener(table, '0-0');
  sink.onEntry = () => table.remove(subscription);
  subscription.stream.deliver('0-0', entries('1-0', '2-0'));
  expect(sink.ids).toEqual(['1-0']);
  expect(table.eldest).toBeUndefined();
});

test('a place that comes after its listener has left is of no use', () => {
  const table = new StreamTable();
  const sink = new Heard();
  const subscription = table.add(queue, '$', sink);
  table.remove(subscription);
  table.place(subscription, '1-0');
  expect(sink.isPlaced).toBe(false);
});

test('a read waits no longer than the most impatient listener', () => {
  const table = new StreamTable();
  listener(table, '0-0', new Heard(500));
  listener(table, '0-0', new Heard(300));
  expect([...table.readable()][0]?.blockMs).toBe(300);
});

test('places behind the end of the stream go back to it, others stay', () => {
  const table = new StreamTable();
  const [early, late] = [listener(table, '5-0'), listener(table, '30-0')];
  const unplaced = table.add(queue, '$', new Heard());
  early.subscription.stream.rewind('20-0');
  expect([early, late].map(({ subscription }) => subscription.position)).toEqual(['5-0', '20-0']);
  expect(unplaced.position).toBeUndefined();
});
