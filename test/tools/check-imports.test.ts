import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atEnd } from '../support/at-end.js';
import { ROOT } from '../support/cli.js';
import { startNode } from '../support/process-harness.js';

async function check(files: Record<string, string | undefined>): Promise<{ code: number | null; lines: string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'check-imports-'));
  atEnd(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, 'packages', dirname(path)), { recursive: true });
    writeFileSync(join(root, 'packages', path), text ?? '');
  }
  const program = startNode(join(ROOT, 'tools', 'check-imports.mjs'), ['--root', root]);
  const { code } = await program.exit();
  return { code, lines: program.stderr.split('\n').filter(Boolean) };
}

test('a tree that keeps to the arrows is silent', async () => {
  const { code, lines } = await check({
    'core/src/index.ts': "export { Worker } from './worker/worker.js';\nexport type { Job } from './job/job.js';\n",
    'core/src/worker/worker.ts': "import Redis from 'ioredis';\nimport type { Job } from '../job/job.js';\nexport class Worker {}\n",
    'core/src/job/job.ts': "import { clock } from '../kit/clock.js';\nimport { readFile } from 'node:fs';\nexport type Job = {};\n",
    'core/src/kit/clock.ts': 'export const clock = 1;\n',
    'cluster/src/primary/primary.ts': "import { Worker } from '@drover/core';\nimport { link } from '../link/link.js';\n",
    'cluster/src/link/link.ts': "import { z } from 'zod';\nexport const link = z;\n",
    'cli/src/commands/start.ts': "export const load = () => import('@drover/cluster');\n",
    'cli/bin/drover.js': "import '../dist/main.js';\n",
  });
  expect({ code, lines }).toEqual({ code: 0, lines: [] });
});

test.each([
  {
    name: 'an arrow that points up',
    files: { 'core/src/job/job.ts': "import type { Worker } from '../worker/worker.js';", 'core/src/worker/worker.ts': '' },
    want: ["core/src/job/job.ts:1  '../worker/worker.js': core: job must not import worker"],
  },
  {
    name: 'an arrow between neighbours',
    files: { 'cluster/src/host/host.ts': "export * from '../primary/p.js';", 'cluster/src/primary/p.ts': '' },
    want: ["cluster/src/host/host.ts:1  '../primary/p.js': cluster: host must not import primary"],
  },
  {
    name: 'a layer that only some may use',
    files: { 'core/src/runtime/r.ts': "import '../telemetry/t.js';", 'core/src/telemetry/t.ts': '' },
    want: ["core/src/runtime/r.ts:1  '../telemetry/t.js': core: runtime must not import telemetry (telemetry <- job, store, w"],
  },
  {
    name: 'a folder that has no place in the table',
    files: { 'core/src/misc/m.ts': "import '../kit/k.js';", 'core/src/kit/k.ts': '' },
    want: ["core/src/misc/m.ts:1  '../kit/k.js': layer 'misc' of core is not in the table of layers"],
  },
  {
    name: 'an import of a type inside an expression of types',
    files: { 'core/src/keys/k.ts': "\n\ntype W = import('../worker/w.js').W;", 'core/src/worker/w.ts': '' },
    want: ["core/src/keys/k.ts:3  '../worker/w.js': core: keys must not import worker"],
  },
  {
    name: 'a cycle, types included',
    files: {
      'cli/src/a.ts': "import { b } from './b.js';",
      'cli/src/b.ts': "\nimport type { C } from './c.js';",
      'cli/src/c.ts': "export { a } from './a.js';",
    },
    want: ['cli/src/a.ts:1  cycle in cli: a.ts -> b.ts -> c.ts -> a.ts'],
  },
  {
    name: 'a third-party package in a layer that has none',
    files: { 'core/src/runtime/r.ts': "import { z } from 'zod';\nimport { once } from 'node:events';" },
    want: ["core/src/runtime/r.ts:1  'zod': core: runtime imports no third-party package"],
  },
  {
    name: 'development tools and peers',
    files: { 'cluster/src/control/c.ts': "import pm2 from 'pm2';\nimport { Queue } from 'bullmq-v6';\nconst q = require('bullmq');" },
    want: [
      "cluster/src/control/c.ts:1  'pm2': a development dependency",
      "cluster/src/control/c.ts:2  'bullmq-v6': a development dependency",
      "cluster/src/control/c.ts:3  'bullmq': a development dependency",
    ],
  },
  {
    name: "another package's internals",
    files: {
      'cluster/src/host/h.ts': "import { x } from '@drover/core/dist/x.js';\nimport { y } from '../../../core/src/kit/y.js';",
      'core/src/kit/y.ts': '',
    },
    want: [
      "cluster/src/host/h.ts:1  '@drover/core/dist/x.js': cluster may import @drover/core, ",
      "cluster/src/host/h.ts:2  '../../../core/src/kit/y.js': a relative import leaves packages/cluster/src",
    ],
  },
  {
    name: 'core that knows the cluster',
    files: { 'core/src/worker/w.ts': "import type { C } from '@drover/cluster';" },
    want: ["core/src/worker/w.ts:1  '@drover/cluster': core may import no package of ours"],
  },
  {
    name: 'Redis code in the protocol',
    files: { 'cluster/src/protocol/p.ts': "import { Queue } from '@drover/core';\nimport { Deadline } from '@drover/core/kit';" },
    want: ["cluster/src/protocol/p.ts:1  '@drover/core': protocol of cluster may import @drover/core/kit"],
  },
  {
    name: 'a command line that loads the cluster at once, or elsewhere',
    files: {
      'cli/src/commands/start.ts': "import { a } from '@drover/cluster';",
      'cli/src/connect.ts': "await import('@drover/cluster');",
    },
    want: [
      "cli/src/commands/start.ts:1  '@drover/cluster': commands/start.ts of cli loads it on use",
      "cli/src/connect.ts:1  '@drover/cluster': cli: only commands/start.ts, ",
    ],
  },
])('finds $name', async ({ files, want }) => {
  const { code, lines } = await check({ ...files });
  expect(lines.map((line, i) => line.slice(0, 'packages/'.length + (want[i]?.length ?? 0)))).toEqual(
    want.map((line) => `packages/${line}`),
  );
  expect(code).toBe(1);
});

test('reads past comments, strings, templates, regular expressions and properties', async () => {
  const { lines } = await check({
    'core/src/kit/tricky.ts': [
      "// import 'pm2';",
      "/* import 'pm2'; */ const text = \"import 'pm2'\";",
      "const template = `import 'pm2' $" + '{[1].map((n) => ({ n: `$' + "{n} import 'pm2'` }))} import 'pm2'`;",
      "const pattern = /[/'\"`] import 'pm2'/g, half = 4 / 2;",
      "const own = { import: 'pm2' }, got = own.import ('pm2');",
      'export type Local = { from: string };',
      'const local = 1;',
      'export { local as from };',
      "const after = 'x';",
      'import {',
      '  type Timer, // the last',
      '  from,',
      "} from '../job/job.js';",
    ].join('\n'),
    'core/src/job/job.ts': '',
  });
  expect(lines).toEqual([
    expect.stringMatching(/^packages\/core\/src\/kit\/tricky\.ts:10 {2}'\.\.\/job\/job\.js': core: kit must not import job/),
  ]);
});

test('leaves the tests beside the sources alone', async () => {
  const { code } = await check({ 'core/src/kit/k.test.ts': "import '../job/job.js';\nimport 'pm2';", 'core/src/job/job.ts': '' });
  expect(code).toBe(0);
});
