import type { Publisher } from '@ribscope/bus'
import type { BatchConsumer } from './connection.ts'

/** The collector's rows to the bus: a session is held back by what the bus has not taken yet. */
export function publishBatches(publisher: Publisher): BatchConsumer {
  return {
    async submit(batch) {
      const { table, columns, router, bmpSession, firstSeq, lastSeq, rows } = batch
      const { format = 'native' } = batch
      const headers = {
        table,
        columns,
        format,
        router,
        bmpSession,
        firstSeq,
        lastSeq,
        rows,
      } as const
      await publisher.publish(headers, batch.body)
      batch.release()
    },
  }
}
