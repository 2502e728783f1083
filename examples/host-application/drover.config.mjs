import { defineConfig } from '@drover/cluster';

export default defineConfig({ queue: 'sums', processor: '../worker-manager/processor.mjs', workers: 1, concurrency: 50 });
