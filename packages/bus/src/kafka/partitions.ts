/** Which partition a key's messages go to. */
import type { Kafka } from 'kafkajs'
import { loadKafkajs } from './library.ts'

/** @throws KafkaJSError when the topic is not there */
export async function partitionCount(kafka: Kafka, topic: string): Promise<number> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const count = topics[0]?.partitions.length ?? 0
    if (count === 0) throw new Error(`topic ${topic} has no partition yet`)
    return count
  } finally {
    await admin.disconnect()
  }
}

type Partitioner = ReturnType<
  ReturnType<typeof loadKafkajs>['library']['Partitioners']['DefaultPartitioner']
>
let partitioner: Partitioner | undefined

/** As Kafka's own clients do it: murmur2 of the key. */
export function partitionOf(key: string, partitions: number): number {
  partitioner ??= loadKafkajs().library.Partitioners.DefaultPartitioner()
  // The library's own looks at their number alone where there is a key.
  const partitionMetadata = new Array<never>(partitions)
  return partitioner({ topic: '', partitionMetadata, message: { key, value: null } })
}
