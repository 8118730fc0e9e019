import { PeerHeader } from '../bmp/peer-header.ts'
import { updatePduAt } from '../bmp/route-monitoring-pdu.ts'
import type { FamilyNlri } from '../bgp/families/family.ts'
import type { NlriField, NlriSink } from '../bgp/nlri.ts'
import { walkNlri } from '../bgp/nlri-walk.ts'
import type { PeerCodec } from '../bgp/peer-codec.ts'
import { isEndOfRib, UpdateIndex } from '../bgp/update-index.ts'
import { viewOf } from '../cursor.ts'
import type { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { formatPrefix } from '../text/ip.ts'
import { formatEvpnNlri, formatRd, labelNumber } from '../text/values.ts'

/** Test helper: renders what the hot path hands out, a line per route: `+` announce, `-` withdraw. */
export class RouteTextSink implements NlriSink {
  routes: string[] = []
  /** By `afi/safi` and sign. */
  counts = new Map<string, number>()
  /** EVPN routes as the hex of the whole NLRI instead of their text. */
  evpnAsHex = false
  field!: NlriField

  prefix(
    bytes: Uint8Array,
    at: number,
    bits: number,
    pathId: number,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void {
    const labels = Array.from({ length: labelCount }, (_, i) =>
      labelNumber(bytes, labelsAt + 3 * i),
    )
    const rd = rdAt < 0 ? '' : `${formatRd(bytes, rdAt)}:`
    const prefix = formatPrefix(bytes, at, bits, this.field.afi === 2)
    this.#push(`${rd}${prefix}${labelCount > 0 ? ` [${labels.join(' ')}]` : ''}`, pathId)
  }

  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void {
    const hex = toHex(bytes, start - 2, end)
    this.#push(this.evpnAsHex ? hex : formatEvpnNlri(bytes, routeType, start, end), pathId)
  }

  family(_bytes: Uint8Array, nlri: FamilyNlri, _start: number, _end: number, pathId: number): void {
    const labels = nlri.labels === undefined ? '' : ` [${nlri.labels.join(' ')}]`
    this.#push(`${nlri.route.nlri}${labels}`, pathId)
  }

  opaque(bytes: Uint8Array, start: number, end: number): void {
    this.#push(`0x${toHex(bytes, start, end)}`, 0)
  }

  #push(text: string, pathId: number): void {
    const sign = this.field.action === 0 ? '+' : '-'
    this.routes.push(`${sign}${text}${this.field.addPath ? ` #${pathId}` : ''}`)
    const key = `${sign}${this.field.afi}/${this.field.safi}`
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
  }
}

export interface ReadUpdate {
  readonly index: UpdateIndex
  readonly routes: readonly string[]
  readonly errors: readonly DecodeError[]
  readonly endOfRib: { afi: number; safi: number } | undefined
}

/** Test helper: one UPDATE that stands alone. */
export function readUpdate(
  message: Uint8Array,
  codec?: PeerCodec,
  header?: PeerHeader,
  sink: RouteTextSink = new RouteTextSink(),
  start = 0,
  end: number = message.length,
): ReadUpdate {
  const index = new UpdateIndex()
  index.read(message, viewOf(message), start, end, codec, header)
  sink.routes = []
  for (let i = 0; i < index.fieldCount; i++) {
    sink.field = index.fields[i]!
    walkNlri(index, sink.field, sink)
  }
  return { index, routes: sink.routes, errors: index.errors, endOfRib: isEndOfRib(index) }
}

/** Test helper: the UPDATE in a Route Monitoring message. */
export function readRouteMonitoring(
  bytes: Uint8Array,
  start: number,
  end: number,
  codec: PeerCodec | undefined,
  sink: RouteTextSink,
): ReadUpdate {
  const view = viewOf(bytes)
  const header = new PeerHeader()
  header.read(bytes, view, start + 6, end)
  return readUpdate(bytes, codec, header, sink, updatePduAt(bytes, view, start, end), end)
}
