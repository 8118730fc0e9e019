// Run before the tests (`npm test`): installs the router daemons that the real-router tests use, where
// that is possible and wanted. Never fails: what can't be installed makes those tests skip by name.
//
//   node test/setup/routers.mjs [--policy-rc-d FILE]
//
// RIBSCOPE_TEST_INSTALL=0 forbids installing. Only on Debian (apt-get), only as root. The daemons'
// services are kept from starting, now and at boot: the lab starts daemons of its own.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Debian package -> a program of it, an absolute path or a name on PATH. */
const PACKAGES = new Map([
  ['frr', '/usr/lib/frr/bgpd'],
  ['gobgpd', 'gobgpd'],
  ['iproute2', 'ip'],
  ['procps', 'sysctl'],
])
/** Packages that come with a service. */
const SERVICES = ['frr', 'gobgpd']
const APT_LIMIT_MS = 300_000

const flagAt = process.argv.indexOf('--policy-rc-d')
const policyFile = (flagAt > 0 && process.argv[flagAt + 1]) || '/usr/sbin/policy-rc.d'
const savedPolicy = `${policyFile}.ribscope-saved`

const say = (line) => console.log(`real routers: ${line}`)

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function hasProgram(program) {
  if (program.startsWith('/')) return isProgram(program)
  const dirs = (process.env.PATH ?? '').split(delimiter)
  // Not every user's PATH has them; the tests find them there all the same.
  if (flagAt < 0) dirs.push('/usr/sbin', '/sbin')
  return dirs.some((dir) => isProgram(join(dir, program)))
}

const missingPackages = () =>
  [...PACKAGES].filter(([, program]) => !hasProgram(program)).map(([name]) => name)

/** How to know our own policy again, to remove no other. */
const MARK = '# ribscope test/setup/routers.mjs: removed again'

const isOurs = () => existsSync(policyFile) && readFileSync(policyFile, 'utf8').includes(MARK)

/** invoke-rc.d and deb-systemd-invoke ask this file whether a service may start: 101 says no. */
function forbidServices() {
  if (existsSync(policyFile)) renameSync(policyFile, savedPolicy)
  writeFileSync(policyFile, `#!/bin/sh\n${MARK}\nexit 101\n`, { mode: 0o755 })
}

function allowServices() {
  if (!isOurs()) return
  rmSync(policyFile)
  if (existsSync(savedPolicy)) renameSync(savedPolicy, policyFile)
}

function aptGet(...args) {
  const done = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=60', ...args], {
    encoding: 'utf8',
    timeout: APT_LIMIT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (done.status === 0) return undefined
  const said = done.error?.message ?? `${done.stderr}\n${done.stdout}`
  return said.trim().split('\n').slice(-2).join(' / ')
}

function install(packages) {
  const line = ['install', '-y', '--no-install-recommends', ...packages]
  say(`installing ${packages.join(' ')} with apt-get (RIBSCOPE_TEST_INSTALL=0 forbids it)`)
  forbidServices()
  try {
    let error = aptGet(...line)
    if (error !== undefined) {
      say('once more with fresh package lists')
      aptGet('update')
      error = aptGet(...line)
    }
    if (error !== undefined) return error
  } finally {
    allowServices()
  }
  const services = SERVICES.filter((name) => packages.includes(name))
  if (services.length > 0) {
    // Installed for tests, not to route: not at the next boot either. No systemd, nothing to do.
    spawnSync('systemctl', ['disable', '--quiet', ...services], {
      stdio: 'ignore',
      timeout: 30_000,
    })
    say(`services ${services.join(', ')} neither started nor enabled`)
  }
  return undefined
}

function main() {
  // A run that was killed half way left its policy behind.
  allowServices()
  const missing = missingPackages()
  if (missing.length === 0) return
  const byHand = `apt-get install ${missing.join(' ')}`
  const skip = (why) => say(`${why}; their tests will be skipped. On Debian 12: ${byHand}`)
  if (process.env.RIBSCOPE_TEST_INSTALL === '0') return skip('RIBSCOPE_TEST_INSTALL=0')
  if (process.platform !== 'linux') return skip('not Linux')
  if (process.getuid?.() !== 0) return skip('not root')
  if (!hasProgram('apt-get')) return skip('no apt-get')
  const error = install(missing)
  if (error !== undefined) return skip(`apt-get failed: ${error}`)
  const left = missingPackages()
  if (left.length > 0) return skip(`installed, and still without ${left.join(', ')}`)
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    allowServices()
    process.exit(0)
  })
}

try {
  main()
} catch (error) {
  say(`could not prepare (${error.message}); their tests may be skipped`)
}
