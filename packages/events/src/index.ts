export { SessionCodecs } from './codecs.ts'
export { JsonBatchSink } from './json-batches.ts'
export type { JsonBatchSinkOptions } from './json-batches.ts'
export { JsonSink, JSON_TABLES } from './json-sink.ts'
export type { JsonSinkOptions, JsonTable } from './json-sink.ts'
export { CountSink } from './count-sink.ts'
export { NativeSink, BlockPool } from './native-sink.ts'
export type { NativeSinkOptions } from './native-sink.ts'
export { rehearse } from './rehearsal.ts'
export { RouterSession } from './session.ts'
export type { SessionEnd, SessionLimits, SessionOptions } from './session.ts'
export type { SessionCounters } from './session-rows.ts'
export type { Batch, RowSink, Table } from './sink.ts'
export type { ErrorRow, SessionFacts, SessionRow, StatsRow } from './rows.ts'
export type { Effect } from './table.ts'
export {
  RecordingError,
  RecordingWriter,
  listRecordings,
  openRecording,
  readRecording,
  recordingName,
} from './recording.ts'
export type { Recording, RecordedChunk } from './recording.ts'
export { timeline } from './timeline.ts'
export type { TimelineEvent } from './timeline.ts'
export { formatDateTime64, formatUnixSeconds, nowUs, parseUnixSeconds } from './time.ts'
export { formatIp, parseIp } from './ip.ts'
export { cleanName } from './text.ts'
export { BEATS, encodeBeats } from './beats.ts'
export type { Beat } from './beats.ts'
export { rowsOfBlocks, VIEW_OF } from './block-json.ts'
export type { BlockRow } from './block-json.ts'
export { NativeError } from './native-reader.ts'
