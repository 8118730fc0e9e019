/** Messages on their way to a topic. */

/** A message as it is sent. */
export interface Outgoing {
  readonly key: string
  /** Must not change before it is sent. */
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** One that brokers have not confirmed. */
export interface Waiting {
  readonly key: string
  readonly value: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** With what the record has beside the value. */
  readonly octets: number
  readonly done: () => void
  readonly failed: (reason: Error) => void
}

/** kafkajs spreads the array again for each message of it: quadratic. */
const MAX_SEND_MESSAGES = 400
/** Of a record: lengths, times, offsets. */
const RECORD_OCTETS = 64

/** All of them, in order: `done` is for the last one, since they are confirmed in order. */
export function waitingFor(
  messages: readonly Outgoing[],
  done: () => void,
  failed: (reason: Error) => void,
): Waiting[] {
  return messages.map(({ key, value, headers }, i) => ({
    key,
    value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers,
    octets: value.length + envelopeOctets(key, headers),
    done: i === messages.length - 1 ? done : ignore,
    failed,
  }))
}

/** The first ones, as many as go at once. */
export function firstOf(queue: readonly Waiting[], maxOctets: number): readonly Waiting[] {
  let sum = 0
  let count = 0
  for (const { octets } of queue) {
    if (count > 0 && (sum + octets > maxOctets || count === MAX_SEND_MESSAGES)) break
    sum += octets
    count++
  }
  return queue.slice(0, count)
}

function envelopeOctets(key: string, headers: Readonly<Record<string, string>>): number {
  let octets = RECORD_OCTETS + Buffer.byteLength(key)
  for (const [name, value] of Object.entries(headers)) {
    octets += name.length + Buffer.byteLength(value) + 8
  }
  return octets
}

function ignore(): void {
  // Another one tells.
}
