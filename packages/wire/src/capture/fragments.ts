import { copyOf } from '../cursor.ts'

/** Octets of all datagrams that are being put together. */
const MAX_HELD_OCTETS = 8 << 20
const MAX_DATAGRAMS = 1024
/** RFC 8200 section 4.5: 60 seconds. */
const LIFETIME_US = 60_000_000
const MAX_DATAGRAM_OCTETS = 65_535

interface Piece {
  readonly at: number
  readonly bytes: Uint8Array
}

interface Datagram {
  readonly sinceUs: number
  pieces: Piece[]
  octets: number
  /** Octets of the whole, once the last fragment has come. */
  total: number | undefined
  /** Its fragments contradict each other: none of the rest is taken. */
  refused: boolean
}

/**
 * IP fragments put together, RFC 791 section 3.2 and RFC 8200 section 4.5. A fragment that came before is
 * dropped; fragments that overlap otherwise make their datagram worthless (RFC 5722 section 4): which
 * octets the receiver took can't be known. Memory is bounded: the oldest datagram gives way.
 */
export class Fragments {
  /** In the order of their first fragments. */
  readonly #datagrams = new Map<string, Datagram>()
  #held = 0

  /**
   * @param key  addresses, protocol and identification
   * @param at  of the fragment in the datagram's payload, octets
   * @param more  fragments follow it
   * @param timeUs  of the capture
   * @returns the whole payload when this was the last fragment that was missing
   */
  add(
    key: string,
    at: number,
    more: boolean,
    bytes: Uint8Array,
    timeUs: number,
  ): Uint8Array | undefined {
    let datagram = this.#datagrams.get(key)
    if (datagram !== undefined && timeUs - datagram.sinceUs > LIFETIME_US) {
      this.#forget(key, datagram)
      datagram = undefined
    }
    if (datagram === undefined) {
      if (this.#datagrams.size >= MAX_DATAGRAMS) this.#forgetOldest()
      datagram = { sinceUs: timeUs, pieces: [], octets: 0, total: undefined, refused: false }
      this.#datagrams.set(key, datagram)
    }
    if (datagram.refused) return undefined
    const end = at + bytes.length
    // All but the last are multiples of eight octets.
    const odd = more && bytes.length % 8 !== 0
    const known = datagram.total
    const beyond = known !== undefined && (end > known || (!more && end !== known))
    if (bytes.length === 0 || odd || end > MAX_DATAGRAM_OCTETS || beyond) {
      return this.#refuse(datagram)
    }
    for (const piece of datagram.pieces) {
      const pieceEnd = piece.at + piece.bytes.length
      if (at >= pieceEnd || end <= piece.at) continue
      if (at === piece.at && end === pieceEnd && same(bytes, piece.bytes)) return undefined
      return this.#refuse(datagram)
    }
    if (!more) {
      datagram.total = end
      if (datagram.pieces.some((piece) => piece.at > at)) return this.#refuse(datagram)
    }
    datagram.pieces.push({ at, bytes: copyOf(bytes) })
    datagram.octets += bytes.length
    this.#held += bytes.length
    if (datagram.total !== datagram.octets) {
      while (this.#held > MAX_HELD_OCTETS) this.#forgetOldest()
      return undefined
    }
    const whole = new Uint8Array(datagram.total)
    for (const piece of datagram.pieces) whole.set(piece.bytes, piece.at)
    this.#forget(key, datagram)
    return whole
  }

  #refuse(datagram: Datagram): undefined {
    this.#held -= datagram.octets
    datagram.refused = true
    datagram.pieces = []
    datagram.octets = 0
  }

  #forget(key: string, datagram: Datagram): void {
    this.#held -= datagram.octets
    this.#datagrams.delete(key)
  }

  #forgetOldest(): void {
    for (const [key, datagram] of this.#datagrams) return this.#forget(key, datagram)
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
