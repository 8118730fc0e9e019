/** Which partition a key's messages go to. */
import type { Kafka } from 'kafkajs'
import { partitionsOf, withAdmin } from './admin.ts'
import { loadKafkajs } from './library.ts'

/** @throws KafkaJSError when the topic is not there */
export function partitionCount(kafka: Kafka, topic: string): Promise<number> {
  return withAdmin(kafka, async (admin) => {
    const { length } = await partitionsOf(admin, topic)
    if (length === 0) throw new Error(`topic ${topic} has no partition yet`)
    return length
  })
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
