/**
 * Numbers of BMP sessions: the time of the accept in microseconds, to within a fifteenth of a second.
 *
 * Rows of a router are ordered by `number * 4096 + seq`, so a session owns the numbers behind its own as far as its rows reach.
 * Two collectors that take the same router at the same time (two BMP stations in its configuration, or one that is in doubt) must
 * not share any: each has a quarter of every tick, by its name, and uses the first half of it. Between sessions of two
 * collectors there is room for 33 million rows then, also when both are accepted in one microsecond.
 *
 * Two accepts more than a tick apart keep their order, whichever collectors they are of. Routers take longer to come back.
 */
const TICK_US = 2 ** 16
const SLOTS = 4
const SLOT_US = TICK_US / SLOTS
/** Between sessions from one address: the same router may be there twice. */
const APART_US = 2 ** 12
/** So far a number may be ahead for that; many routers may be behind one address. */
const MOST_AHEAD_US = TICK_US
const MAX_SOURCES = 4096

export class SessionNumbers {
  readonly #slot: number
  #last = 0
  readonly #ofSource = new Map<string, number>()

  constructor(collector: string) {
    this.#slot = slotOf(collector)
  }

  /** Greater than any before, while the clock does not go back by more than the sessions that came. */
  next(nowUs: number, source: string): number {
    const tick = Math.floor(nowUs / TICK_US)
    const within = nowUs - tick * TICK_US
    const byClock = tick * TICK_US + this.#slot * SLOT_US + Math.floor(within / (2 * SLOTS))
    const apart = Math.min((this.#ofSource.get(source) ?? 0) + APART_US, byClock + MOST_AHEAD_US)
    this.#last = Math.max(byClock, apart, this.#last + 1)
    if (this.#ofSource.size >= MAX_SOURCES) this.#ofSource.clear()
    this.#ofSource.set(source, this.#last)
    return this.#last
  }
}

/** `collector-3`, `ribscope-collector-3`: names that differ by a number differ here; others most likely. */
function slotOf(collector: string): number {
  const digits = /(\d{1,6})$/.exec(collector)?.[1]
  if (digits !== undefined) return Number(digits) % SLOTS
  let hash = 0x811c9dc5
  for (const octet of Buffer.from(collector)) hash = Math.imul(hash ^ octet, 0x01000193)
  return (hash >>> 16) % SLOTS
}
