/** Messages of any topic of ours as JSON lines: rows, raw BMP, dead letters; what is none of them is shown as that. */
import { BadMessage, decodeHeaders } from '@ribscope/bus'
import type { BatchHeaders, Message } from '@ribscope/bus'
import { BEATS, NativeError, rowsOfBlocks, SessionCodecs, VIEW_OF } from '@ribscope/events'
import type { Table } from '@ribscope/events'
import { BmpFramer, DecodeError, decodeBmpMessage, decodeObmp, looksLikeObmp } from '@ribscope/wire'
import type { BmpMessage, ObmpFrame, V4TlvTable } from '@ribscope/wire'
import { factsOf } from './obmp-input.ts'
import { isWithin, type TapFilter } from './tap-filter.ts'

/** Raw streams whose OPENs are remembered; of more, those that were silent longest are forgotten. */
const MAX_STREAMS = 1024
/** Of what nobody understands. */
const SHOWN_OCTETS = 64
const MAX_REASON = 1000

interface Stream {
  readonly codecs: SessionCodecs
  sysName: string
}

export class TapLines {
  readonly #filter: TapFilter
  readonly #v4Tlvs: V4TlvTable | undefined
  readonly #streams = new Map<string, Stream>()

  constructor(filter: TapFilter, v4Tlvs?: V4TlvTable) {
    this.#filter = filter
    this.#v4Tlvs = v4Tlvs
  }

  /** One JSON object each, without the line end. Throws for nothing that a message may hold. */
  *of(message: Message): Generator<string> {
    for (const line of this.#lines(message)) yield printable(line)
  }

  *#lines(message: Message): Generator<string> {
    if (message.headers['dead_reason'] !== undefined) {
      if (this.#wants('dead') && this.#isFrom(text(message, 'router'))) yield dead(message)
      return
    }
    try {
      if (message.headers['table'] !== undefined) yield* this.#batch(message)
      else if (looksLikeObmp(message.value) !== undefined) yield* this.#raw(message)
      else throw new BadMessage('no header table, and no OpenBMP message')
    } catch (error) {
      const known =
        error instanceof BadMessage || error instanceof NativeError || error instanceof DecodeError
      if (!known) throw error
      if (this.#wants('unreadable') && this.#isFrom(text(message, 'router'))) {
        yield unreadable(message, error.message)
      }
    }
  }

  #wants(kind: string): boolean {
    const { table, peer, prefix } = this.#filter
    const about = kind === 'dead' || kind === 'unreadable'
    if (about && (peer !== undefined || prefix !== undefined)) return false
    return table === undefined || table === kind
  }

