// Bundles the program with what it shares with the tests and runs it: Node 20 runs no TypeScript. Types are checked by `npm run types`.
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const file = fileURLToPath(new URL('dist/cli.js', import.meta.url))
const bundle = await rolldown({
  input: fileURLToPath(new URL('cli.ts', import.meta.url)),
  platform: 'node',
  external: /^[^./]/,
  logLevel: 'warn',
})
await bundle.write({ file, format: 'esm', codeSplitting: false })
await import(file)
