import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka, OffsetsByTopicPartition } from 'kafkajs'
import { withAdmin } from './admin.ts'
import type { Place } from './partition.ts'

/** What a partition was left with, and what of it is no longer in the topic. */
export interface FoundPlace extends Place {
  /** Messages that were not handled and are gone. */
  readonly lost: bigint
  /** The topic ends before what is committed: it was made anew, or has lost its end. */
  readonly shrunk: boolean
}

export interface PlaceRequest {
  readonly kafka: Kafka
  readonly groupId: string
  readonly topic: string
  readonly partitions: readonly number[]
}

export function findPlaces(request: PlaceRequest): Promise<Map<number, FoundPlace>> {
  const { kafka, groupId, topic, partitions } = request
  return withAdmin(kafka, async (admin) => {
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const ends = await admin.fetchTopicOffsets(topic)
    const places = new Map<number, FoundPlace>()
    for (const partition of partitions) {
      const there = ends.find((each) => each.partition === partition)
      if (there === undefined) throw new Error(`topic ${topic} has no partition ${partition}`)
      const left = committed?.partitions.find((each) => each.partition === partition)
      const low = BigInt(there.low)
      const end = BigInt(there.high)
      places.set(partition, place(BigInt(left?.offset ?? -1), left?.metadata ?? '', low, end))
    }
    return places
  })
}

/** @param committed  negative: nothing is */
function place(committed: bigint, metadata: string, low: bigint, end: bigint): FoundPlace {
  const fresh = { begun: undefined, end, lost: 0n, shrunk: false, follows: false }
  // Nothing that the topic still has is left out.
  if (committed < 0n) return { ...fresh, position: low }
  if (committed > end) return { ...fresh, position: low, shrunk: true }
  const upto = readUpto(metadata, committed)
  const position = committed < low ? low : committed
  const begun = upto === undefined || upto < position ? undefined : { first: committed, upto }
  const lost = position - committed
  return { begun, position, end, lost, shrunk: false, follows: lost === 0n }
}

export interface NewPlace {
  readonly topic: string
  readonly partition: number
  readonly position: bigint
  /** The last offset of the group that begins there. */
  readonly upto: bigint | undefined
}

const COMMIT_TRIES = 6

/**
 * Kafka keeps a text beside an offset: here, where the group that begins there ends. Fenced: a member that is no longer in the group is
 * refused by the broker.
 *
 * @param commit  once, without retries that would outlive the membership
 */
export async function commitPlace(
  place: NewPlace,
  commit: (offsets: OffsetsByTopicPartition) => Promise<void> | undefined,
  gone: AbortSignal,
): Promise<void> {
  const { topic, partition, position, upto } = place
  const metadata = upto === undefined ? '' : JSON.stringify({ upto: String(upto) })
  const offsets = {
    topics: [{ topic, partitions: [{ partition, offset: String(position), metadata }] }],
  }
  for (let tries = 1; ; tries++) {
    gone.throwIfAborted()
    try {
      await commit(offsets)
      return
    } catch (err) {
      if (isRebalance(err) || tries === COMMIT_TRIES) throw err
      await delay(tries * 200, undefined, { signal: gone })
    }
  }
}

export function isRebalance(error: unknown): boolean {
  const type = (error as { type?: string }).type
  return (
    type === 'REBALANCE_IN_PROGRESS' ||
    type === 'ILLEGAL_GENERATION' ||
    type === 'UNKNOWN_MEMBER_ID'
  )
}

/** @returns undefined when no group was begun at this position */
function readUpto(metadata: string, position: bigint): bigint | undefined {
  if (metadata === '') return undefined
  try {
    const { upto } = JSON.parse(metadata) as { upto?: unknown }
    if (typeof upto !== 'string' || !/^\d{1,19}$/.test(upto)) return undefined
    const last = BigInt(upto)
    return last >= position ? last : undefined
  } catch {
    return undefined
  }
}

/** What the topic has, by partition: the first message, one behind the last. */
export async function findEnds(
  kafka: Kafka,
  topic: string,
): Promise<Map<number, { readonly low: bigint; readonly end: bigint }>> {
  const found = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic))
  return new Map(
    found.map(({ partition, low, high }) => [partition, { low: BigInt(low), end: BigInt(high) }]),
  )
}
