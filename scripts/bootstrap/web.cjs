'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { linkOf } = require('./node-binary.cjs');
const { run } = require('./run.cjs');

const STAMP = '.sources';
/** What the web application is built from; what it imports of other packages is type-only or lives here. */
const SOURCES = [
  'web/index.html',
  'web/package.json',
  'web/public',
  'web/src',
  'web/tsconfig.json',
  'web/vite.config.ts',
  'packages/api-contract/src',
  'packages/domain/src',
  'package-lock.json',
];

/** Tells whether web/dist was built from other sources than those that are there. */
function webOutdated(root) {
  return read(path.join(root, 'web', 'dist', STAMP)) !== sourcesHash(root);
}

/** Builds beside web/dist and swaps, so that a dashboard that is being served never misses its files for long. */
async function buildWeb(root) {
  const hash = sourcesHash(root);
  const web = path.join(root, 'web');
  const fresh = path.join(web, '.dist-' + process.pid);
  const old = path.join(web, '.dist-old-' + process.pid);
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  try {
    await run('building the dashboard', [linkOf(root), vite, 'build', '--outDir', fresh, '--emptyOutDir'], {
      cwd: web,
    });
    fs.writeFileSync(path.join(fresh, STAMP), hash);
    const dist = path.join(web, 'dist');
    if (fs.existsSync(dist)) fs.renameSync(dist, old);
    fs.renameSync(fresh, dist);
  } finally {
    fs.rmSync(fresh, { recursive: true, force: true });
    fs.rmSync(old, { recursive: true, force: true });
  }
}

function sourcesHash(root) {
  const hash = crypto.createHash('sha256');
  for (const source of SOURCES) {
    for (const file of filesUnder(path.join(root, source))) {
      const content = fs.readFileSync(file);
      hash.update(path.relative(root, file) + '\0' + content.length + '\0');
      hash.update(content);
    }
  }
  return hash.digest('hex');
}

function filesUnder(start) {
  if (!fs.existsSync(start)) return [];
  if (fs.statSync(start).isFile()) return [start];
  return fs
    .readdirSync(start)
    .toSorted()
    .filter((name) => !name.endsWith('.test.ts'))
    .flatMap((name) => filesUnder(path.join(start, name)));
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

module.exports = { buildWeb, sourcesHash, webOutdated };
