import { expect, it } from 'vitest';

import {
  openTestReader,
  openTestWriter,
  readEverything,
  recordExchange,
  withSpool,
} from './testing/spool.ts';

it.each(['suspect', 'refused'])(
  'a %s exchange that went to quarantine is not set aside again after the worker died at once',
  (how) =>
    withSpool(async (spoolDir) => {
      const test = openTestWriter(spoolDir);
      const id = await recordExchange(test.writer);
      await recordExchange(test.writer);
      await test.writer.close();
      const suspects = how === 'suspect' ? [{ id, attempts: 2 }] : [];
      // Never closed, as a thread that died.
      const died = openTestReader(spoolDir, { suspects });
      await readEverything(died);
      if (how === 'refused') died.quarantine(id, { reason: 'refused' });
      expect(died.stats().quarantinedRecords).toBe(1);
      const next = openTestReader(spoolDir, { suspects });
      const read = await readEverything(next);
      expect(read.map((exchange) => exchange.id)).not.toContain(id);
      expect(read).toHaveLength(1);
      expect(next.stats().quarantinedRecords).toBe(0);
      next.close();
    }),
);
