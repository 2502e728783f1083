/** One worker of one engine in a process of its own: says that it is loaded, starts on "go", and reports when the last job is done. */
const [engine, name, concurrency, count, url] = process.argv.slice(2);
const { Worker } = await import(engine === 'drover' ? '@drover/core' : 'bullmq-v6');
const connection = engine === 'drover' ? url : { url };
const worker = new Worker(name, async () => 'ok', { connection, concurrency: Number(concurrency), autorun: false });
await worker.waitUntilReady();

let left = Number(count);
let startedAt = 0;
let cpuBefore = process.cpuUsage();
worker.on('completed', () => {
  if (--left > 0) return;
  const cpu = process.cpuUsage(cpuBefore);
  process.send({ ms: performance.now() - startedAt, cpuUs: cpu.user + cpu.system });
  worker.close().then(() => process.disconnect());
});
worker.on('error', (error) => console.error(error));
process.once('message', () => {
  startedAt = performance.now();
  cpuBefore = process.cpuUsage();
  worker.run();
});
process.send('loaded');
