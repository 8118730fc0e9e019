/** BMP messages as they were received, to the bus: each behind OpenBMP's binary header 1.7, so that archives and others can read them. */
import { createHash } from 'node:crypto'
import type { Outgoing } from '@ribscope/bus'
import { parseIp } from '@ribscope/events'
import { encodeObmpHeader, stampObmpHeader } from '@ribscope/wire'

/** Takes messages and keeps the order in which it gets those of a key. */
export interface RawOutlet {
  /** @returns resolves when the bus has all of them */
  sendAll(messages: readonly Outgoing[]): Promise<void>
}

export interface RawFeedOptions {
  readonly outlet: RawOutlet
  /** name of this collector */
  readonly collector: string
  /** address the router connected from */
  readonly source: string
  /** octets that the bus has not taken changed by so many */
  readonly onWaiting: (octets: number) => void
  /** A message larger than a topic takes, or that the bus did not take: it is not in the topic. */
  readonly onLost: (messages: number, reason: string) => void
}

/** A message that is larger stops nobody: it is left out. Of all BMP messages only an Initiation could be. */
const MAX_MESSAGE_OCTETS = 512 << 10
/** Of what goes to the bus at a time. */
const BATCH_OCTETS = 128 << 10
const BATCH_MESSAGES = 200

/** What a record of the bus costs in memory beside its octets, roughly. */
const RECORD_OCTETS = 100

/** The messages of one BMP session. */
export class RawFeed {
  readonly #options: RawFeedOptions
  #template: Uint8Array | undefined
  #key = ''
  #headers: Readonly<Record<string, string>> = {}
  /** What the messages are copied into: what a socket gave is kept by nobody. */
  #slab = new Uint8Array(0)
  #used = 0
  #messages: Outgoing[] = []
  #octets = 0
  #sent: Promise<void> = Promise.resolve()

  constructor(options: RawFeedOptions) {
    this.#options = options
  }

  /** @param router name of the session, the same for all of its messages */
  message(router: string, bytes: Uint8Array, start: number, end: number, rxUs: number): void {
    const length = end - start
    if (length > MAX_MESSAGE_OCTETS) {
      this.#options.onLost(1, `message of ${length} octets`)
      return
    }
    const template = (this.#template ??= this.#describe(router))
    const octets = template.length + length
    if (this.#used + octets > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(BATCH_OCTETS, octets))
      this.#used = 0
    }
    const value = this.#slab.subarray(this.#used, this.#used + octets)
    this.#used += octets
    value.set(template)
    value.set(bytes.subarray(start, end), template.length)
    stampObmpHeader(value, 0, length, rxUs)
    this.#messages.push({ key: this.#key, value, headers: this.#headers })
    this.#octets += octets + RECORD_OCTETS
    this.#options.onWaiting(octets + RECORD_OCTETS)
    if (this.#octets >= BATCH_OCTETS || this.#messages.length >= BATCH_MESSAGES) this.flush()
  }

  /** Hands over what there is, without waiting. */
  flush(): void {
    if (this.#messages.length === 0) return
    const messages = this.#messages
    const octets = this.#octets
    this.#messages = []
    this.#octets = 0
    const sent = this.#options.outlet
      .sendAll(messages)
      .catch((error: unknown) => {
        this.#options.onLost(messages.length, (error as Error).message)
      })
      .then(() => {
        this.#options.onWaiting(-octets)
      })
    // `then`: what Promise.all collects would grow with the session.
    this.#sent = Promise.all([this.#sent, sent]).then(() => undefined)
  }

  /** All messages so far are with the bus. */
  async settled(): Promise<void> {
    await this.#sent
  }

  #describe(router: string): Uint8Array {
    const { collector, source } = this.#options
    const collectorHash = md5(collector)
    // OpenBMP hashes the address alone: routers behind one address would be one.
    const routerHash = md5(router, source, collectorHash)
    this.#key = routerHash.toString('hex')
    this.#headers = { router }
    return encodeObmpHeader({
      collectorHash,
      adminId: collector,
      routerHash,
      routerIp: parseIp(source),
      routerGroup: '',
    })
  }
}

/** What OpenBMP names things by: a name, no protection. */
function md5(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('md5')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
