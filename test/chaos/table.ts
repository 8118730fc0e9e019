/** The peers of a simulated router and what they announce: random routes, their octets and their text. */
import {
  encodeEndOfRib,
  encodeAnnouncements,
  encodeWithdrawals,
} from '../../packages/simulator/src/encode/update.ts'
import type { Attributes } from '../../packages/simulator/src/encode/attributes.ts'
import {
  encodePeerDown,
  encodePeerUp,
  encodeRouteMonitoring,
  type BmpPeer,
} from '../../packages/simulator/src/encode/bmp.ts'
import {
  FAMILIES,
  NO_ESI,
  type Family,
  type Nlri,
} from '../../packages/simulator/src/encode/nlri.ts'
import { encodeNotification, encodeOpen } from '../../packages/simulator/src/encode/open.ts'
import type { Random } from '../../packages/simulator/src/model/random.ts'
import { keyText, peerText, routeText, type SentRoute } from './truth.ts'

export interface Held {
  readonly nlri: Nlri
  readonly attributes: Attributes
}

export interface Said {
  readonly bytes: Uint8Array[]
  readonly routes: SentRoute[]
  readonly facts: string[]
}

const LOCAL_ASN = 4_200_000_001
const VNI = 50_001

/** One BGP session of the router. */
export class SimulatedPeer {
  readonly families: readonly Family[]
  readonly text: string
  readonly address: string
  up = true
  readonly table = new Map<string, Held>()
  readonly #peer: BmpPeer
  readonly #random: Random
  readonly #addPath: boolean
  readonly #size: number
  #changes = 0
  #port = 20_000

  /** @param kind 0: a node with both families; 1: a node that sends path identifiers; 2: an IPv6 session; 3: EVPN */
  constructor(random: Random, kind: 0 | 1 | 2 | 3, id: string, size: number) {
    const v6 = kind === 2
    const last = id.split('.').slice(2).map(Number)
    const address = v6 ? `2001:db8:19::${(last[0]! * 256 + last[1]!).toString(16)}` : id
    this.#peer = {
      ...{ type: 0, distinguisher: new Uint8Array(8), address, bgpId: id },
      asn: kind === 3 ? LOCAL_ASN : 65_101 + last[1]!,
    }
    this.address = address
    this.text = peerText(this.#peer)
    this.families = kind === 3 ? ['evpn'] : v6 ? ['ipv6'] : kind === 1 ? ['ipv4'] : ['ipv4', 'ipv6']
    this.#addPath = kind === 1
    this.#random = random
    this.#size = size
  }

