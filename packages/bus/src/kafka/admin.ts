import type { Admin, Kafka, PartitionMetadata } from 'kafkajs'

/** A connection of its own for a few questions. */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** @throws KafkaJSError when the topic is not there */
export async function partitionsOf(
  admin: Admin,
  topic: string,
): Promise<readonly PartitionMetadata[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  return topics[0]?.partitions ?? []
}
