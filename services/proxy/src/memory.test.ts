import { totalmem } from 'node:os';

import { expect, it } from 'vitest';

import { availableMemory } from './memory.ts';

it('memory that may be used is enough for a process and at most what the machine has', () => {
  expect(availableMemory()).toBeGreaterThan(64 * 2 ** 20);
  expect(availableMemory()).toBeLessThanOrEqual(totalmem());
});
