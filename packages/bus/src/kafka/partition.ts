/** One partition for as long as it is ours: what was fetched of it, and where its groups begin and end. */
import type { KafkaMessage } from 'kafkajs'

export interface Message {
  readonly offset: bigint
  readonly key: string
  readonly value: Uint8Array
  readonly headers: NonNullable<KafkaMessage['headers']>
  /** When it was sent, milliseconds since 1970. */
  readonly timestampMs: number
}

export interface Group {
  readonly topic: string
  readonly partition: number
  /** The border that was written down: messages may be missing behind it when the topic has lost them. */
  readonly first: bigint
  readonly last: bigint
  readonly messages: readonly Message[]
  /** Someone began this group before: what it did may be done already. */
  readonly repeated: boolean
  /** All messages before it were handled by this consumer group; false at its beginning, and where the topic lost some. */
  readonly follows: boolean
}

export type Taken = Pick<Group, 'first' | 'last' | 'messages' | 'repeated' | 'follows'>

export interface GroupLimits {
  /** A group is closed when it holds so many octets of values, or so many messages, or has waited so long. */
  readonly maxOctets: number
  readonly maxMessages: number
  readonly maxWaitMs: number
}

/** What is committed, and what the topic has. */
export interface Place {
  /** The offset to begin with. */
  readonly position: bigint
  /** The group that was begun there, if there is one. */
  readonly begun: { readonly first: bigint; readonly upto: bigint } | undefined
  /** One behind the last message. */
  readonly end: bigint
  /** All before it were handled. */
  readonly follows: boolean
}

/** A group that was handled for longer than this holds the next one back no longer. */
const MAX_BUSY_WAIT_MS = 2_000
/** Less than this share of a full group is soon handled: it ends by time alone. */
const SMALL_SHARE = 1 / 16

export class Partition {
  readonly number: number
  readonly gone = new AbortController()
  /** The next offset that belongs to no group yet; undefined until the place is known. */
  position: bigint | undefined
  /** What is committed. */
  committed: bigint | undefined
  end = 0n
  waitingOctets = 0
  waitingSinceMs = 0
  /** Groups are handled one after another. */
  work: Promise<void> = Promise.resolve()
  /** Calls that wait for `work`. */
  busy = 0
  /** How long the last group took, and until when. */
  #handledMs = 0
  #handledAtMs = 0
  /** A fetch from here was asked for a second time. */
  askedAgain: bigint | undefined
  /** Of the next group, see `Group`. */
  follows = false
  readonly #limits: GroupLimits
  #begun: Place['begun']
  #waiting: Message[] = []

  constructor(number: number, limits: GroupLimits) {
    this.number = number
    this.#limits = limits
  }

  /** Asked anew after every wait. */
  isGone(): boolean {
    return this.gone.signal.aborted
  }

  /** A group that was begun before us is not whole yet. */
  get isRepeating(): boolean {
    return this.#begun !== undefined
  }

  begin({ position, begun, end, follows }: Place): void {
    this.follows = follows
    this.position = position
    this.committed = begun?.first ?? position
    this.#begun = begun
    this.end = end
  }

  add(message: KafkaMessage): void {
    const value = message.value ?? new Uint8Array(0)
    if (this.#waiting.length === 0) this.waitingSinceMs = Date.now()
    this.#waiting.push({
      offset: BigInt(message.offset),
      key: message.key?.toString('utf8') ?? '',
      value,
      headers: message.headers ?? {},
      timestampMs: Number(message.timestamp),
    })
    this.waitingOctets += value.length
  }

  handled(tookMs: number, nowMs: number): void {
    this.#handledMs = tookMs
    this.#handledAtMs = nowMs
  }

  /**
   * Is there a group that has waited long enough, and nobody at work on one?
   *
   * Much of it waits for as long as the last one took, too: a handler that is at work for more than half of its time gets full groups,
   * which cost it less.
   */
  isDue(nowMs: number): boolean {
    if (this.#waiting.length === 0 || this.busy > 0) return false
    const { maxOctets, maxWaitMs } = this.#limits
    if (nowMs - this.waitingSinceMs < maxWaitMs) return false
    if (this.waitingOctets < maxOctets * SMALL_SHARE) return true
    return nowMs - this.#handledAtMs >= Math.min(this.#handledMs, MAX_BUSY_WAIT_MS)
  }

  /** The next group; undefined while it is not full. @param all  as it is, then */
  take(all: boolean): Taken | undefined {
    const begun = this.#begun
    return begun === undefined ? this.#takeNext(all) : this.#takeBegun(begun, all)
  }

  #takeNext(all: boolean): Taken | undefined {
    const { maxOctets, maxMessages } = this.#limits
    let count = 0
    let octets = 0
    for (const { value } of this.#waiting) {
      if (count === maxMessages || octets >= maxOctets) break
      octets += value.length
      count++
    }
    if (!all && count < maxMessages && octets < maxOctets) return undefined
    const messages = this.#shift(count)
    const first = messages[0]?.offset
    const last = messages.at(-1)?.offset
    if (first === undefined || last === undefined) return undefined
    return { first, last, messages, repeated: false, follows: this.#following() }
  }

  /** Exactly that group, even when its last message takes long to come. */
  #takeBegun(begun: NonNullable<Place['begun']>, all: boolean): Taken | undefined {
    const { first, upto } = begun
    if ((this.position ?? 0n) <= upto) return undefined
    this.#begun = undefined
    const behind = this.#waiting.findIndex(({ offset }) => offset > upto)
    const messages = this.#shift(behind < 0 ? this.#waiting.length : behind)
    // The topic has nothing of it any more: there is nothing to repeat.
    if (messages.length === 0) return this.#takeNext(all)
    return { first, last: upto, messages, repeated: true, follows: this.#following() }
  }

  #following(): boolean {
    const { follows } = this
    this.follows = true
    return follows
  }

  #shift(count: number): Message[] {
    const taken = this.#waiting.splice(0, count)
    for (const { value } of taken) this.waitingOctets -= value.length
    this.waitingSinceMs = Date.now()
    return taken
  }
}
