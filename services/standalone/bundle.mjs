// After `tsc -b`: all that `ribscope decode` needs in one file, dist/decode.cjs, and what V8 made of it,
// dist/decode.cache. Ninety modules take longer to find, parse and link than 30 MB take to decode
// (bench/decode-count.mjs). bin/ribscope.js prefers the file while nothing it was made of is newer; all other
// commands run as tsc wrote them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from './dist/index.js'

const require = createRequire(import.meta.url)
const { BUNDLE, CACHE, compile } = require('./bin/bundle.js')

rmSync(BUNDLE, { force: true })
rmSync(CACHE, { force: true })
const { rolldown } = await import('rolldown').catch((error) => {
  // A platform that it has no binary for: all works without.
  console.error(`decode will start slower: no bundle: ${error.message.split('\n')[0]}`)
  process.exit(0)
})
const bundle = await rolldown({
  input: fileURLToPath(new URL('dist/index.js', import.meta.url)),
  platform: 'node',
  // The other commands, and what helps with misspelt flags, stay where they are.
  external: (id) => /^\.\/commands\/(?!decode\.)/.test(id) || id === '@ribscope/fabric',
  // A package whose modules did something when they are loaded would not be one for a library either.
  treeshake: { moduleSideEffects: false },
  logLevel: 'warn',
})
await bundle.write({ file: BUNDLE, format: 'cjs', codeSplitting: false, comments: false })

// The cache holds the byte code of what has run: so it decodes something, each way.
const silent = { stdout: { write: () => true }, stderr: process.stderr, env: {} }
const io = { ...silent, signal: new AbortController().signal }
const folder = mkdtempSync(join(tmpdir(), 'ribscope-build-'))
try {
  const { script, exports } = compile(undefined)
  for (const scenario of ['A10', 'C01']) {
    const out = join(folder, scenario)
    await runCommand(['simulate', scenario, '--out', out], io)
    for (const name of readdirSync(out).filter((each) => each.endsWith('.bmp'))) {
      for (const how of [['--count'], ['--rows'], []]) {
        const code = await exports.runCommand(['decode', ...how, join(out, name)], io)
        if (code !== 0) throw new Error(`decode ${how} ${name}: exit ${code}`)
      }
    }
  }
  writeFileSync(CACHE, script.createCachedData())
} finally {
  rmSync(folder, { recursive: true })
}
console.log(
  `decode.cjs ${readFileSync(BUNDLE).length}, decode.cache ${readFileSync(CACHE).length} octets`,
)
