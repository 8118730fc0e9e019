import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const SETUP = fileURLToPath(new URL('routers.mjs', import.meta.url))

/** A machine with a PATH of its own: apt-get only notes how it was called. */
describe('test/setup/routers.mjs', () => {
  let dir = ''
  let bin = ''
  let policy = ''

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'rbs-setup-'))
    bin = join(dir, 'bin')
    policy = join(dir, 'policy-rc.d')
    mkdirSync(bin)
    symlinkSync('/bin/sh', join(bin, 'sh'))
    symlinkSync('/bin/cat', join(bin, 'cat'))
    program('ip')
    program('sysctl')
    program('systemctl', `echo "systemctl $*" >> ${dir}/calls`)
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  function program(name: string, body = 'exit 0'): void {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`)
    chmodSync(join(bin, name), 0o755)
  }

  const aptGet = (body: string): void =>
    program('apt-get', `echo "$*" >> ${dir}/calls; cat ${policy} >> ${dir}/policy-seen; ${body}`)

  function setup(env: Record<string, string> = {}): { status: number | null; out: string } {
    const done = spawnSync(process.execPath, [SETUP, '--policy-rc-d', policy], {
      encoding: 'utf8',
      env: { PATH: bin, ...env },
    })
    return { status: done.status, out: done.stdout + done.stderr }
  }

  const calls = (): string =>
    existsSync(`${dir}/calls`) ? readFileSync(`${dir}/calls`, 'utf8') : ''
  const root = process.getuid?.() === 0

  test('RIBSCOPE_TEST_INSTALL=0: installs nothing and says what to install', () => {
    aptGet('exit 0')
    const { status, out } = setup({ RIBSCOPE_TEST_INSTALL: '0' })
    expect(status).toBe(0)
    expect(out).toMatch(/RIBSCOPE_TEST_INSTALL=0; .* skipped.*apt-get install .*gobgpd/)
    expect(calls()).toBe('')
  })

  test.skipIf(!root)(
    'installs what is missing with services forbidden, then takes that back',
    () => {
      aptGet(`printf '#!/bin/sh\\n' > ${bin}/gobgpd; /bin/chmod +x ${bin}/gobgpd`)
      const { status, out } = setup()
      expect(status).toBe(0)
      expect(calls()).toMatch(/install -y --no-install-recommends .*gobgpd/)
      expect(calls()).not.toMatch(/iproute2|procps/)
      expect(readFileSync(`${dir}/policy-seen`, 'utf8')).toContain('exit 101')
      expect(existsSync(policy)).toBe(false)
      expect(calls()).toMatch(/systemctl disable --quiet .*gobgpd/)
      expect(out).not.toContain('skipped')
    },
  )

  test.skipIf(!root)("puts back the machine's own policy-rc.d, and fails nothing", () => {
    writeFileSync(policy, '# mine\n')
    aptGet('echo "E: Unable to locate package gobgpd" >&2; exit 100')
    const { status, out } = setup()
    expect(status).toBe(0)
    expect(out).toMatch(/apt-get failed: E: Unable to locate package gobgpd; .* skipped/)
    expect(calls()).toContain('update')
    expect(readFileSync(`${dir}/policy-seen`, 'utf8')).toContain('exit 101')
    expect(readFileSync(policy, 'utf8')).toBe('# mine\n')
    expect(existsSync(`${policy}.ribscope-saved`)).toBe(false)
  })

  test.skipIf(!root)('puts back the policy-rc.d of a run that was killed', () => {
    // The setup ends here like kill -9 would end it: the policy stays behind.
    const killParent = 'kill -9 $PPID'
    writeFileSync(policy, '# mine\n')
    aptGet(killParent)
    expect(setup().status).toBe(null)
    expect(readFileSync(policy, 'utf8')).toContain('exit 101')
    setup({ RIBSCOPE_TEST_INSTALL: '0' })
    expect(readFileSync(policy, 'utf8')).toBe('# mine\n')
  })

  test("leaves the machine's own policy-rc.d alone when there is nothing to install", () => {
    writeFileSync(policy, '# mine\n')
    setup({ RIBSCOPE_TEST_INSTALL: '0' })
    expect(readFileSync(policy, 'utf8')).toBe('# mine\n')
  })

  // FRR's programs have an absolute path: here only where it is installed.
  test.skipIf(!existsSync('/usr/lib/frr/bgpd'))('nothing is missing: says nothing', () => {
    program('gobgpd')
    expect(setup()).toEqual({ status: 0, out: '' })
  })
})
