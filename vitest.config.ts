import { defineConfig } from 'vitest/config';

/** Tests lie beside the code they test; those that cross folders lie in bench/. */
export default defineConfig({
  test: {
    include: ['{scenarios,bench,devices,emulator,reports}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    reporters: ['default'],
  },
});
