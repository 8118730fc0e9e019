/** What the failure of a send means. The library wraps what brokers answer in its own errors. */

/** Of a topic that is not there, or not ours to write. */
const CLOSED: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
])

export function isClosed(error: unknown): boolean {
  return CLOSED.has(typeOf(error))
}

export function isTooLarge(error: unknown): boolean {
  const type = typeOf(error)
  return type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE'
}

/** The same producer may try again. */
export function isRetriable(error: unknown): boolean {
  return (
    (error as { retriable?: boolean }).retriable === true ||
    (error as Error).name === 'KafkaJSNumberOfRetriesExceeded'
  )
}

function typeOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { type } = at as { type?: unknown }
    if (typeof type === 'string') return type
  }
  return ''
}
