import { familyName } from '../bgp/families.ts'
import type { Capability } from '../bgp/open/capabilities.ts'

const SEND_RECEIVE = ['?', 'receive', 'send', 'both']

/** One line for people and for the event log: `add-path ipv4-unicast/both`, `as4 4200001001`. */
export function formatCapability(capability: Capability): string {
  const list = <T extends { readonly afi: number; readonly safi: number }>(
    name: string,
    families: readonly T[],
    suffix: (entry: T) => string,
  ): string =>
    [name, ...families.map((entry) => `${familyName(entry.afi, entry.safi)}${suffix(entry)}`)].join(
      ' ',
    )
  switch (capability.kind) {
    case 'multiprotocol':
      return `multiprotocol ${familyName(capability.afi, capability.safi)}`
    case 'route_refresh':
      return capability.code === 128 ? 'route-refresh-cisco' : 'route-refresh'
    case 'orf':
      return list(
        capability.code === 130 ? 'orf-cisco' : 'orf',
        capability.families,
        ({ types }) =>
          `/${types.map((each) => `${each.type}:${SEND_RECEIVE[each.sendReceive] ?? '?'}`).join(',')}`,
      )
    case 'multiple_routes':
      return 'multiple-routes'
    case 'bgpsec':
      return `bgpsec ${capability.direction} afi-${capability.afi} version ${capability.version}`
    case 'dynamic':
      return ['dynamic', ...capability.codes].join(' ')
    case 'multisession':
      return ['multisession', ...capability.codes].join(' ')
    case 'routing_policy':
      return list(
        'routing-policy',
        capability.families,
        (entry) => `/${SEND_RECEIVE[entry.sendReceive] ?? '?'}`,
      )
    case 'bfd_strict':
      return 'bfd-strict'
    case 'paths_limit':
      return list('paths-limit', capability.families, (entry) => `/${entry.limit}`)
    case 'link_local_next_hop':
      return 'link-local-next-hop'
    case 'extended_next_hop':
      return list('extended-next-hop', capability.families, (entry) => `/afi-${entry.nextHopAfi}`)
    case 'extended_message':
      return 'extended-message'
    case 'multiple_labels':
      return list('multiple-labels', capability.families, (entry) => `/${entry.count}`)
    case 'role':
      return `role ${capability.role}`
    case 'graceful_restart': {
      const flags = `${capability.restarting ? ' R' : ''}${capability.notification ? ' N' : ''}`
      const name = `graceful-restart ${capability.restartTimeS}s${flags}`
      return list(name, capability.families, (entry) => (entry.forwardingKept ? '/F' : ''))
    }
    case 'as4':
      return `as4 ${capability.asn}`
    case 'add_path':
      return list(
        'add-path',
        capability.families,
        (entry) => `/${SEND_RECEIVE[entry.sendReceive] ?? '?'}`,
      )
    case 'enhanced_route_refresh':
      return 'enhanced-route-refresh'
    case 'llgr':
      return list(
        'llgr',
        capability.families,
        (entry) => `/${entry.staleTimeS}s${entry.forwardingKept ? '/F' : ''}`,
      )
    case 'fqdn':
      return `fqdn ${capability.hostname}${capability.domain === '' ? '' : `.${capability.domain}`}`
    case 'software_version':
      return `software-version ${capability.version}`
    case 'raw':
      return `capability-${capability.code}${capability.raw === '' ? '' : ` 0x${capability.raw}`}`
  }
}
