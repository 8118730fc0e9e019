import type { BgpNotification, BgpOpen, Capability } from '@ribscope/wire'

/** Seconds beyond the time that was asked for before what was kept is given up (DETECTORS A.3). */
export const GRACE_S = 5
/** Families of a peer that are told apart. */
export const MAX_FAMILIES = 256

const CEASE = 6
const HARD_RESET = 9
const BFD_DOWN = 10

/** What the OPENs of one side say about graceful restart; families are afi * 256 + safi. */
export interface GracefulOffer {
  readonly restartTimeS: number
  /** the N bit, RFC 8538 section 2 */
  readonly notification: boolean
  /** families of capability 64, and whether the F bit is set */
  readonly families: ReadonlyMap<number, boolean>
  /** families of capability 71 (RFC 9494); undefined: the capability is not there */
  readonly longLived:
    | ReadonlyMap<number, { readonly staleTimeS: number; readonly forwardingKept: boolean }>
    | undefined
}

/** What a router keeps when a session ends. */
export interface Retention {
  /** seconds by family, the grace not included */
  readonly families: ReadonlyMap<number, number>
  /** those that long-lived graceful restart holds beyond the restart time */
  readonly longLived: ReadonlySet<number>
}

type Of<Kind extends Capability['kind']> = Extract<Capability, { kind: Kind }>

/**
 * @param before what earlier OPENs of the same session said: Huawei sends one per family, they add up
 * @returns undefined without capability 64; 71 alone is to be ignored (RFC 9494 section 4.1)
 */
export function gracefulOffer(
  open: BgpOpen | null,
  before: GracefulOffer | undefined,
): GracefulOffer | undefined {
  // The last instance counts (RFC 4724 section 3).
  const graceful = lastOf(open, 'graceful_restart')
  if (graceful === undefined) return before
  const families = new Map(before?.families)
  for (const { afi, safi, forwardingKept } of graceful.families) {
    set(families, afi * 256 + safi, forwardingKept)
  }
  const llgr = lastOf(open, 'llgr')
  const longLived =
    llgr === undefined && before?.longLived === undefined ? undefined : new Map(before?.longLived)
  for (const { afi, safi, staleTimeS, forwardingKept } of llgr?.families ?? []) {
    if (longLived !== undefined) set(longLived, afi * 256 + safi, { staleTimeS, forwardingKept })
  }
  const { restartTimeS, notification } = graceful
  return { restartTimeS, notification, families, longLived }
}

function lastOf<Kind extends Capability['kind']>(
  open: BgpOpen | null,
  kind: Kind,
): Of<Kind> | undefined {
  return open?.capabilities.findLast((each): each is Of<Kind> => each.kind === kind)
}

function set<V>(map: Map<number, V>, family: number, value: V): void {
  if (map.size < MAX_FAMILIES || map.has(family)) map.set(family, value)
}

/**
 * Which families a router keeps when a session ends, and for how long: those that the peer lists in
 * capability 64, for its restart time, if the router sent that capability too, with families of its own
 * or as a helper without any (RFC 4724 section 4.2, RFC 8538 section 4); and for its long-lived stale
 * time more those of capability 71, if the router sent that one too (RFC 9494 section 4.2). FRR's default
 * lists no family in 64 and stale times of 0 in 71: of such a peer nothing is kept.
 *
 * @param reason Peer Down reason, RFC 7854 section 4.9
 * @returns undefined when it is a hard end
 */
export function retention(
  sent: GracefulOffer | undefined,
  received: GracefulOffer | undefined,
  reason: number,
  notification: BgpNotification | null,
): Retention | undefined {
  if (sent === undefined || received === undefined) return undefined
  if (reason === 1 || reason === 3) {
    if (!sent.notification || !received.notification || notification === null) return undefined
    if (
      notification.code === CEASE &&
      (notification.subcode === HARD_RESET || notification.subcode === BFD_DOWN)
    ) {
      return undefined
    }
  } else if (reason !== 4) return undefined
  const families = new Map<number, number>()
  const longLived = new Set<number>()
  if (received.restartTimeS > 0) {
    for (const family of received.families.keys()) families.set(family, received.restartTimeS)
  }
  if (sent.longLived !== undefined) {
    for (const [family, { staleTimeS }] of received.longLived ?? []) {
      if (staleTimeS === 0) continue
      families.set(family, (families.get(family) ?? 0) + staleTimeS)
      longLived.add(family)
    }
  }
  return families.size === 0 ? undefined : { families, longLived }
}

/**
 * Does a peer that is back say that it forwarded all the time? Without the F bit its old routes of that
 * family go at once (RFC 4724 section 4.2, RFC 9494 section 4.2).
 */
export function stillForwards(received: GracefulOffer | undefined, family: number): boolean {
  return (
    received?.families.get(family) === true ||
    received?.longLived?.get(family)?.forwardingKept === true
  )
}

/** Families that an OPEN offers, afi * 256 + safi; IPv4 unicast where it lists none (RFC 4760 section 8). */
export function offeredFamilies(open: BgpOpen): number[] {
  const families: number[] = []
  for (const capability of open.capabilities) {
    if (capability.kind === 'multiprotocol') families.push(capability.afi * 256 + capability.safi)
  }
  return families.length > 0 ? families : [256 + 1]
}
