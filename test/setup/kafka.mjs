// Run before the tests (`npm test`): fetches the Kafka broker that tests run against into
// .cache/kafka, once. Never fails: without Java or Maven those tests skip, and say why.
//
//   node test/setup/kafka.mjs
//
// RIBSCOPE_TEST_INSTALL=0 forbids fetching.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const pom = fileURLToPath(new URL('../kafka/pom.xml', import.meta.url))
const cache = fileURLToPath(new URL('../../.cache/kafka', import.meta.url))
const LIMIT_MS = 300_000

const say = (line) => console.log(`kafka broker: ${line}`)
const works = (program, ...args) => spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** What is there is of this pom, and whole. */
const stamp = createHash('sha256').update(readFileSync(pom)).digest('hex')
const isThere = () =>
  existsSync(`${cache}/stamp`) && readFileSync(`${cache}/stamp`, 'utf8') === stamp

function main() {
  if (isThere()) return say('there')
  if (process.env.RIBSCOPE_TEST_INSTALL === '0') return say('not fetched (RIBSCOPE_TEST_INSTALL=0)')
  if (!works('java', '-version')) return say('no java: tests with Kafka will skip')
  if (!works('mvn', '-version')) return say('no mvn: tests with Kafka will skip')
  say('fetching with Maven ...')
  const next = `${cache}.${process.pid}`
  mkdirSync(next, { recursive: true })
  const { status, signal, stdout, stderr } = spawnSync(
    'mvn',
    ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${next}/lib`],
    { encoding: 'utf8', timeout: LIMIT_MS },
  )
  if (status !== 0) {
    rmSync(next, { recursive: true, force: true })
    const said = `${stdout}${stderr}`.trim().split('\n').slice(-3).join(' | ')
    return say(`mvn failed (${status ?? signal}): tests with Kafka will skip. ${said}`)
  }
  writeFileSync(`${next}/stamp`, stamp)
  rmSync(cache, { recursive: true, force: true })
  renameSync(next, cache)
  say('there')
}

main()
