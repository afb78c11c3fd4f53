'use strict';
const fs = require('node:fs');
const path = require('node:path');

const POLL_MS = 200;

/** Runs `work` while holding a lock file, so that two starts in one clone never install at the same time. */
async function withLock(file, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const mine = process.pid + ' ' + Date.now();
  let told = false;
  while (!taken(file, mine)) {
    const owner = ownerOf(file);
    if (owner && !isAlive(owner)) {
      removeStale(file, owner);
      continue;
    }
    if (!told) console.log('waiting for another start in this folder, which is setting it up ...');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  try {
    await work();
  } finally {
    if (ownerOf(file) === mine) fs.rmSync(file, { force: true });
  }
}

/** Written beside and linked, so that the file is never seen without its content. */
function taken(file, mine) {
  const draft = file + '.' + process.pid;
  fs.writeFileSync(draft, mine);
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Moves the lock of a dead process aside and looks again: another start may have replaced it in between. */
function removeStale(file, owner) {
  const aside = file + '.stale-' + process.pid;
  try {
    fs.renameSync(file, aside);
    if (ownerOf(aside) !== owner) fs.linkSync(aside, file);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
  fs.rmSync(aside, { force: true });
}

function ownerOf(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isAlive(owner) {
  try {
    process.kill(Number(owner.split(' ')[0]), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

module.exports = { withLock };
