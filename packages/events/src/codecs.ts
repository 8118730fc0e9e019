import { PeerCodec, PeerHeader } from '@ribscope/wire'
import type { BmpMessage, V4TlvTable } from '@ribscope/wire'
import { identityOf } from './peer.ts'
import type { PeerTransport } from './peer.ts'
import { PeerTable } from './peer-table.ts'

const MAX_PEERS = 16_384

/**
 * Who negotiated what in one BMP session, for decoding message by message without making rows. Peers are
 * matched as RouterSession does it.
 */
export class SessionCodecs {
  readonly #peers = new PeerTable('', MAX_PEERS)
  readonly #header = new PeerHeader()
  /** For `decodeBmpMessage`. */
  readonly v4Tlvs: V4TlvTable | undefined

  constructor(v4Tlvs?: V4TlvTable) {
    this.v4Tlvs = v4Tlvs
  }

  /** For `decodeBmpMessage`. */
  readonly codecOf = (header: PeerHeader, bytes: Uint8Array): PeerCodec | undefined =>
    this.#peers.match(identityOf(header, bytes), false)?.peer.codec

  /** Learns from a Peer Up. @param at the message's first octet */
  learn(message: BmpMessage, bytes: Uint8Array, view: DataView, at: number): void {
    if (message.kind !== 'peer_up') return
    const { sentOpen, receivedOpen, localPort, remotePort } = message
    if (sentOpen === null || receivedOpen === null) return
    this.#header.read(bytes, view, at + 6)
    const identity = identityOf(this.#header, bytes)
    const peer = this.#peers.match(identity, true)?.peer ?? this.#peers.create(identity)
    if (peer === undefined) return
    const transport: PeerTransport = {
      localPort,
      remotePort,
      sentBgpId: sentOpen.bgpId,
      receivedBgpId: receivedOpen.bgpId,
    }
    const codec = PeerCodec.fromOpens(sentOpen, receivedOpen)
    const last = peer.transport
    const same =
      last !== undefined &&
      last.localPort === localPort &&
      last.remotePort === remotePort &&
      last.sentBgpId === transport.sentBgpId &&
      last.receivedBgpId === transport.receivedBgpId
    // Huawei says a session in several Peer Ups: their families add up.
    peer.codec = same ? peer.codec.merge(codec) : codec
    peer.transport = transport
  }
}
