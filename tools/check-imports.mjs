/**
 * Checks which file may import which: the arrows between packages and layers, cycles between files (types included), and
 * packages that a folder must not use. One line per violation, exit 1. No dependency.
 *
 *     node tools/check-imports.mjs [--root DIR]
 *
 * Test files are not part of a layer and are left out.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { importsOf } from './scan-imports.mjs';

/**
 * Layers of a package from the bottom up; a layer may import every line above its own here, and nothing beside or below it.
 * A folder of src is a layer, and so is a file that lies directly in src. A package without an entry has no inner layers.
 */
const LAYERS = {
  core: [['kit'], ['errors', 'keys', 'telemetry'], ['redis'], ['job'], ['store', 'sandbox'], ['runtime'], ['worker', 'queue'], ['index']],
  cluster: [
    ['errors'],
    ['config'],
    ['protocol'],
    ['supervisor', 'placement', 'autoscale', 'metrics'],
    ['link'],
    ['primary', 'host', 'control'],
    ['start-primary', 'start-host'],
    ['worker-manager'],
    ['index'],
  ],
};

/** Layers that only some of the layers above them may use. */
const USED_ONLY_BY = { core: { telemetry: ['job', 'store', 'worker', 'queue', 'index'], sandbox: ['worker', 'index'] } };

/** Imports between packages: of the whole package, and of layers that are held to less. Everything else is refused. */
const PACKAGE_ARROWS = {
  core: { all: [] },
  cluster: {
    all: ['@drover/core', '@drover/core/kit', '@drover/core/runtime'],
    // The protocol is what the command line loads at each call: kit and schemas, no Redis code. So is what it stands on.
    layers: { errors: ['@drover/core/kit'], config: ['@drover/core/kit'], protocol: ['@drover/core/kit'] },
  },
  cli: {
    all: ['@drover/core/kit', '@drover/cluster/protocol'],
    // The bench is a producer and a consumer like any application's; `drover bench` loads it when it is used.
    layers: { bench: ['@drover/core', '@drover/core/kit'] },
    onUse: { '@drover/cluster': ['commands/start.ts', 'commands/doctor.ts', 'commands/simulate.ts'] },
  },
};

/** Layers that import no third-party package. */
const NO_THIRD_PARTY = { core: ['kit', 'runtime'], cluster: ['supervisor', 'placement'] };

/** Never below packages/: development tools and peers of the tests. */
const NEVER = /^(pm2|bullmq)(-[^/]+)?(\/|$)/;

/** @typedef {{ path: string, pkg: string, inSrc: string | undefined, layer: string | undefined, imports: import('./scan-imports.mjs').Import[] }} SourceFile */

/** @returns {string[]} the violations below `root`, one line each, in the order of the files. */
function checkImports(root) {
  const files = readPackages(root);
  const byPath = new Map(files.map((file) => [file.path, file]));
  const violations = files.flatMap((file) => file.imports.map((each) => judge(file, each, byPath)).filter(Boolean));
  return [...violations, ...findCycles(files, byPath)].map((v) => `${relative(root, v.path).split(sep).join('/')}:${v.line}  ${v.what}`);
}

/** @returns {{ path: string, line: number, what: string } | undefined} */
function judge(file, { specifier, line, dynamic }, byPath) {
  const what = specifier.startsWith('.') ? judgeRelative(file, specifier, byPath) : judgePackage(file, specifier, dynamic);
  return what && { path: file.path, line, what: `'${specifier}': ${what}` };
}

function judgeRelative(file, specifier, byPath) {
  if (file.inSrc === undefined) return undefined; // bin/ starts what was built
  const target = byPath.get(sourcePath(file.path, specifier));
  const targetPackage = target?.pkg ?? packageOf(resolve(dirname(file.path), specifier));
  if (targetPackage !== file.pkg || (target && target.inSrc === undefined)) {
    return `a relative import leaves packages/${file.pkg}/src; other packages are imported by name`;
  }
  const layers = LAYERS[file.pkg];
  if (layers === undefined || target === undefined || target.layer === file.layer) return undefined;
  const [from, to] = [file.layer, target.layer].map((layer) => layers.findIndex((line) => line.includes(layer)));
  if (from < 0 || to < 0) return `layer '${from < 0 ? file.layer : target.layer}' of ${file.pkg} is not in the table of layers`;
  if (to >= from)
    return `${file.pkg}: ${file.layer} must not import ${target.layer} (${layers.map((line) => line.join(', ')).join(' <- ')})`;
  const users = USED_ONLY_BY[file.pkg]?.[target.layer];
  if (users && !users.includes(file.layer))
    return `${file.pkg}: ${file.layer} must not import ${target.layer} (${target.layer} <- ${users.join(', ')})`;
  return undefined;
}

