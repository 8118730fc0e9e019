export type { BusLog } from './log.ts'
export { BadMessage, decodeHeaders, encodeHeaders, SCHEMA } from './message.ts'
export type { BatchHeaders, WireHeaders } from './message.ts'
export { BusError, connectKafka } from './kafka/connection.ts'
export type { KafkaConnection } from './kafka/connection.ts'
export { GroupConsumer } from './kafka/group-consumer.ts'
export type {
  Group,
  GroupConsumerOptions,
  Message,
  PartitionStatus,
} from './kafka/group-consumer.ts'
export { KafkaPublisher } from './kafka/publisher.ts'
export type { Outgoing, PublisherOptions } from './kafka/publisher.ts'
export { ensureTopic } from './kafka/topics.ts'
export type { TopicFacts, TopicOptions } from './kafka/topics.ts'
export type { Publisher } from './transport.ts'
