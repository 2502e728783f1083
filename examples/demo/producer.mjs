// A producer as any BullMQ application has one: the stock client, one job for each path it reads (separated by NUL).
//
//     find . -type f -print0 | node examples/demo/producer.mjs --queue files --root .
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Queue } from 'bullmq-v6';

const CHUNK = 500;
const { values } = parseArgs({
  options: { queue: { type: 'string', default: 'files' }, root: { type: 'string', default: '.' }, 'max-events': { type: 'string' } },
});

/** Paths from standard input, in arrays of at most CHUNK. */
async function* chunksOfPaths() {
  let text = '';
  const chunk = [];
  process.stdin.setEncoding('utf8');
  for await (const part of process.stdin) {
    text += part;
    const paths = text.split('\0');
    text = paths.pop();
    for (const path of paths) {
      chunk.push(path);
      if (chunk.length === CHUNK) yield chunk.splice(0);
    }
  }
  if (text) chunk.push(text);
  if (chunk.length > 0) yield chunk;
}

const root = resolve(values.root);
const maxLen = values['max-events'] && Number(values['max-events']);
const queue = new Queue(values.queue, {
  connection: { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' },
  ...(maxLen ? { streams: { events: { maxLen } } } : {}),
});
try {
  for await (const paths of chunksOfPaths()) {
    await queue.addBulk(paths.map((path) => ({ name: 'digest', data: { root, path } })));
  }
} finally {
  await queue.close();
}
