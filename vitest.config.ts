import { defineConfig } from 'vitest/config';

const ignored = ['**/node_modules/**', '**/.tsbuild/**', '**/dist/**'];

/** unit: pure and in-process; db: a real PostgreSQL; e2e: several processes; operator: a real Kubernetes API server; cluster: real pods. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{packages,services,scripts,operator}/**/*.test.ts',
            'e2e/fixtures/control-plane/*.test.ts',
            'e2e/cluster/network-policies/*.test.ts',
          ],
          exclude: [...ignored, '**/*.db.test.ts'],
          // A guard against hanging only; some start threads, which takes seconds on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        extends: './web/vite.config.ts',
        test: { name: 'web', root: './web', include: ['src/**/*.test.ts'], environment: 'happy-dom' },
      },
      {
        test: {
          name: 'db',
          include: ['{packages,services,scripts}/**/*.db.test.ts'],
          exclude: ignored,
          globalSetup: ['packages/database/src/testing/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...ignored, 'e2e/{cluster,fixtures/control-plane,operator}/**'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'operator',
          include: ['e2e/operator/**/*.test.ts'],
          exclude: ignored,
          globalSetup: ['e2e/fixtures/control-plane/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // Each has a control plane of its own; the tests wait more than they compute.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['e2e/cluster/**/*.test.ts'],
          exclude: [...ignored, 'e2e/cluster/network-policies/**'],
          globalSetup: ['e2e/cluster/global-setup.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
