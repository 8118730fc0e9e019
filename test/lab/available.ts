/** Whether this machine can run the lab. */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Part } from './lab.ts'

export const APT_GET = 'apt-get install frr gobgpd iproute2 procps'

const SBIN = ['/usr/sbin', '/sbin', '/usr/local/sbin']

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const onPath = (program: string): boolean =>
  [...(process.env['PATH'] ?? '').split(delimiter), ...SBIN].some((dir) =>
    isProgram(join(dir, program)),
  )

/** Root in a container may be less than root: tries what the lab is made of. */
function forbidden(): string | undefined {
  const space = `rbs-${process.pid}-probe`
  const ip = (args: string[], input = ''): string | undefined => {
    const done = spawnSync('ip', args, { encoding: 'utf8', input, timeout: 10_000 })
    if (done.status === 0) return undefined
    return (done.error?.message ?? done.stderr).trim().split('\n')[0]
  }
  const links = ['bridge', 'veth', 'vxlan id 1 dstport 4789'].map((type) => `link add type ${type}`)
  const error = ip(['netns', 'add', space]) ?? ip(['-n', space, '-batch', '-'], links.join('\n'))
  ip(['netns', 'del', space])
  return error === undefined ? undefined : `no network namespaces here: ${error}`
}

/**
 * @returns why the lab cannot run here, in one line that says what to do about it; undefined when
 *   nothing is missing
 */
export function labMissing(parts: readonly Part[]): string | undefined {
  if (process.platform !== 'linux') return 'the lab needs Linux (network namespaces)'
  if (process.getuid?.() !== 0) return 'the lab needs root (network namespaces)'
  const missing = ['ip', 'sysctl'].filter((program) => !onPath(program))
  if (parts.includes('clos')) {
    missing.push(...['/usr/lib/frr/bgpd', '/usr/lib/frr/zebra'].filter((p) => !isProgram(p)))
  }
  if (parts.includes('evpn')) {
    missing.push(...['gobgpd', 'gobgp'].filter((program) => !onPath(program)))
  }
  if (missing.length === 0) return forbidden()
  return `missing ${missing.join(', ')}; on Debian 12: ${APT_GET}`
}
