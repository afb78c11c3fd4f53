import { SERVER_VARIABLE, startTestServer } from './test-server.ts';

/** Starts one PostgreSQL for the whole test run. @returns the tear-down. */
export async function setup(): Promise<() => Promise<void>> {
  const server = await startTestServer();
  process.env[SERVER_VARIABLE] = server.url;
  return async () => {
    delete process.env[SERVER_VARIABLE];
    await server.stop();
  };
}
