export { KafkaWriter } from './writer.ts'
export type { WriterOptions } from './writer.ts'
