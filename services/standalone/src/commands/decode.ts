/** `ribscope decode`: a BMP stream as JSON lines: per message, per row, or counted. */
import { openInput, type Input } from '../input.ts'
import { LineWriter } from '../line-writer.ts'
import { UsageError, type Command, type Context } from '../command.ts'
import { flag, oneOf, v4Tlvs } from '../values.ts'
import type {
  JsonSinkOptions,
  JsonTable,
  RouterSession,
  RowSink,
  SessionCounters,
} from '@ribscope/events'
import type { BmpFramer } from '@ribscope/wire'
import type { OpenBmpFacts } from '../obmp-input.ts'

const TABLES = ['route_events', 'session_events', 'stats', 'route_errors', 'all'] as const

/** A first chunk of this size promises enough of them to be worth a rehearsal. */
const LARGE_OCTETS = 1 << 16
/** Lines that are decoded one by one before the reader of stdout is waited for. */
const LINES_AT_A_TIME = 64

export const command: Command = {
  name: 'decode',
  summary: 'BMP stream, pcap, OpenBMP or MRT to JSON lines',
  usage: `ribscope decode FILE|- [--rows | --table NAME | --count]

A line per BMP message with everything in it. FILE.times beside FILE.bmp gives the receive times of rows.

FILE is told by its first octets: a BMP stream, a capture (pcap, pcapng: any port whose bytes are BMP),
OpenBMP messages (binary header 1.7 or text header, as payloads of a Kafka topic; routers take turns), or
MRT (BGP4MP, TABLE_DUMP, TABLE_DUMP_V2: a line per record; rows as if a router had sent them as BMP). Each
of them may be compressed with gzip.

  --rows        a line per route instead: the columns of route_events
  --table NAME  a line per row of route_events, session_events, stats, route_errors or all;
                the first key is "table"
  --count       everything is decoded, only totals are printed; unknown_fields: lists of routes of
                families that are not decoded, each of which counts as one
  --bmp-v4 TABLE
                code points of TLVs in BMP version 4: auto (default: the first that a message fits),
                pmacct, draft-16, draft-20, draft-21, or your own: bgp_pdu=7,vrf_table_name=5,...

Exit 1 when framing is lost or the input ends inside a message: what came before is printed.`,
  options: {
    rows: { type: 'boolean' },
    count: { type: 'boolean' },
    table: { type: 'string' },
    'bmp-v4': { type: 'string' },
  },
  env: { 'bmp-v4': 'RIBSCOPE_BMP_V4' },
  async run(ctx) {
    const [path, ...more] = ctx.positionals
    if (path === undefined || more.length > 0)
      throw new UsageError('decode: expected one FILE, or -')
    const table = oneOf(ctx.values, 'table', TABLES)
    const rows = flag(ctx.values, 'rows') || table !== undefined
    const count = flag(ctx.values, 'count')
    if (rows && count) throw new UsageError('--count goes with neither --rows nor --table')
    const input = await openInput(path, count ? 'count' : rows ? 'rows' : 'messages')
    try {
      if (count) return await counted(ctx, input)
      if (rows) return await asRows(ctx, input, table)
      return await asMessages(ctx, input)
    } finally {
      await input.close()
    }
  },
}

async function counted(ctx: Context, input: Input): Promise<number> {
  const { CountSink } = await import('@ribscope/events')
  const started = performance.now()
  const sinks: InstanceType<typeof CountSink>[] = []
  const result = await sessions(ctx, input, {
    rows: () => {
      const sink = new CountSink()
      sinks.push(sink)
      return sink
    },
    waste: () => new CountSink(),
  })
  const { totals } = result
  const unknownFields = sinks.reduce((sum, sink) => sum + sink.unknownFields, 0)
  const summary = {
    messages: totals.messages,
    updates: totals.updates - totals.endOfRib,
    announced: totals.announced,
    withdrawn: totals.withdrawn,
    eor: totals.endOfRib,
    errors: totals.errors,
    bytes: totals.octets,
    seconds: Math.round((performance.now() - started) * 1000) / 1e6,
    // One route each above, but how many they hold is not known.
    ...(unknownFields > 0 ? { unknown_fields: unknownFields } : {}),
  }
  ctx.stdout.write(`${JSON.stringify(summary)}\n`)
  return result.code
}

async function asRows(
  ctx: Context,
  input: Input,
  table: (typeof TABLES)[number] | undefined,
): Promise<number> {
  const { JsonSink, JSON_TABLES } = await import('@ribscope/events')
  const out = new LineWriter(ctx.stdout, ctx.signal)
  const chosen: readonly JsonTable[] =
    table === undefined ? ['route_events'] : table === 'all' ? JSON_TABLES : [table]
  const sinkTo = (write: JsonSinkOptions['write']) =>
    new JsonSink({ write, tables: new Set(chosen), withTable: table !== undefined })
  const { code } = await sessions(ctx, input, {
    // A sink holds rows of one session; streams of a capture overlap.
    rows: () =>
      sinkTo((lines, release) => {
        out.write(lines, release)
      }),
    waste: () => sinkTo(() => undefined),
    pause: async (sink) => {
      sink.flush()
      await out.drained()
    },
  })
  await out.flushed()
  return code
}

interface Sinks<Sink extends RowSink> {
  /** for one session */
  readonly rows: () => Sink
  /** of the same class; what it gets goes nowhere */
  readonly waste: () => Sink
  /** after each chunk, with what it went to */
  readonly pause?: (sink: Sink) => Promise<void>
}

