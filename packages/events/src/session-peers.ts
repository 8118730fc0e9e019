import { PeerCodec, formatCapability } from '@ribscope/wire'
import type { BmpMessage, Rib } from '@ribscope/wire'
import type { DumpTimers } from './dump-timers.ts'
import {
  MAX_FAMILIES,
  gracefulOffer,
  offeredFamilies,
  retention,
  stillForwards,
} from './graceful-restart.ts'
import type { Retention } from './graceful-restart.ts'
import { parseIp } from './ip.ts'
import { factsOf, isLocalRoutes } from './peer.ts'
import type { Peer, PeerIdentity } from './peer.ts'
import { PeerTable } from './peer-table.ts'
import type { PeerFacts } from './rows.ts'
import { NO_ADDRESS, NO_EFFECTS, NO_PEER } from './session-rows.ts'
import type { SessionRows } from './session-rows.ts'
import type { Effect } from './table.ts'
import { cleanName, cleanText } from './text.ts'

export const MAX_TEXT_OCTETS = 4096
/** Of an OPEN that are kept as text: one of 64 KiB (RFC 9072) could have 32,000. */
const MAX_CAPABILITIES = 256
/** Identities of Peer Downs that no peer was found for: remembered so that each is swept once. */
const MAX_UNKNOWN_DOWNS = 16_384
export const TOO_MANY = 'more peers than a BMP session may have'

const DECONFIGURED = 5
/** RFC 7854 section 4.9, RFC 9069 section 5.3. */
const DOWN_REASONS: Readonly<Record<number, string>> = {
  1: 'local-notification',
  2: 'local-fsm-event',
  3: 'remote-notification',
  4: 'remote-closed',
  5: 'deconfigured',
  6: 'local-system-closed',
}

/** Peers of a BMP session: their epochs, what their OPENs said, what ends with them. */
export class SessionPeers {
  readonly table: PeerTable
  readonly #router: string
  readonly #rows: SessionRows
  readonly #timers: DumpTimers
  readonly #unknownDowns = new Set<bigint>()
  readonly #midway: boolean

  /** @param midway the BMP session began in the middle of what the router says */
  constructor(rows: SessionRows, timers: DumpTimers, maxPeers: number, midway: boolean) {
    this.#midway = midway
    this.#router = rows.facts.router
    this.#rows = rows
    this.#timers = timers
    this.table = new PeerTable(rows.facts.router, maxPeers)
  }