function judgePackage(file, specifier, dynamic) {
  if (specifier.startsWith('node:')) return undefined;
  if (NEVER.test(specifier)) return 'a development dependency; it is never used below packages/';
  if (!specifier.startsWith('@drover/')) {
    return NO_THIRD_PARTY[file.pkg]?.includes(file.layer) ? `${file.pkg}: ${file.layer} imports no third-party package` : undefined;
  }
  const arrows = PACKAGE_ARROWS[file.pkg] ?? { all: [] };
  const allowed = arrows.layers?.[file.layer] ?? arrows.all;
  if (allowed.includes(specifier)) return undefined;
  const onUse = arrows.onUse?.[specifier];
  if (onUse?.includes(file.inSrc))
    return dynamic ? undefined : `${file.inSrc} of ${file.pkg} loads it on use: await import('${specifier}')`;
  if (onUse) return `${file.pkg}: only ${onUse.join(', ')} may load it, on use`;
  const where = arrows.layers?.[file.layer] ? `${file.layer} of ${file.pkg}` : file.pkg;
  return `${where} may import ${allowed.join(', ') || 'no package of ours'}`;
}

/** One violation for each group of files that import each other in a circle, with a shortest circle spelled out. */
function findCycles(files, byPath) {
  const edges = new Map();
  for (const file of files) {
    const targets = file.imports.filter(({ specifier }) => specifier.startsWith('.'));
    edges.set(
      file,
      targets.map((each) => ({ line: each.line, to: byPath.get(sourcePath(file.path, each.specifier)) })).filter(({ to }) => to),
    );
  }
  const reported = new Set();
  const violations = [];
  for (const file of files) {
    if (reported.has(file)) continue;
    const circle = shortestCircle(file, edges);
    if (circle === undefined) continue;
    for (const { from } of circle) reported.add(from);
    const names = [...circle.map(({ from }) => from), file].map((each) => each.inSrc ?? each.path);
    violations.push({ path: file.path, line: circle[0].line, what: `cycle in ${file.pkg}: ${names.join(' -> ')}` });
  }
  return violations;
}

/** Breadth first from `start` back to itself. @returns the edges walked, or undefined. */
function shortestCircle(start, edges) {
  const cameBy = new Map();
  const queue = [start];
  for (const from of queue) {
    for (const { line, to } of edges.get(from)) {
      if (to === start) {
        const circle = [{ from, line }];
        while (circle[0].from !== start) circle.unshift(cameBy.get(circle[0].from));
        return circle;
      }
      if (cameBy.has(to)) continue;
      cameBy.set(to, { from, line });
      queue.push(to);
    }
  }
  return undefined;
}

/** @returns {SourceFile[]} of packages/x/src and packages/x/bin, sorted by path. */
function readPackages(root) {
  const packages = join(root, 'packages');
  if (!existsSync(packages)) throw new Error(`there is no ${packages}`);
  return readdirSync(packages)
    .flatMap((pkg) => ['src', 'bin'].map((folder) => ({ pkg, folder, dir: join(packages, pkg, folder) })))
    .filter(({ dir }) => existsSync(dir))
    .flatMap(({ pkg, folder, dir }) => {
      const names = readdirSync(dir, { recursive: true }).map((name) => name.split(sep).join('/'));
      const sources = names.filter((name) => /\.[cm]?[jt]sx?$/.test(name) && !/\.test\.[cm]?tsx?$/.test(name)).sort();
      return sources.map((name) => readSource(join(dir, name), pkg, folder === 'src' ? name : undefined));
    });
}

function readSource(path, pkg, inSrc) {
  const layer = inSrc?.includes('/') ? inSrc.slice(0, inSrc.indexOf('/')) : inSrc?.replace(/\.[^/]*$/, '');
  return { path, pkg, inSrc, layer, imports: importsOf(readFileSync(path, 'utf8')) };
}

/** './x.js' as written in a source stands for x.ts. */
function sourcePath(from, specifier) {
  return resolve(dirname(from), specifier).replace(/\.([cm]?)js$/, '.$1ts');
}

function packageOf(path) {
  const parts = path.split(sep);
  return parts[parts.lastIndexOf('packages') + 1];
}

const { values } = parseArgs({ options: { root: { type: 'string', default: join(import.meta.dirname, '..') } } });
const violations = checkImports(resolve(values.root));
for (const violation of violations) console.error(violation);
if (violations.length > 0) process.exitCode = 1;
