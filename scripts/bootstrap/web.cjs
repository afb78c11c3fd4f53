'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { linkOf } = require('./node-binary.cjs');
const { run } = require('./run.cjs');
const { sourcesHash } = require('./sources-hash.cjs');

const STAMP = '.sources';
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

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

module.exports = { buildWeb, webOutdated };
