/** What a router sent, as the rows that must come of it, written down when it is sent and in the order in which it is. */
import type { Attributes } from '../../packages/simulator/src/encode/attributes.ts'
import { FAMILIES, type Nlri } from '../../packages/simulator/src/encode/nlri.ts'

/** Who a peer is, as every row has it. */
export interface PeerFacts {
  readonly address: string
  readonly asn: number
  readonly bgpId: string
}

/** A route as the log and the current state show it, without its peer. */
export interface RouteText {
  readonly afi: number
  readonly safi: number
  readonly nlri: string
  readonly pathId: number
  /** '' in a withdrawal */
  readonly content: string
}

export interface SentRoute {
  readonly peer: string
  readonly announce: boolean
  /** said after the End-of-RIB of its view */
  readonly live: boolean
  readonly route: RouteText
}

/** How a session ended, as its router knows. lost: not by the router. */
export type SessionEnd = 'open' | 'fin' | 'lost'

/** One life of a collector's process. */
export interface Life {
  readonly collector: number
  /** killed, or stopped without handing over all it had */
  lost: boolean
  /** performance.now() when it was told to stop */
  stoppedAt: number | undefined
}

export interface SessionTruth {
  readonly router: string
  /** sysDescr of the Initiation: which row belongs to which session */
  readonly tag: string
  readonly life: Life
  readonly routes: SentRoute[]
  /** peer_up ADDRESS, eor ADDRESS AFI/SAFI, peer_down ADDRESS REASON, termination */
  readonly facts: string[]
  end: SessionEnd
  /** performance.now() when the collector had closed its side after the router did */
  closedAt: number | undefined
}

/**
 * Must all rows of the session be there? Not of one that lost its collector: that of a dead collector may have had rows that no
 * broker had yet, whoever had ended the session.
 */
export function isWhole({ end, life, closedAt }: SessionTruth): boolean {
  if (life.lost || end === 'lost') return false
  if (life.stoppedAt === undefined) return true
  return end === 'fin' && closedAt !== undefined && closedAt < life.stoppedAt
}

export const peerText = ({ address, asn, bgpId }: PeerFacts): string =>
  `${address} AS${asn} ${bgpId}`

export function routeText(nlri: Nlri, attributes: Attributes | undefined): RouteText {
  const { afi, safi } = FAMILIES[nlri.family]
  const pathId = nlri.family === 'evpn' ? 0 : (nlri.pathId ?? 0)
  return {
    ...{ afi, safi, pathId },
    nlri: nlriText(nlri),
    content: attributes === undefined ? '' : contentText(nlri, attributes),
  }
}

/** `nlri` of route_events (DESIGN 4.3). */
function nlriText(nlri: Nlri): string {
  if (nlri.family !== 'evpn') return nlri.prefix
  switch (nlri.type) {
    case 2: {
      const ip = nlri.ip === undefined ? '' : `:[${nlri.ip.includes(':') ? 128 : 32}]:[${nlri.ip}]`
      return `[2]:[${nlri.rd}]:[${nlri.tag}]:[48]:[${nlri.mac}]${ip}`
    }
    case 5: {
      const [address, bits] = nlri.prefix.split('/')
      return `[5]:[${nlri.rd}]:[${nlri.tag}]:[${bits ?? ''}]:[${address ?? ''}]`
    }
    default:
      throw new Error(`no routes of type ${nlri.type} are simulated`)
  }
}

function contentText(nlri: Nlri, attributes: Attributes): string {
  return contentOf({
    nextHop: attributes.nextHop,
    asPath: attributes.asPath,
    med: attributes.med ?? null,
    localPref: attributes.localPref ?? null,
    communities: attributes.communities ?? [],
    labels: nlri.family === 'evpn' && 'label' in nlri ? [nlri.label] : [],
    rts: (attributes.extCommunities ?? []).flatMap((each) =>
      each.kind === 'rt' ? [`rt:${each.value}`] : [],
    ),
  })
}

/** What is compared of an announcement's attributes. */
export interface Content {
  readonly nextHop: string
  readonly asPath: readonly number[]
  readonly med: number | null
  readonly localPref: number | null
  readonly communities: readonly string[]
  readonly labels: readonly number[]
  readonly rts: readonly string[]
}

export const contentOf = (content: Content): string =>
  [
    `via ${content.nextHop}`,
    `path ${content.asPath.join(' ')}`,
    `med ${content.med ?? '-'}`,
    `lp ${content.localPref ?? '-'}`,
    `c ${content.communities.join(' ')}`,
    `l ${content.labels.join(' ')}`,
    `rt ${content.rts.join(' ')}`,
  ].join(', ')

export const sentText = ({ peer, announce, route }: SentRoute): string =>
  `${announce ? 'announce' : 'withdraw'} ${keyText(peer, route)}${announce ? ` ${route.content}` : ''}`

/** The identity of a route on its router. */
export const keyText = (peer: string, { afi, safi, nlri, pathId }: RouteText): string =>
  `${peer} ${afi}/${safi} ${nlri} #${pathId}`