  /** Peer Up, the whole table, End-of-RIB of each family. */
  dump(nowUs: number): Said {
    const said: Said = { bytes: [], routes: [], facts: [`peer_up ${this.address}`] }
    const { asn, bgpId } = this.#peer
    const capabilities = [
      ...this.families.map((family) => ({ kind: 'multiprotocol', family }) as const),
      ...(this.#addPath ? [{ kind: 'add-path', families: ['ipv4'], mode: 3 } as const] : []),
    ]
    const open = (own: number, id: string): Uint8Array =>
      encodeOpen({
        ...{ asn: own, holdSeconds: 9, bgpId: id },
        capabilities: [...capabilities, { kind: 'as4', asn: own }],
      })
    said.bytes.push(
      encodePeerUp(this.#peer, nowUs, {
        ...{ localAddress: this.address.includes(':') ? '2001:db8::1' : '10.255.0.1' },
        ...{ localPort: 179, remotePort: this.#port },
        ...{ sentOpen: open(LOCAL_ASN, '10.255.0.1'), receivedOpen: open(asn, bgpId) },
      }),
    )
    for (const { nlri, attributes } of this.table.values()) {
      this.#announce(said, nowUs, attributes, [nlri], false)
    }
    for (const family of this.families) {
      const { afi, safi } = FAMILIES[family]
      said.bytes.push(encodeRouteMonitoring(this.#peer, 'pre', nowUs, encodeEndOfRib(family)))
      said.facts.push(`eor ${this.address} ${afi}/${safi}`)
    }
    return said
  }

  /** The session ends; what it announced is gone with it. */
  goDown(nowUs: number): Said {
    this.up = false
    this.table.clear()
    const reason = this.#random.between(1, 4) as 1 | 2 | 3 | 4
    const bytes = encodePeerDown(
      this.#peer,
      nowUs,
      reason === 4
        ? { reason }
        : reason === 2
          ? { reason, fsmEvent: 9 }
          : { reason, notification: encodeNotification(6, 2) },
    )
    return { bytes: [bytes], routes: [], facts: [`peer_down ${this.address} ${reason}`] }
  }

  comeUp(): void {
    this.up = true
    // Another TCP connection: no Peer Up of the same session.
    this.#port++
    for (let i = 0; i < this.#size; i++) this.#choose(i)
  }

  /** A random change of a few routes. */
  change(nowUs: number): Said {
    const said: Said = { bytes: [], routes: [], facts: [] }
    const random = this.#random
    if (random.next() < 0.35 && this.table.size > 0) this.#withdrawSome(said, nowUs)
    else {
      const family = this.families[random.between(0, this.families.length - 1)]!
      const attributes = this.#attributes(family)
      const nlri = Array.from({ length: random.between(1, 5) }, () => this.#nlri(family))
      // The same route twice in one UPDATE is once in the router's mind.
      const routes = new Map(nlri.map((each) => [this.#key(each), each]))
      for (const [key, each] of routes) this.table.set(key, { nlri: each, attributes })
      this.#announce(said, nowUs, attributes, [...routes.values()], true)
    }
    return said
  }

  /** The table as `rib_current` must have it. */
  *held(): Generator<string> {
    for (const { nlri, attributes } of this.table.values()) {
      const route = routeText(nlri, attributes)
      yield `${keyText(this.text, route)} ${route.content}`
    }
  }

  #withdrawSome(said: Said, nowUs: number): void {
    const keys = [...this.table.keys()]
    const family = this.table.get(keys[this.#random.between(0, keys.length - 1)]!)!.nlri.family
    const gone: Nlri[] = []
    for (let n = this.#random.between(1, 4); n > 0; n--) {
      const key = keys[this.#random.between(0, keys.length - 1)]!
      const held = this.table.get(key)
      if (held?.nlri.family !== family) continue
      this.table.delete(key)
      gone.push(held.nlri)
    }
    if (gone.length === 0) return
    for (const update of encodeWithdrawals(family, gone)) {
      said.bytes.push(encodeRouteMonitoring(this.#peer, 'pre', nowUs, update))
    }
    for (const nlri of gone) {
      const route = routeText(nlri, undefined)
      said.routes.push({ peer: this.text, announce: false, live: true, route })
    }
  }

  #announce(
    said: Said,
    nowUs: number,
    attributes: Attributes,
    nlri: readonly Nlri[],
    live: boolean,
  ): void {
    for (const update of encodeAnnouncements(nlri[0]!.family, attributes, nlri)) {
      said.bytes.push(encodeRouteMonitoring(this.#peer, 'pre', nowUs, update))
    }
    for (const each of nlri) {
      const route = routeText(each, attributes)
      said.routes.push({ peer: this.text, announce: true, live, route })
    }
  }

  #choose(i: number): void {
    const family = this.families[i % this.families.length]!
    const nlri = this.#nlri(family)
    this.table.set(this.#key(nlri), { nlri, attributes: this.#attributes(family) })
  }

  #key(nlri: Nlri): string {
    return keyText('', routeText(nlri, undefined))
  }

  /** One of twice as many as the table has at its start, so that routes come, go and come again. */
  #nlri(family: Family): Nlri {
    const n = this.#random.between(1, Math.max(1, 2 * this.#size))
    const host = `${n >> 8}.${n & 255}`
    if (family === 'ipv6') return { family, prefix: `2001:db8:21::${n.toString(16)}/128` }
    if (family === 'ipv4') {
      const prefix = `10.10.${20 + (n >> 8)}.${n & 255}/32`
      return this.#addPath
        ? { family, prefix, pathId: this.#random.between(1, 2) }
        : { family, prefix }
    }
    const common = { family, rd: '10.255.0.1:7', esi: NO_ESI, tag: 0, label: VNI } as const
    const hex = n.toString(16).padStart(4, '0')
    return n % 2 === 0
      ? {
          ...common,
          type: 2,
          mac: `02:00:00:00:${hex.slice(0, 2)}:${hex.slice(2)}`,
          ip: `10.20.${host}`,
        }
      : { ...common, type: 5, prefix: `10.30.${host}/32`, gateway: '' }
  }

  /** New ones nearly always, so that no two events of a route look alike. */
  #attributes(family: Family): Attributes {
    if (this.#random.next() > 0.1) this.#changes++
    const { asn, address } = this.#peer
    const nextHop =
      family === 'ipv6' ? '2001:db8:19::1' : address.includes(':') ? '10.255.0.1' : address
    const common = {
      origin: 0,
      asPath: family === 'evpn' ? [65_000] : [asn, 65_000],
      nextHop,
      med: this.#changes,
    } as const
    return family === 'evpn'
      ? { ...common, localPref: 100, extCommunities: [{ kind: 'rt', value: '65000:50001' }] }
      : { ...common, communities: ['65000:21'] }
  }
}
