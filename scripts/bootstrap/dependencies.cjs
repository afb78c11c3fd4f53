'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { npmCommand, npmEnvironment, run } = require('./run.cjs');

/**
 * Tells whether node_modules differs from package-lock.json. npm writes what it installed into a lock file of its own
 * inside node_modules, as its last step, so this also notices an interrupted or a partial installation.
 */
function dependenciesMissing(root) {
  const wanted = packagesOf(path.join(root, 'package-lock.json'));
  const installed = packagesOf(path.join(root, 'node_modules', '.package-lock.json'));
  if (!wanted) throw new Error('package-lock.json is missing or damaged; restore it from the repository');
  if (!installed) return true;
  return Object.keys(wanted).some((location) => {
    const entry = wanted[location];
    if (!location.startsWith('node_modules/') && !location.includes('/node_modules/')) return false;
    const found = installed[location];
    if (!found) return !entry.optional && !entry.devOptional;
    return (
      found.version !== entry.version || found.integrity !== entry.integrity || found.link !== entry.link
    );
  });
}

/**
 * `npm install` rather than `npm ci`: it takes every version and checksum from the lock file just the same, but does
 * not refuse a lock file that leaves out optional packages for platforms their authors no longer build for.
 */
async function installDependencies(root) {
  const npm = npmCommand();
  const args = ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('installing dependencies', npm.command.concat(args), {
    cwd: root,
    env: npmEnvironment(),
    shell: npm.shell,
  });
}

function packagesOf(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

module.exports = { dependenciesMissing, installDependencies };
