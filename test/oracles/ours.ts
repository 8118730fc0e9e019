/** Our side: the rows that `ribscope decode --rows` prints, message by message. */
import { JsonSink, RouterSession } from '@ribscope/events'
import { BmpFramer, DecodeError, parseBgpMessage } from '@ribscope/wire'
import { cutBgp } from '../fuzz/tree.ts'
import { NO_FACTS, type MessageFacts, type Route, type Texts } from './model.ts'

/** A line of route_events. */
export interface Row {
  readonly bmp_ts: string | null
  readonly peer_addr: string
  readonly peer_asn: number
  readonly peer_bgp_id: string
  readonly rib: string
  readonly afi: number
  readonly safi: number
  readonly action: 'announce' | 'withdraw'
  readonly prefix: string
  readonly nlri: string
  readonly path_id: number
  readonly rd: string
  readonly labels: readonly number[]
  readonly next_hop: string
  readonly next_hop_ll: string
  readonly origin: string
  readonly as_path_text: string
  readonly med: number | null
  readonly local_pref: number | null
  readonly communities: readonly string[]
  readonly ext_communities: readonly string[]
  readonly large_communities: readonly string[]
  readonly originator_id: string
  readonly cluster_list: readonly string[]
  readonly evpn_type: number
  readonly esi: string
  readonly eth_tag: number
  readonly mac: string
  readonly host_ip: string
  readonly gw_ip: string
  readonly decode_errors: readonly string[]
}

export interface Message {
  readonly bytes: Uint8Array
  readonly rows: readonly Row[]
  readonly routes: readonly Route[]
  readonly facts: MessageFacts
}

/** Rows of every message of a BMP stream, in its order. */
export function readBmp(bytes: Uint8Array): Message[] {
  let parts: string[] = []
  const sink = new JsonSink({
    write: (lines, release) => {
      parts.push(Buffer.from(lines).toString())
      release()
    },
    tables: new Set(['route_events', 'route_errors']),
    withTable: true,
  })
  const session = new RouterSession({
    collector: 'agree',
    source: '192.0.2.1',
    openedUs: 1_700_000_000_000_000,
    out: sink,
  })
  const messages: Message[] = []
  const framer = new BmpFramer((chunk, start, end) => {
    session.push(chunk.subarray(start, end), 1_700_000_000_000_001)
    sink.flush()
    const lines = parts.join('').split('\n').slice(0, -1)
    const all = lines.map((line) => JSON.parse(line) as Row & { readonly table: string })
    const rows = all.filter(({ table }) => table === 'route_events')
    const errors = all.filter(({ table }) => table === 'route_errors').length
    parts = []
    messages.push({
      bytes: chunk.slice(start, end),
      rows,
      routes: rows.map(routeOf),
      facts: factsOf(rows, errors, end - start),
    })
  })
  try {
    framer.push(bytes)
  } catch (error) {
    // What came before is compared; that framing is lost is for others to judge.
    if (!(error instanceof DecodeError)) throw error
  }
  return messages
}

function factsOf(rows: readonly Row[], errors: number, octets: number): MessageFacts {
  const decodeErrors = [...new Set(rows.flatMap((row) => row.decode_errors))]
  const addPath = rows.some((row) => row.path_id !== 0)
  const unknownRd = rows.some(({ rd }) => rd.startsWith('0x'))
  return { decodeErrors, errors, addPath, octets, unknownRd }
}

const PEER_UP = 3

/**
 * One direction of a BGP session as a BMP stream: each message in a Route Monitoring message. An OPEN becomes a
 * Peer Up that says the same for both sides; without one nothing is known of the session, as in life.
 */
export function wrapBgp(bytes: Uint8Array): { stream: Uint8Array; of: number[] } {
  const parts: Uint8Array[] = []
  const of: number[] = []
  // RFC 7854 section 4.2: the A flag says that AS_PATH has 2-octet numbers.
  let flags = 0
  for (const [i, message] of cutBgp(bytes).entries()) {
    const type = message[18]
    if (message.length < 19 || (type !== 1 && type !== 2)) continue
    if (type === 1) {
      const head = new Uint8Array(20)
      head.set([192, 0, 2, 1], 12)
      head.set([0, 179, 0, 179], 16)
      const { message: open } = parseBgpMessage(message)
      const as4 = open?.type === 'open' && open.capabilities.some(({ kind }) => kind === 'as4')
      flags = as4 ? 0 : 0x20
      parts.push(bmp(PEER_UP, flags, [head, message, message]))
    } else parts.push(bmp(0, flags, [message]))
    of.push(i)
  }
  return { stream: Buffer.concat(parts), of }
}

function bmp(type: number, flags: number, body: readonly Uint8Array[]): Uint8Array {
  const octets = 48 + body.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(48)
  head[0] = 3
  head.writeUInt32BE(octets, 1)
  head[5] = type
  head[7] = flags
  head.set([192, 0, 2, 10], 28)
  head.writeUInt32BE(65010, 32)
  head.set([192, 0, 2, 10], 36)
  head.writeUInt32BE(1_700_000_000, 40)
  return Buffer.concat([head, ...body])
}

/** Rows of every BGP message, in stream order; those that become no Route Monitoring have none. */
export function readBgp(bytes: Uint8Array): Message[] {
  const { stream, of } = wrapBgp(bytes)
  const read = readBmp(stream)
  return cutBgp(bytes).map((message, i): Message => {
    const at = of.indexOf(i)
    const found = at < 0 ? undefined : read[at]
    return {
      bytes: message,
      rows: found?.rows ?? [],
      routes: found?.routes ?? [],
      facts: found?.facts ?? NO_FACTS,
    }
  })
}

export function routeOf(row: Row): Route {
  const evpn = row.afi === 25 && row.safi === 70
  const texts: Texts = {
    prefix: row.prefix,
    rd: row.rd,
    path_id: String(row.path_id),
    labels: row.labels.map((label) => (evpn ? label >> 4 : label)).join(' '),
    next_hop: row.next_hop,
    next_hop_ll: row.next_hop_ll,
    origin: row.origin,
    as_path: row.as_path_text,
    med: row.med === null ? '' : String(row.med),
    local_pref: row.local_pref === null ? '' : String(row.local_pref),
    communities: row.communities.join(' '),
    ext_communities: row.ext_communities.join(' '),
    large_communities: row.large_communities.join(' '),
    originator_id: row.originator_id,
    cluster_list: row.cluster_list.join(' '),
  }
  if (evpn) {
    // A host is in host_ip, for MAC/IP routes; the prefix column repeats it for joins.
    if (row.evpn_type !== 5) texts.prefix = ''
    texts.evpn_type = String(row.evpn_type)
    texts.esi = row.esi
    texts.eth_tag = String(row.eth_tag)
    texts.mac = row.mac
    texts.host_ip = row.host_ip
    texts.gw_ip = row.gw_ip
    // The originator's address of types 3 and 4 is the last part of the text.
    texts.orig_ip =
      row.evpn_type === 3 || row.evpn_type === 4 ? (/\[([^[\]]*)\]$/.exec(row.nlri)?.[1] ?? '') : ''
  }
  if (!evpn && ![1, 2, 4, 128].includes(row.safi)) {
    texts.nlri = row.nlri
    if (row.safi === 133 || row.safi === 134) {
      texts.flow_prefixes = [...row.nlri.matchAll(/\b(destination|source) (\S+)/g)]
        .map(([, name, prefix]) => `${name} ${prefix}`)
        .join(' ')
    }
  }
  return { action: row.action, afi: row.afi, safi: row.safi, texts }
}