  peerUp(
    message: BmpMessage & { readonly kind: 'peer_up' },
    identity: PeerIdentity,
    rib: Rib,
    bmpUs: number,
  ): PeerFacts {
    const peers = this.table
    this.#rows.counters.peerUps++
    const peer = peers.match(identity, true)?.peer ?? peers.create(identity)
    if (peer === undefined) {
      const facts = factsOf(this.#router, identity)
      this.#rows.limit(TOO_MANY, NO_ADDRESS.subarray(0, 0), 0, facts)
      return NO_PEER
    }
    const { sentOpen, receivedOpen } = message
    const transport = {
      localPort: message.localPort,
      remotePort: message.remotePort,
      sentBgpId: sentOpen?.bgpId ?? '',
      receivedBgpId: receivedOpen?.bgpId ?? '',
    }
    const offered = [sentOpen, receivedOpen].flatMap((open) =>
      open === null ? [] : offeredFamilies(open),
    )
    const flags = message.peer.flags
    const last = peer.transport
    const sameSession =
      peer.up &&
      !peer.synthetic &&
      last !== undefined &&
      last.localPort === transport.localPort &&
      last.remotePort === transport.remotePort &&
      last.sentBgpId === transport.sentBgpId &&
      last.receivedBgpId === transport.receivedBgpId
    // Huawei says a session in several Peer Ups: per family (Loc-RIB too, with ports 0), per table, some
    // of them alike.
    const addsTo =
      sameSession &&
      (offered.some((family) => !peer.offered.has(family)) ||
        !peer.upFlags.has(flags) ||
        !peer.talked)

    const codec =
      sentOpen !== null && receivedOpen !== null
        ? PeerCodec.fromOpens(sentOpen, receivedOpen)
        : PeerCodec.unknown()
    const effects: Effect[] = []
    if (!addsTo) {
      if (peer.up) {
        effects.push(this.#rows.sweepPeer(this.#rows.seq, 'peer_down'))
        peer.retained = undefined
      }
      this.#beginEpoch(peer)
    }
    peer.codec = addsTo ? peer.codec.merge(codec) : codec
    peer.sentOffer = gracefulOffer(sentOpen, peer.sentOffer)
    peer.receivedOffer = gracefulOffer(receivedOpen, peer.receivedOffer)
    // What an OPEN says that the router has not kept is not known, so nothing is concluded from it.
    if (!addsTo && receivedOpen !== null) effects.push(...this.#notForwarded(peer))
    peer.transport = transport
    peer.upFlags.add(flags)
    for (const family of offered) {
      if (peer.offered.size < MAX_FAMILIES) peer.offered.add(family)
    }
    peer.localAsn = sentOpen?.asn ?? peer.localAsn
    peer.talked = false
    peer.synthetic = false
    const vrf = cleanName(message.vrfTableName)
    if (vrf !== '') peer.vrf = vrf
    peer.changed()
    const text = message.information
      .filter(({ name }) => name === 'string')
      .map((tlv) => cleanText(tlv.text, MAX_TEXT_OCTETS))
      .join('\n')
    this.#rows.row('peer_up', peer.facts, peer.epoch, {
      bmpUs,
      rib,
      vrf: peer.vrf,
      reason: addsTo
        ? 'more-capabilities'
        : sentOpen === null || receivedOpen === null
          ? 'open-missing'
          : '',
      text: cleanText(text, MAX_TEXT_OCTETS),
      localAddr: parseIp(message.localAddress) ?? NO_ADDRESS,
      localPort: message.localPort,
      remotePort: message.remotePort,
      localAsn: peer.localAsn,
      localBgpId: bgpIdNumber(sentOpen?.bgpId),
      holdTimeSent: sentOpen?.holdTimeS ?? 0,
      holdTimeReceived: receivedOpen?.holdTimeS ?? 0,
      sentCapabilities: capabilityTexts(sentOpen?.capabilities),
      receivedCapabilities: capabilityTexts(receivedOpen?.capabilities),
      effects,
    })
    return peer.facts
  }

  /** A peer without Peer Up: it sent routes, so it is up (ROUTERS.md GoBGP 1, FRR 6). */
  openEpoch(peer: Peer, rib: Rib, bmpUs: number): void {
    this.#beginEpoch(peer, this.#midway && peer.epoch === 0)
    peer.synthetic = true
    peer.changed()
    this.#rows.row('peer_up', peer.facts, peer.epoch, {
      bmpUs,
      rib,
      vrf: peer.vrf,
      synthetic: true,
    })
  }

  /** The next row is the one that opens the epoch. */
  #beginEpoch(peer: Peer, midway = false): void {
    const us = this.#timers.clock(this.#rows.rxUs)
    if (!midway) this.#timers.epochBegins(peer, us)
    peer.midway = midway
    peer.epoch++
    peer.up = true
    peer.synthetic = false
    peer.upSeq = this.#rows.seq
    peer.upUs = us
    peer.lastRmUs = 0
    peer.talked = false
    peer.views = []
    peer.done = midway ? 'quiet' : undefined
    peer.upFlags.clear()
    peer.offered.clear()
    peer.sentOffer = undefined
    peer.receivedOffer = undefined
    this.table.generation++
  }

  peerDown(
    message: BmpMessage & { readonly kind: 'peer_down' },
    identity: PeerIdentity,
    rib: Rib,
    bmpUs: number,
  ): PeerFacts {
    const peers = this.table
    this.#rows.counters.peerDowns++
    const found = peers.match(identity, false)?.peer
    const { notification } = message
    const said = {
      bmpUs,
      rib,
      reason: DOWN_REASONS[message.reason] ?? `reason-${message.reason}`,
      reasonCode: message.reason,
      notificationCode: notification?.code ?? 0,
      notificationSubcode: notification?.subcode ?? 0,
      fsmEvent: message.fsmEvent ?? 0,
      text: cleanText(notification?.communication ?? '', MAX_TEXT_OCTETS),
    }
    if (found === undefined || isLocalRoutes(found.identity)) {
      const facts = found?.facts ?? factsOf(this.#router, identity)
      // FRR says goodbye to peers that never were with a header of zeros, which is also its own routes'.
      const first =
        !isLocalRoutes(identity) &&
        !this.#unknownDowns.has(facts.key) &&
        this.#unknownDowns.size < MAX_UNKNOWN_DOWNS
      if (first) this.#unknownDowns.add(facts.key)
      const effects = first ? [this.#rows.sweepPeer(this.#rows.seq, 'reconcile')] : NO_EFFECTS
      this.#rows.row('peer_down', facts, found?.epoch ?? 0, { ...said, effects })
      return facts
    }
    if (!found.up) {
      // Nothing will be heard of a peer that is not configured any more: not that it came back either.
      const forgotten = found.retained !== undefined && message.reason === DECONFIGURED
      this.#rows.row('peer_down', found.facts, found.epoch, {
        ...said,
        vrf: found.vrf,
        effects: forgotten ? [this.#rows.sweepPeer(this.#rows.seq, 'peer_down')] : NO_EFFECTS,
      })
      if (forgotten) found.retained = undefined
      return found.facts
    }
    const kept = retention(
      found.sentOffer,
      found.receivedOffer,
      message.reason,
      message.notification,
    )
    const effects =
      kept === undefined
        ? [this.#rows.sweepPeer(this.#rows.seq, 'peer_down')]
        : this.#gracefulEffects(found, kept)
    this.#rows.row('peer_down', found.facts, found.epoch, {
      ...said,
      vrf: found.vrf,
      counted: true,
      effects,
    })
    this.#closeEpoch(found)
    if (kept !== undefined) this.#timers.retain(found, kept.families, this.#rows.rxUs)
    return found.facts
  }

  #closeEpoch(peer: Peer): void {
    this.#timers.epochEnds(peer, this.#rows.rxUs)
    peer.up = false
    peer.views = []
    peer.retained = undefined
    this.table.generation++
  }

  /** Families that are kept turn stale, the others that were in use go. */
  #gracefulEffects(peer: Peer, kept: Retention): Effect[] {
    const families = new Set(peer.offered)
    for (const { afi, safi } of peer.views) families.add(afi * 256 + safi)
    for (const family of kept.families.keys()) families.add(family)
    const { seq } = this.#rows
    const effects: Effect[] = []
    for (const family of [...families].sort((a, b) => a - b)) {
      const keeps = kept.families.has(family)
      // Restarting again before it was done: what is stale of the time before goes (RFC 4724 section 4.2).
      if (keeps && peer.retained?.has(family) === true && !kept.longLived.has(family)) {
        effects.push(this.#rows.sweepFamily(family, peer.upSeq, 'gr_expired'))
      }
      const sweep = this.#rows.sweepFamily(family, seq, 'peer_down')
      effects.push(keeps ? { ...sweep, effect: 'stale' } : sweep)
    }
    return effects
  }

  /** Back from a graceful restart, but not with the forwarding state of these families. */
  #notForwarded(peer: Peer): Effect[] {
    const { retained } = peer
    if (retained === undefined) return []
    const lost = [...retained.keys()].filter((family) => !stillForwards(peer.receivedOffer, family))
    if (lost.length === retained.size) {
      peer.retained = undefined
      return [this.#rows.sweepPeer(this.#rows.seq, 'gr_expired')]
    }
    for (const family of lost) retained.delete(family)
    return lost
      .sort((a, b) => a - b)
      .map((family) => this.#rows.sweepFamily(family, this.#rows.seq, 'gr_expired'))
  }
}

function bgpIdNumber(text: string | undefined): number {
  const octets = text === undefined ? undefined : parseIp(text)
  return octets === undefined ? 0 : new DataView(octets.buffer).getUint32(12)
}

function capabilityTexts(
  capabilities: readonly Parameters<typeof formatCapability>[0][] | undefined,
): readonly string[] {
  const all = capabilities ?? []
  const texts = all
    .slice(0, MAX_CAPABILITIES)
    .map((capability) => cleanText(formatCapability(capability), 1024))
  if (all.length > MAX_CAPABILITIES) texts.push(`${all.length - MAX_CAPABILITIES} more`)
  return texts
}
