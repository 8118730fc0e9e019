/**
 * Bugs that the run must find: other text in a compiled file of the services, put there when it is loaded (`loader.mjs`). What is
 * shipped knows nothing of them.
 */
export interface Plant {
  /** Whose file it is. */
  readonly of: 'writer' | 'collector'
  /** End of the path of the file. */
  readonly file: string
  readonly right: string
  readonly wrong: string
}

const CONSUMER = 'packages/bus/dist/kafka/group-consumer.js'
const INSERTS = 'packages/store/dist/inserts.js'
const WRITER = 'services/writer/dist/writer.js'

export const PLANTS: Readonly<Record<string, readonly Plant[]>> = {
  // What is committed and not stored yet is lost with the process.
  'commit-before-insert': [
    {
      of: 'writer',
      file: CONSUMER,
      right: 'await handle({ ...taken,',
      wrong: 'await this.#commit(partition, last + 1n, undefined); await handle({ ...taken,',
    },
  ],
  // A repeated insert is a second one. (Without the token alone ClickHouse knows the block by its hash.)
  'insert-without-token': [
    {
      of: 'writer',
      file: INSERTS,
      right: 'insert_deduplication_token: token,',
      wrong: "deduplicate_insert: 'disable',",
    },
  ],
  // A successor cuts the same messages at other places: the tokens are other ones.
  'border-not-recorded': [
    {
      of: 'writer',
      file: CONSUMER,
      right: 'if (!repeated)\n            await this.#commit(partition, first, last);',
      wrong: '',
    },
  ],
  // An insert that failed may have been one that was done, or not.
  'failed-insert-skipped': [
    { of: 'writer', file: WRITER, right: "if (faultOf(err) === 'data')", wrong: 'if (true)' },
  ],
}
