// `drover start examples/demo/drover.config.mjs` runs this; flags and environment (REDIS_URL) beat what stands here.
export default {
  groups: { files: { queue: 'files', processor: './processor.mjs', workers: 2, concurrency: 2 } },
  processes: { min: 1, max: 4 }, // the first four workers get a process each, further ones share
};
