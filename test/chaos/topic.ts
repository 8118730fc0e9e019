/** Reads the whole topic, to tell a batch that is in it twice from one that was stored twice. */
import type { connectKafka } from '@ribscope/bus'
import { until } from '../lab/machine.ts'

export const TOPIC = 'ribscope.events'

const READ_MS = 60_000

export interface TopicDoubles {
  /** beyond the first of each batch */
  readonly rows: number
  /** `partition offsets: batch` of each batch that is there more than once */
  readonly said: readonly string[]
}

export async function doublesIn(kafka: ReturnType<typeof connectKafka>): Promise<TopicDoubles> {
  const admin = kafka.admin()
  await admin.connect()
  const ends = (await admin.fetchTopicOffsets(TOPIC)).filter(({ low, high }) => low !== high)
  await admin.disconnect()
  const left = new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]))
  const places = new Map<string, string[]>()
  let rows = 0
  const consumer = kafka.consumer({ groupId: 'chaos-look' })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const { offset, headers = {}, timestamp } = message
        const names = ['table', 'router', 'bmp_session', 'first_seq', 'last_seq', 'columns']
        const batch = names.map((name) => String(headers[name])).join(' ')
        const place = `${partition}:${offset} ${new Date(Number(timestamp)).toISOString()}`
        const before = places.get(batch)
        if (before !== undefined) rows += Number(headers['rows'])
        places.set(batch, [...(before ?? []), place])
        if (BigInt(offset) + 1n >= (left.get(partition) ?? 0n)) left.delete(partition)
      },
    })
    await until('the end of the topic', () => left.size === 0, READ_MS)
  } finally {
    await consumer.disconnect()
  }
  const said = [...places]
    .filter(([, where]) => where.length > 1)
    .map(([batch, where]) => `${where.join(', ')}: ${batch.slice(0, 100)}`)
  return { rows, said }
}
