/** The lab's own `fabric.yaml`, with holds short enough to wait for. */
import type { Lab } from './lab.ts'
import { EVPN_AS, L2VNI, L3VNI } from './topology.ts'

/** Seconds instead of minutes, for every hold that a scenario of the lab can meet. */
export const SHORT_HOLDS = {
  settle_s: 3,
  episode_gap_s: 3,
  ecmp_hold_s: 6,
  share_hold_s: 8,
  settle_t5_s: 5,
  dump_quiet_s: 2,
} as const

export function fabricYaml(lab: Lab, detectors: Readonly<Record<string, number>> = {}): string {
  // A line each, in YAML's flow style, which is JSON: readable and impossible to quote wrongly.
  const list = (key: string, entries: readonly object[]): string[] =>
    entries.length === 0 ? [] : [`${key}:`, ...entries.map((e) => `  - ${JSON.stringify(e)}`)]
  const lines: string[] = []
  if (lab.has('clos')) {
    const segments = {
      vip: ['10.10.21.0/24', '2001:db8:21::/64'],
      node: ['10.10.19.0/24'],
      pod: ['10.128.0.0/16'],
    }
    lines.push(`segments: ${JSON.stringify(segments)}`)
  }
  const routers = lab.routers.filter((r) => r.role !== 'node')
  lines.push(
    ...list(
      'routers',
      routers.map((r) => ({
        name: r.name,
        address: lab.source(r),
        bgp_id: r.routerId,
        role: r.role,
        ...(r.rack === 0 ? {} : { rack: `r${r.rack}`, pair: `p${r.rack}` }),
        asn: r.asn,
        ...(r.role === 'leaf' ? { vteps: [{ ip: r.routerId, kind: 'pip' }] } : {}),
        ...(r.part === 'clos' ? { multipath_relax: true, max_paths_ebgp: 64 } : {}),
      })),
    ),
    ...list(
      'nodes',
      lab.clos.routers
        .filter((r) => r.role === 'node')
        .map((r) => ({
          name: r.name,
          bgp_ids: [r.routerId],
          addresses: [r.routerId],
          asn: r.asn,
          rack: `r${r.rack}`,
          expected_tors: lab.clos.routers
            .filter((t) => t.role === 'tor' && t.rack === r.rack)
            .map((t) => t.name),
        })),
    ),
    ...list(
      'vips',
      [...lab.clos.vips].map(([prefix, nodes]) => ({
        prefix,
        service: `svc-${prefix.replace(/\W+/g, '-')}`,
        expected_nodes: nodes,
      })),
    ),
  )
  if (lab.has('evpn')) {
    const import_rts = [`${EVPN_AS}:${L3VNI}`]
    lines.push(
      ...list('vrfs', [{ name: 'PODS', l3vni: L3VNI, import_rts, l2vnis: [L2VNI] }]),
      ...list(
        'prefix_nodes',
        lab.evpn.vms.map((vm) => ({ prefix: vm.pods, node: vm.ip })),
      ),
    )
  }
  lines.push(`detectors: ${JSON.stringify({ ...SHORT_HOLDS, ...detectors })}`)
  return lines.join('\n') + '\n'
}
