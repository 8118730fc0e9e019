/** `ribscope tap`: what is in a topic, as JSON lines. */
import { UsageError, type Command } from '../command.ts'
import { KAFKA, kafkaOf, topicNameOf } from '../connect.ts'
import { LineWriter } from '../line-writer.ts'
import { startError } from '../start.ts'
import { flag, number, text, v4Tlvs } from '../values.ts'

const FROM = /^-?\d{1,18}$/

export const command: Command = {
  name: 'tap',
  summary: 'what is in a Kafka topic of ours, as JSON lines',
  usage: `ribscope tap [TOPIC] [flags]

Rows as \`decode --table all\` prints them, raw BMP as \`decode\` does, dead letters with their reason. No consumer group is left
behind, and nothing is committed. It goes on until it is interrupted, or as long as --count or --until-end says.

  --from WHERE         earliest, latest (default), an offset, or -N: the last N messages of each partition
  --partition N        one partition (default: all, in no order between them)
  --count N            ends after so many lines
  --until-end          ends where the topic ended when it began
  --table NAME         route_log, session_log, stats_log, error_log, or their views; raw; dead; unreadable; beats:
                       signs of life, which are left out otherwise
  --router NAME        as rows have it; of raw BMP also its address or hash
  --peer ADDRESS       of rows or messages about that peer
  --prefix PREFIX      routes of that prefix, or of one within it
  --headers            each line begins with where in Kafka it is: topic, partition, offset, time, key, headers
  --bmp-v4 TABLE       code points of TLVs in BMP version 4, for raw BMP (see ribscope decode --help)
${KAFKA.usage}`,
  options: {
    from: { type: 'string', default: 'latest' },
    partition: { type: 'string' },
    count: { type: 'string' },
    'until-end': { type: 'boolean' },
    table: { type: 'string' },
    router: { type: 'string' },
    peer: { type: 'string' },
    prefix: { type: 'string' },
    headers: { type: 'boolean' },
    'bmp-v4': { type: 'string' },
    ...KAFKA.options,
  },
  env: { 'bmp-v4': 'RIBSCOPE_BMP_V4', ...KAFKA.env },
  async run(ctx) {
    const { values, positionals } = ctx
    const [given, ...more] = positionals
    if (more.length > 0) throw new UsageError('expected one TOPIC')
    const topic = topicNameOf(given ?? text(values, 'topic') ?? '', 'TOPIC')
    const kafka = kafkaOf(ctx, 'tap')
    const from = text(values, 'from') ?? ''
    if (from !== 'earliest' && from !== 'latest' && !FROM.test(from)) {
      throw new UsageError(`--from ${JSON.stringify(from)}: expected earliest, latest, an offset`)
    }
    const partition = number(values, 'partition', { min: 0, max: 1e6, integer: true })
    const count = number(values, 'count', { min: 1, integer: true }) ?? Infinity
    const { prefixOf } = await import('../tap-filter.ts')
    const { formatIp, parseIp } = await import('@ribscope/events')
    const peer = text(values, 'peer')
    const address = peer === undefined ? undefined : parseIp(peer)
    if (peer !== undefined && address === undefined) {
      throw new UsageError(`--peer ${JSON.stringify(peer)}: expected an address`)
    }
    const prefix = text(values, 'prefix')
    const { TapLines, withHeaders } = await import('../tap-lines.ts')
    const lines = new TapLines(
      {
        table: text(values, 'table'),
        router: text(values, 'router'),
        peer: address === undefined ? undefined : formatIp(address),
        prefix: prefix === undefined ? undefined : prefixOf('--prefix', prefix),
      },
      await v4Tlvs(values),
    )
    const { connectKafka, readTopic } = await import('@ribscope/bus')
    const out = new LineWriter(ctx.stdout, ctx.signal)
    let printed = 0
    try {
      await readTopic({
        kafka: connectKafka(kafka, quietLog(ctx.stderr)),
        topic,
        from: from === 'earliest' || from === 'latest' ? from : BigInt(from),
        partition,
        untilEnd: flag(values, 'until-end'),
        signal: ctx.signal,
        onMessage: async (message) => {
          for (const line of lines.of(message)) {
            out.line(flag(values, 'headers') ? withHeaders(line, topic, message) : line)
            if (++printed >= count) return false
          }
          await out.drained()
          return true
        },
      })
    } catch (error) {
      await out.flushed()
      throw startError(error)
    }
    await out.flushed()
    return 0
  },
}

/** What the library only warns of does not belong among the lines; that brokers are away does. */
function quietLog(stderr: NodeJS.WritableStream) {
  const ignore = (): void => undefined
  let last = ''
  return {
    debug: ignore,
    info: ignore,
    warn: (_: object, said: string): void => {
      if (said !== last) stderr.write(`ribscope tap: ${said}\n`)
      last = said
    },
    error: ignore,
  }
}
