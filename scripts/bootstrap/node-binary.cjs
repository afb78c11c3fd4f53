'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { npmEnvironment, run } = require('./run.cjs');

/** Tells whether node_modules/.bin/node is not yet the Node of the `node` package. */
function nodeMissing(root) {
  const wanted = wantedVersion(root);
  const found = spawnSync(linkOf(root), ['--version'], { encoding: 'utf8' });
  return found.status !== 0 || found.stdout.trim() !== 'v' + wanted;
}

/**
 * The `node` package fetches its binary in an install script. Where scripts are switched off (npm's `ignore-scripts`,
 * or an npm that asks for approval) this runs that script, in its own folder, because it writes to ./bin.
 */
async function installNode(root) {
  const folder = path.join(root, 'node_modules', 'node');
  const env = npmEnvironment();
  env.npm_config_audit = 'false';
  env.npm_config_fund = 'false';
  await run('installing Node ' + wantedVersion(root), [process.execPath, 'installArchSpecificPackage.js'], {
    cwd: folder,
    env,
  });
  linkBinary(root);
  if (nodeMissing(root))
    throw new Error('node_modules/.bin/node does not run; remove node_modules and start again');
}

/** npm leaves the link out when its target was missing at the time. */
function linkBinary(root) {
  if (process.platform === 'win32' || fs.existsSync(linkOf(root))) return;
  fs.rmSync(linkOf(root), { force: true });
  fs.symlinkSync(path.join('..', 'node', 'bin', 'node'), linkOf(root));
}

function linkOf(root) {
  if (process.platform === 'win32') return path.join(root, 'node_modules', 'node', 'bin', 'node.exe');
  return path.join(root, 'node_modules', '.bin', 'node');
}

function wantedVersion(root) {
  const manifest = path.join(root, 'node_modules', 'node', 'package.json');
  return JSON.parse(fs.readFileSync(manifest, 'utf8')).version;
}

module.exports = { installNode, linkOf, nodeMissing };
