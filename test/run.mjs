// `npm test`: what the tests need, the build that some of them start, then vitest.
//
//   npm test                       everything
//   npm test -- packages/wire      what vitest's filters name
//   RIBSCOPE_TEST_INSTALL=0        install no router daemons (their tests skip, and say so)
//
// The report that .ci/run counts is .cache/vitest.json.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const report = '.cache/vitest.json'

process.chdir(root)
mkdirSync('.cache', { recursive: true })
rmSync(report, { force: true })

/** Runs a program with our terminal; a signal to us is passed on, so that nothing is left behind. */
function run(program, ...args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' })
    const passOn = (signal) => child.kill(signal)
    process.on('SIGINT', passOn).on('SIGTERM', passOn)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGINT', passOn).off('SIGTERM', passOn)
      resolve(signal === null ? code : 1)
    })
  })
}

async function main(filters) {
  if (existsSync('test/setup/routers.mjs')) {
    console.log('npm test: 1/3 router daemons and the Kafka broker that tests run against')
    await run('test/setup/routers.mjs')
  }
  await run('test/setup/kafka.mjs')
  console.log('npm test: 2/3 build (some tests start the built program)')
  const built = await run('node_modules/typescript/bin/tsc', '-b')
  if (built !== 0) return built
  console.log('npm test: 3/3 vitest')
  return run(
    'node_modules/vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    '--reporter=./test/skipped.ts',
    ...filters,
  )
}

process.exitCode = await main(process.argv.slice(2))
