'use strict';
// Runs before `npm start` and `npm test`, on the Node the machine has: brings node_modules (with the Node that runs
// everything else) and web/dist up to date. Does nothing, and needs no network, when both are. Plain old syntax, so
// that an old Node can still read it and print the line below.

var MINIMUM = 20;
if (Number(process.versions.node.split('.')[0]) < MINIMUM) {
  console.error(
    'ClaudeNexus needs Node ' + MINIMUM + ' or newer to install itself; this is ' + process.version + '.',
  );
  process.exit(1);
}

const path = require('node:path');
const { dependenciesMissing, installDependencies } = require('./bootstrap/dependencies.cjs');
const { installNode, nodeMissing } = require('./bootstrap/node-binary.cjs');
const { withLock } = require('./bootstrap/lock.cjs');
const { buildWeb, webOutdated } = require('./bootstrap/web.cjs');

const root = path.dirname(__dirname);

const steps = [
  { needed: dependenciesMissing, run: installDependencies },
  { needed: nodeMissing, run: installNode },
  { needed: webOutdated, run: buildWeb },
];

async function main() {
  if (!steps.some((step) => step.needed(root))) return;
  await withLock(path.join(root, '.tsbuild', 'bootstrap.lock'), async () => {
    // Looked at again: another start may have done the work while this one waited for the lock.
    for (const step of steps) {
      if (step.needed(root)) await step.run(root);
    }
  });
}

main().catch((error) => {
  console.error('setting up failed: ' + error.message);
  process.exitCode = 1;
});
