#!/usr/bin/env node
// The primary as a program: `primary.js [config file]`; everything else comes from the environment. pm2 and host applications start this.
import { runPrimary } from '../dist/start-primary.js';

const file = process.argv[2];
await runPrimary({ flags: file === undefined ? {} : { file } });
