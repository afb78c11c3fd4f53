import { stdout } from 'node:process';

import { openTestWriter, recordExchange } from './spool.ts';

/**
 * A process that records exchanges until it is killed and prints the id of each one whose `end` has resolved.
 * argv: spool folder, exchanges in flight at once.
 */
const [spoolDir = '', lanes = '1'] = process.argv.slice(2);
const test = openTestWriter(spoolDir, { segmentBytes: 256 * 1024, syncIntervalMs: 10 });
const request = [Buffer.alloc(3000, 'q')];
const response = Array.from({ length: 20 }, (_, index) => Buffer.from(`event ${index}\n`));

async function lane(): Promise<never> {
  for (;;) {
    const id = await recordExchange(test.writer, { request, response });
    stdout.write(`${id}\n`);
  }
}

await Promise.all(Array.from({ length: Number(lanes) }, () => lane()));
