import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/setup/sequencer.ts'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    // Tests run against the sources: no stale build can pass them.
    alias: [
      {
        find: /^@ribscope\/store\/testing$/,
        replacement: source('packages/store/src/testing/index.ts'),
      },
      {
        find: /^@ribscope\/(wire|events|bus|store|fabric|detectors|simulator)$/,
        replacement: source('packages/$1/src/index.ts'),
      },
      {
        find: /^@ribscope\/(collector|writer|analyst|api|standalone)$/,
        replacement: source('services/$1/src/index.ts'),
      },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'services/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    // chDB holds one data directory per process, worker threads included: processes, not threads.
    pool: 'forks',
    maxWorkers: 2,
    setupFiles: ['test/setup/seed.ts'],
    globalSetup: ['test/setup/tmpfs.ts'],
    sequence: { sequencer: LongestFirst },
    // Long, for machines that are busy: a test waits for conditions, not for time.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
