import { setTimeout as delay } from 'node:timers/promises'
import type { Admin, Kafka } from 'kafkajs'
import { partitionsOf, withAdmin } from './admin.ts'
import { BusError, checkAccess } from './connection.ts'
import { loadKafkajs } from './library.ts'

export interface TopicOptions {
  readonly topic: string
  /** Make it when it is not there. */
  readonly create: boolean
  readonly partitions: number
  readonly replication: number
  readonly retentionMs: number
  /** Octets of the largest message that is sent. */
  readonly maxMessageOctets: number
}

/** What a record batch has beside the values: its header, keys, headers of the messages. */
const ENVELOPE_OCTETS = 64 << 10
/** Of values in one request, where the topic is ours to make. */
export const SEND_OCTETS = 4 << 20

export interface TopicFacts {
  readonly partitions: number
  /** Octets of values that one request may bring to a partition; undefined when the broker does not tell. */
  readonly maxSendOctets: number | undefined
}

/**
 * Makes the topic, or looks whether the one that is there can carry what is sent.
 *
 * @throws BusError when the brokers don't let us in, when it is not there and may not be made, or is too small
 */
export async function ensureTopic(kafka: Kafka, options: TopicOptions): Promise<TopicFacts> {
  await checkAccess(kafka).catch((error: unknown) => {
    // Brokers that do not answer yet are tried again below.
    if (error instanceof BusError) throw error
  })
  return withAdmin(kafka, async (admin) => {
    const { topic } = options
    if (!(await admin.listTopics()).includes(topic)) {
      if (!options.create) {
        throw new BusError(
          `topic ${topic} does not exist, and the configuration says not to create it`,
        )
      }
      await create(admin, options)
    }
    const octets = options.maxMessageOctets + ENVELOPE_OCTETS
    const allowed = await maxMessageOctets(admin, topic)
    if (allowed !== undefined && allowed < octets) {
      throw new BusError(
        `topic ${topic} takes messages of ${allowed} octets, ${octets} are needed: raise its max.message.bytes`,
      )
    }
    return {
      partitions: await partitionsLed(admin, topic),
      maxSendOctets: allowed === undefined ? undefined : allowed - ENVELOPE_OCTETS,
    }
  })
}

async function create(admin: Admin, options: TopicOptions): Promise<void> {
  const { topic, partitions, replication } = options
  try {
    await admin.createTopics({
      // The library's wait takes a broker that has not heard of the topic for a refusal.
      waitForLeaders: false,
      topics: [
        {
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: [
            { name: 'cleanup.policy', value: 'delete' },
            // A clock of ours that is wrong ends no message early, none is refused, and answers tell how wrong it is.
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
            { name: 'retention.ms', value: String(options.retentionMs) },
            {
              name: 'max.message.bytes',
              // What is meant is a batch of records: all messages of a request for a partition are one.
              value: String(Math.max(SEND_OCTETS, options.maxMessageOctets) + ENVELOPE_OCTETS),
            },
            // With three copies one may be away; with one there is nothing to wait for.
            { name: 'min.insync.replicas', value: String(Math.max(1, replication - 1)) },
          ],
        },
      ],
    })
  } catch (cause) {
    throw new BusError(
      `topic ${topic} can't be created (${partitions} partitions, ${replication} copies): ${reason(cause)}`,
      { cause },
    )
  }
}

const LEADERS_MS = 30_000
const LOOK_MS = 100

/** @returns how many partitions, once each has a leader and the broker that is asked has heard of it */
async function partitionsLed(admin: Admin, topic: string): Promise<number> {
  const end = performance.now() + LEADERS_MS
  for (;;) {
    try {
      const partitions = await partitionsOf(admin, topic)
      if (partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)) {
        return partitions.length
      }
    } catch (error) {
      if (performance.now() > end) throw error
    }
    if (performance.now() > end) {
      throw new BusError(`topic ${topic}: not every partition has a leader`)
    }
    await delay(LOOK_MS)
  }
}

/** undefined when the broker does not tell. */
async function maxMessageOctets(admin: Admin, topic: string): Promise<number | undefined> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [
        {
          type: loadKafkajs().library.ConfigResourceTypes.TOPIC,
          name: topic,
          configNames: ['max.message.bytes'],
        },
      ],
    })
    const value = Number(resources[0]?.configEntries[0]?.configValue)
    return Number.isFinite(value) ? value : undefined
  } catch {
    // Whoever may only write is not told.
    return undefined
  }
}

function reason(cause: unknown): string {
  const errors = (cause as { errors?: readonly Error[] }).errors
  return (errors?.[0] ?? (cause as Error)).message
}