  #isFrom(...routers: readonly string[]): boolean {
    const { router } = this.#filter
    return router === undefined || routers.includes(router)
  }

  *#batch(message: Message): Generator<string> {
    const headers = decodeHeaders(message.headers)
    const { table, router, format } = headers
    const view = Object.hasOwn(VIEW_OF, table) ? VIEW_OF[table as Table] : undefined
    if (!this.#wants(table) && (view === undefined || !this.#wants(view))) return
    if (table === BEATS) {
      // Signs of life say nothing of routes: for those that ask for them.
      if (this.#filter.table === BEATS) yield* this.#beats(message)
      return
    }
    if (!this.#isFrom(router)) return
    if (format === 'json') {
      yield* this.#jsonLines(message)
      return
    }
    if (view === undefined) throw new BadMessage(`table ${table} is not known here`)
    yield* this.#nativeRows(headers, message)
  }

  *#beats({ value }: Message): Generator<string> {
    for (const row of rowsOfBlocks(BEATS, value)) yield row.json()
  }

  *#nativeRows({ table }: BatchHeaders, { value }: Message): Generator<string> {
    const { peer, prefix } = this.#filter
    for (const row of rowsOfBlocks(table as Table, value)) {
      if (peer !== undefined && row.peer !== peer) continue
      if (prefix !== undefined && !isWithin(row.prefix, prefix)) continue
      yield row.json()
    }
  }

  *#jsonLines({ value }: Message): Generator<string> {
    const { peer, prefix } = this.#filter
    for (const line of Buffer.from(value).toString().split('\n')) {
      if (line.trim() === '') continue
      let row: unknown
      try {
        row = JSON.parse(line)
      } catch (error) {
        throw new BadMessage(`no JSON: ${(error as Error).message}`)
      }
      if (typeof row !== 'object' || row === null || Array.isArray(row)) {
        throw new BadMessage('a line of JSON that is no object')
      }
      const { peer_addr, prefix: own } = row as Record<string, unknown>
      if (peer !== undefined && peer_addr !== peer) continue
      if (prefix !== undefined && (typeof own !== 'string' || !isWithin(own, prefix))) continue
      // As it is: numbers may be larger than ours.
      yield line.trim()
    }
  }

  *#raw(message: Message): Generator<string> {
    if (!this.#wants('raw')) return
    const { value } = message
    const frame = decodeObmp(value)
    const stream = this.#stream(frame)
    const openbmp = factsOf(frame)
    const found: BmpMessage[] = []
    const framer = new BmpFramer((bytes, start, end) => {
      const octets = bytes.subarray(start, end)
      const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
      const decoded = decodeBmpMessage(octets, 0, octets.length, stream.codecs, view)
      stream.codecs.learn(decoded, octets, view, 0)
      if (decoded.kind === 'initiation') stream.sysName = decoded.sysName
      found.push(decoded)
    })
    framer.push(value.subarray(frame.messageAt, frame.messageEnd))
    if (framer.pending > 0) throw new BadMessage('no whole BMP message in the OpenBMP message')
    const router = text(message, 'router')
    if (!this.#isFrom(router, stream.sysName, frame.routerIp, frame.routerHash)) return
    for (const each of found) if (this.#isAbout(each)) yield JSON.stringify({ ...each, openbmp })
  }

  #stream({ collectorHash, routerHash, routerIp }: ObmpFrame): Stream {
    const key = JSON.stringify([collectorHash, routerHash, routerIp].map((id) => id.slice(0, 128)))
    const stream = this.#streams.get(key) ?? {
      codecs: new SessionCodecs(this.#v4Tlvs),
      sysName: '',
    }
    this.#streams.delete(key)
    this.#streams.set(key, stream)
    if (this.#streams.size > MAX_STREAMS) {
      for (const oldest of this.#streams.keys()) {
        this.#streams.delete(oldest)
        break
      }
    }
    return stream
  }

  #isAbout(message: BmpMessage): boolean {
    const { peer, prefix } = this.#filter
    if (peer !== undefined && (!('peer' in message) || message.peer.address !== peer)) return false
    if (prefix === undefined) return true
    if (message.kind !== 'route_monitoring' || message.update === null) return false
    const { announced, withdrawn } = message.update
    return [...announced, ...withdrawn].some(({ routes }) =>
      routes.some((route) => 'prefix' in route && isWithin(route.prefix, prefix)),
    )
  }
}

/** With where in Kafka it was, in front. */
export function withHeaders(
  line: string,
  topic: string,
  { partition, offset, timestampMs, key, headers }: Message & { readonly partition: number },
): string {
  const kafka = {
    topic,
    partition,
    offset: String(offset),
    timestamp: timeOf(timestampMs),
    key,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, headerText(value)]),
    ),
  }
  const rest = line.slice(1).trimStart()
  return `${printable(`{"kafka":${JSON.stringify(kafka)}`)}${rest === '}' ? '' : ','}${rest}`
}

function dead(message: Message): string {
  const whole = (name: string): number | null => {
    const value = text(message, name)
    return /^\d{1,15}$/.test(value) ? Number(value) : null
  }
  return JSON.stringify({
    table: 'dead',
    reason: text(message, 'dead_reason').slice(0, MAX_REASON),
    topic: text(message, 'dead_topic'),
    partition: whole('dead_partition'),
    offset: text(message, 'dead_offset'),
    router: text(message, 'router'),
    of: text(message, 'table'),
    rows: whole('rows'),
    ...shown(message.value),
  })
}

function unreadable(message: Message, reason: string): string {
  return JSON.stringify({
    table: 'unreadable',
    reason: reason.slice(0, MAX_REASON),
    ...shown(message.value),
  })
}

function shown(value: Uint8Array): object {
  const begins = Buffer.from(value.subarray(0, SHOWN_OCTETS)).toString('hex')
  return { octets: value.length, begins }
}

function text({ headers }: Message, name: string): string {
  return headerText(headers[name])
}

function headerText(value: Message['headers'][string]): string {
  const first = Array.isArray(value) ? value[0] : value
  return first === undefined ? '' : Buffer.from(first).toString()
}

function timeOf(ms: number): string | null {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/** Whoever wrote to the topic chose the texts, and a terminal takes some of them for orders. In JSON they stand in strings only. */
function printable(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
