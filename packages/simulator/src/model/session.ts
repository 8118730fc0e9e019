import { rdOctets } from '../encode/address.ts'
import type { Attributes } from '../encode/attributes.ts'
import type { BmpPeer, PeerUp } from '../encode/bmp.ts'
import type { Family, Nlri } from '../encode/nlri.ts'
import { encodeOpen, type Capability } from '../encode/open.ts'
import type { Router } from './router.ts'

export interface Route {
  readonly nlri: Nlri
  readonly attrs: Attributes
}

/** An announcement, or a withdrawal when `attrs` is null. */
export interface Change {
  readonly nlri: Nlri
  readonly attrs: Attributes | null
}

/** A route as it lies in a table. */
export interface Path {
  readonly key: string
  readonly nlri: Nlri
  readonly attrs: Attributes
  /** When it was last announced. */
  readonly sinceUs: number
  /** Where it came from; undefined: the router's own. */
  readonly session: Session | undefined
}

export interface Speaker {
  readonly name: string
  readonly kind: 'node' | 'router'
  readonly address: string
  readonly asn: number
  readonly bgpId: string
}

export interface SessionOptions {
  readonly router: Router
  readonly peer: Speaker
  readonly localAddress: string
  readonly localAsn: number
  readonly families: readonly Family[]
  /** A VRF's session: peer type 1, told apart by the route distinguisher. */
  readonly rd?: string
  readonly holdSeconds?: number
  readonly localPort?: number
  /** GR in both OPENs, in seconds. */
  readonly gracefulRestart?: number
  /** Not exported by BMP. */
  readonly unmonitored?: boolean
  /** One-way delay of UPDATEs from this router to the peer. */
  readonly delayUs?: number
}

/** One router's end of a BGP session: what BMP calls a peer. */
export class Session {
  readonly router: Router
  readonly peer: Speaker
  readonly localAddress: string
  readonly localAsn: number
  readonly families: readonly Family[]
  /** Exported by BMP. */
  monitored: boolean
  readonly delayUs: number
  readonly bmpPeer: BmpPeer
  readonly #options: SessionOptions
  #remotePort = 0

  up = false
  upUs = 0
  /** The other end, when that is a simulated router. */
  twin: Session | undefined
  /** Instant up to which this end's UPDATEs to the peer are on their way: they stay in order. */
  sentUs = 0
  readonly adjIn = new Map<string, Path>()
  readonly post = new Map<string, Path>()
  /** What was last sent to the peer, by key. */
  readonly advertised = new Map<string, { text: string; nlri: Nlri }>()
  /** Statistics report, type 2. */
  duplicateWithdrawals = 0
  /** Retained across a restart (RFC 4724), not announced again yet. */
  readonly stale = new Set<string>()

  constructor(options: SessionOptions) {
    this.#options = options
    this.router = options.router
    this.peer = options.peer
    this.localAddress = options.localAddress
    this.localAsn = options.localAsn
    this.families = options.families
    this.monitored = options.unmonitored !== true
    this.delayUs = options.delayUs ?? 8_000
    this.bmpPeer = {
      type: options.rd === undefined ? 0 : 1,
      distinguisher: options.rd === undefined ? new Uint8Array(8) : rdOctets(options.rd),
      address: options.peer.address,
      asn: options.peer.asn,
      bgpId: options.peer.bgpId,
    }
  }

  get external(): boolean {
    return this.localAsn !== this.peer.asn
  }

  get gracefulRestart(): number {
    return this.#options.gracefulRestart ?? 0
  }

  /** A new TCP connection: the peer dials from a port of its own. */
  dial(port: number, us: number): void {
    this.up = true
    this.upUs = us
    this.#remotePort = port
  }

  peerUp(): PeerUp {
    const hold = this.#options.holdSeconds ?? 9
    const open = (asn: number, bgpId: string): Uint8Array =>
      encodeOpen({ asn, holdSeconds: hold, bgpId, capabilities: this.#capabilities(asn) })
    return {
      localAddress: this.localAddress,
      localPort: 179,
      remotePort: this.#remotePort,
      sentOpen: open(this.localAsn, this.router.bgpId),
      receivedOpen: open(this.peer.asn, this.peer.bgpId),
    }
  }

  #capabilities(asn: number): Capability[] {
    const capabilities: Capability[] = [
      ...this.families.map((family): Capability => ({ kind: 'multiprotocol', family })),
      { kind: 'route-refresh' },
      { kind: 'as4', asn },
    ]
    if (this.peer.address.includes(':') && this.families.includes('ipv4')) {
      capabilities.push({ kind: 'extended-next-hop' })
    }
    if (this.gracefulRestart > 0) {
      capabilities.push({
        kind: 'graceful-restart',
        seconds: this.gracefulRestart,
        families: this.families,
      })
    }
    return capabilities
  }
}
