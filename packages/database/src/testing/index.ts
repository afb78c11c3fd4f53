export { createTestDatabase } from './create-test-database.ts';
export type { TestDatabase } from './create-test-database.ts';
export { startPreparedServer, withClient } from './test-server.ts';
