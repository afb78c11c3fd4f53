'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

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

/** Hash of the names and contents of everything web/dist is built from. */
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

module.exports = { sourcesHash };
