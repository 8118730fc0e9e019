import { copyOf } from '../cursor.ts'

/** Octets held back in all for holes to be filled; beyond that a hole is taken for lost. */
export const MAX_HELD_OCTETS = 64 << 20

interface Held {
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly timeUs: number
}

/** What streams may hold between them. */
export interface HeldBudget {
  octets: number
}

/**
 * One direction of a TCP connection put back in order: reordering is undone, repeated octets are
 * dropped (the first copy counts), and a hole that stays is told.
 */
export class TcpStream {
  /** Sequence number of the next octet; undefined before the first. */
  #next: number | undefined
  #held: Held[] = []
  #finAt: number | undefined
  readonly #budget: HeldBudget
  readonly #onData: (bytes: Uint8Array) => void

  /** @param onData  gets the octets in order; they are valid during the call */
  constructor(budget: HeldBudget, onData: (bytes: Uint8Array) => void) {
    this.#budget = budget
    this.#onData = onData
  }

  /** The octet that is due has not come, but later ones have. */
  get hasHole(): boolean {
    return this.#held.length > 0
  }

  /** Sequence number of the octet that is due. */
  get next(): number | undefined {
    return this.#next
  }

  /** Everything up to the FIN was delivered. */
  get finished(): boolean {
    return (
      this.#finAt !== undefined && this.#next !== undefined && ahead(this.#next, this.#finAt) <= 0
    )
  }

  /** @param sequence  of the first octet, where it is known before that octet has come */
  startAt(sequence: number): void {
    this.#next ??= sequence
  }

  /** @param sequence  one past the last octet */
  finishAt(sequence: number): void {
    this.#finAt ??= sequence
  }

  /**
   * Takes a segment's payload. False when it would have to wait behind a hole and there is no room.
   *
   * @param bytes  may be a view of a buffer that is used again: kept parts are copied
   * @param timeUs  for `skipHole`
   */
  segment(sequence: number, bytes: Uint8Array, timeUs: number): boolean {
    if (bytes.length === 0) return true
    const next = (this.#next ??= sequence)
    if (ahead(next, sequence) > 0) {
      if (bytes.length > this.#budget.octets) return false
      this.#budget.octets -= bytes.length
      this.#held.push({ sequence, bytes: copyOf(bytes), timeUs })
      return true
    }
    this.#deliver(sequence, bytes)
    if (this.#held.length > 0) this.#release()
    return true
  }

  /** Did the other side acknowledge octets that aren't there: were they received, but not captured? */
  isLost(acknowledged: number): boolean {
    return this.#held.length > 0 && ahead(this.#next!, acknowledged) > 0
  }

  /**
   * The octets of the first hole won't come: goes on behind it.
   *
   * @param begin  called before the octets behind the hole are handed over, with the time they came at
   */
  skipHole(begin: (timeUs: number) => void): void {
    const base = this.#next!
    this.#held.sort((a, b) => ahead(base, a.sequence) - ahead(base, b.sequence))
    const first = this.#held[0]
    if (first === undefined) return
    begin(first.timeUs)
    this.#next = first.sequence
    this.#release()
  }

  /** Forgets what is held. */
  drop(): void {
    for (const { bytes } of this.#held) this.#budget.octets += bytes.length
    this.#held = []
  }

  /** Hands over what of the segment is new. */
  #deliver(sequence: number, bytes: Uint8Array): void {
    const old = ahead(sequence, this.#next!)
    if (old >= bytes.length) return
    this.#next = (sequence + bytes.length) >>> 0
    this.#onData(old > 0 ? bytes.subarray(old) : bytes)
  }

  #release(): void {
    // In order of sequence, so that one pass does: what came last may fill the hole of all the others.
    const base = this.#next!
    this.#held.sort((a, b) => ahead(base, a.sequence) - ahead(base, b.sequence))
    let next = base
    let count = 0
    for (const { sequence, bytes } of this.#held) {
      if (ahead(next, sequence) > 0) break
      const end = (sequence + bytes.length) >>> 0
      if (ahead(next, end) > 0) next = end
      count++
    }
    // Taken out first: whoever gets the octets may drop the rest.
    const ready = this.#held.splice(0, count)
    for (const { bytes } of ready) this.#budget.octets += bytes.length
    for (const { sequence, bytes } of ready) this.#deliver(sequence, bytes)
  }
}

/** How far `to` is ahead of `from` in sequence space, RFC 9293 section 3.4: -2^31 to 2^31 - 1. */
function ahead(from: number, to: number): number {
  return (to - from) | 0
}
