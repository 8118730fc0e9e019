import type { BgpNotification, BgpOpen, Capability } from '@ribscope/wire'

type GracefulRestart = Extract<Capability, { kind: 'graceful_restart' }>

/** Seconds beyond the restart time before what was kept is given up (DETECTORS A.3). */
export const GRACE_S = 5

const CEASE = 6
const HARD_RESET = 9
const BFD_DOWN = 10

/**
 * Which families a router keeps when a session ends (RFC 4724 section 4.2, RFC 8538 section 4): those
 * the peer's OPEN lists in capability 64 if the router's own lists them too. FRR sends the capability
 * without a family (helper only): nothing is kept then.
 *
 * @param reason Peer Down reason, RFC 7854 section 4.9
 * @returns undefined when it is a hard end
 */
export function retainedFamilies(
  sent: BgpOpen | undefined,
  received: BgpOpen | undefined,
  reason: number,
  notification: BgpNotification | null,
): { families: ReadonlySet<number>; restartTimeS: number } | undefined {
  const ours = gracefulRestart(sent)
  const theirs = gracefulRestart(received)
  if (ours === undefined || theirs === undefined || theirs.restartTimeS === 0) return undefined
  if (reason === 1 || reason === 3) {
    if (!ours.notification || !theirs.notification || notification === null) return undefined
    if (
      notification.code === CEASE &&
      (notification.subcode === HARD_RESET || notification.subcode === BFD_DOWN)
    ) {
      return undefined
    }
  } else if (reason !== 4) return undefined
  const own = new Set(ours.families.map(({ afi, safi }) => afi * 256 + safi))
  const families = new Set(
    theirs.families.map(({ afi, safi }) => afi * 256 + safi).filter((family) => own.has(family)),
  )
  return families.size === 0 ? undefined : { families, restartTimeS: theirs.restartTimeS }
}

function gracefulRestart(open: BgpOpen | undefined): GracefulRestart | undefined {
  // The last instance counts (RFC 4724 section 3).
  return open?.capabilities.findLast((capability) => capability.kind === 'graceful_restart')
}

/** Families that an OPEN offers, afi * 256 + safi; IPv4 unicast where it lists none (RFC 4760 section 8). */
export function offeredFamilies(open: BgpOpen): number[] {
  const families: number[] = []
  for (const capability of open.capabilities) {
    if (capability.kind === 'multiprotocol') families.push(capability.afi * 256 + capability.safi)
  }
  return families.length > 0 ? families : [256 + 1]
}