/** Runs the sessions of the input through RouterSession, the collector's own code. */
async function sessions<Sink extends RowSink>(
  ctx: Context,
  input: Input,
  { rows, waste, pause }: Sinks<Sink>,
): Promise<{ code: number; totals: SessionCounters }> {
  const { RouterSession, rehearse } = await import('@ribscope/events')
  const points = await v4Tlvs(ctx.values)
  const totals: SessionCounters = {
    messages: 0,
    updates: 0,
    announced: 0,
    withdrawn: 0,
    endOfRib: 0,
    errors: 0,
    octets: 0,
    peerUps: 0,
    peerDowns: 0,
  }
  const open = new Map<number, { name: string; session: RouterSession; out: Sink; told: boolean }>()
  let code = 0
  let rehearsed = false
  for await (const event of input.events()) {
    if (ctx.signal.aborted) return { code: 1, totals }
    if (event.kind === 'problem') {
      code = said(ctx, event.text)
      continue
    }
    if (event.kind === 'note') {
      said(ctx, event.text)
      continue
    }
    if (event.kind === 'line') continue
    if (event.kind === 'total') {
      totals.messages = event.messages
      totals.octets = event.octets
      totals.errors += event.errors
      continue
    }
    if (event.kind === 'open') {
      const { id, name, source, openedUs } = event
      const out = rows()
      const session = new RouterSession({
        collector: 'decode',
        source,
        openedUs,
        out,
        v4Tlvs: points,
      })
      open.set(id, { name, session, out, told: false })
      continue
    }
    const stream = open.get(event.id)
    if (stream === undefined) continue
    const { name, session } = stream
    if (event.kind === 'data') {
      if (!rehearsed && event.chunk.length >= LARGE_OCTETS) {
        rehearsed = true
        rehearse(waste())
      }
      session.push(event.chunk, event.rxUs)
      if (session.broken !== undefined && !stream.told) {
        // At once: a pipe may go on for long.
        stream.told = true
        code = lost(ctx, name, session.broken.offset, session.broken.detail)
      }
    } else {
      session.end(event.how, event.us)
      open.delete(event.id)
      for (const key of Object.keys(totals) as (keyof SessionCounters)[]) {
        totals[key] += session.counters[key]
      }
      const { pending, offset } = session
      if (!stream.told && event.gap) code = missing(ctx, name, offset)
      else if (!stream.told && pending > 0) code = cut(ctx, name, offset, pending)
    }
    if (pause !== undefined) await pause(stream.out)
  }
  return { code, totals }
}

async function asMessages(ctx: Context, input: Input): Promise<number> {
  const { BmpFramer, DecodeError, decodeBmpMessage } = await import('@ribscope/wire')
  const { SessionCodecs } = await import('@ribscope/events')
  const points = await v4Tlvs(ctx.values)
  const out = new LineWriter(ctx.stdout, ctx.signal)
  let lines = 0
  const open = new Map<
    number,
    {
      readonly name: string
      readonly framer: BmpFramer
      broken: boolean
      /** what to print beside the messages that follow */
      readonly tell: (facts: OpenBmpFacts | undefined) => void
    }
  >()
  let code = 0
  for await (const event of input.events()) {
    if (ctx.signal.aborted) return 1
    if (event.kind === 'problem') {
      code = said(ctx, event.text)
      continue
    }
    if (event.kind === 'note') {
      said(ctx, event.text)
      continue
    }
    if (event.kind === 'line') {
      out.line(JSON.stringify(event.value))
      if (++lines % LINES_AT_A_TIME === 0) await out.drained()
      continue
    }
    if (event.kind === 'total') continue
    if (event.kind === 'open') {
      let about: OpenBmpFacts | undefined
      const codecs = new SessionCodecs(points)
      const framer = new BmpFramer((bytes, start, end) => {
        // Offsets in what is printed count from the message, not from where TCP happened to cut.
        const message = bytes.subarray(start, end)
        const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
        const decoded = decodeBmpMessage(message, 0, message.length, codecs, view)
        codecs.learn(decoded, message, view, 0)
        out.line(JSON.stringify(about === undefined ? decoded : { ...decoded, openbmp: about }))
      })
      const tell = (facts: OpenBmpFacts | undefined): void => {
        about = facts
      }
      open.set(event.id, { name: event.name, framer, broken: false, tell })
      continue
    }
    const stream = open.get(event.id)
    if (stream === undefined) continue
    const { name, framer } = stream
    if (event.kind === 'data') {
      stream.tell(event.about)
      try {
        if (!stream.broken) framer.push(event.chunk)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        stream.broken = true
        code = lost(ctx, name, error.offset, error.detail)
      }
      await out.drained()
    } else {
      open.delete(event.id)
      if (stream.broken) continue
      if (event.gap) code = missing(ctx, name, framer.offset)
      else if (framer.pending > 0) code = cut(ctx, name, framer.offset, framer.pending)
    }
  }
  await out.flushed()
  return code
}

function lost(ctx: Context, name: string, offset: number, detail: string): number {
  return said(ctx, `${name}: framing lost at octet ${offset}: ${detail}`)
}

function missing(ctx: Context, name: string, offset: number): number {
  const where = `after octet ${offset} of the BMP stream`
  return said(ctx, `${name}: octets are missing from the capture ${where}`)
}

function cut(ctx: Context, name: string, offset: number, octets: number): number {
  return said(
    ctx,
    `${name}: ends inside the message at octet ${offset}, of which ${octets} octets are there`,
  )
}

/** What was wrong with the input, on stderr. @returns the exit code */
function said(ctx: Context, text: string): number {
  ctx.stderr.write(`ribscope decode: ${text}\n`)
  return 1
}
