import { viewOf } from '../cursor.ts'
import type { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'
import { formatIP, formatIPv6, formatPrefix } from '../text/ip.ts'
import { formatRd, labelNumber } from '../text/values.ts'
import { formatSegments, mergeAs4Path } from './attributes/attr-17-as4-path.ts'
import { decodeAttributes, type Attribute } from './attributes/index.ts'
import { decodeEvpnRoute, type EvpnRoute } from './evpn/nlri.ts'
import type { FamilyNlri, FamilyRoute } from './families/family.ts'
import { AFI_IPV4, familyName, SHAPE_OPAQUE } from './families.ts'
import type { BgpContext } from './message.ts'
import { ACTION_WITHDRAW, type NlriField, type NlriSink } from './nlri.ts'
import { walkNlri } from './nlri-walk.ts'
import { isEndOfRib, UpdateIndex } from './update-index.ts'

/** A unicast, multicast, labelled unicast or VPN route. */
export interface PrefixRoute {
  readonly kind: 'prefix'
  /** Canonical text; VPN: `RD:PREFIX`. */
  readonly nlri: string
  readonly prefix: string
  /** null without ADD-PATH. */
  readonly pathId: number | null
  readonly rd: string
  /** 20-bit numbers, top of stack first. */
  readonly labels: readonly number[]
}

export type Route =
  | PrefixRoute
  | (EvpnRoute & { readonly pathId: number | null })
  | (FamilyRoute & { readonly pathId: number | null })
  /** A family that isn't decoded: its whole field. */
  | { readonly kind: 'opaque'; readonly nlri: string; readonly raw: string }

/** The routes of one field of an UPDATE: they share family and next hop. */
export interface RouteGroup {
  readonly afi: number
  readonly safi: number
  readonly family: string
  /** '' where the UPDATE has none, which is legal here, and for withdrawals. */
  readonly nextHop: string
  readonly nextHopLinkLocal: string
  /**
   * An IPv6 next hop of IPv4 routes: did both OPENs allow it (RFC 8950 section 4)? It is read either way.
   * null where it needs no agreement, or the OPENs aren't known.
   */
  readonly nextHopAgreed: boolean | null
  /** How many routes there are; null for a family that isn't decoded: how many its field holds is not known. */
  readonly count: number | null
  readonly routes: readonly Route[]
}

export interface BgpUpdate {
  readonly type: 'update'
  readonly endOfRib: { readonly afi: number; readonly safi: number; readonly family: string } | null
  readonly withdrawn: readonly RouteGroup[]
  readonly announced: readonly RouteGroup[]
  readonly attributes: readonly Attribute[]
  /** AS_PATH of 2-octet numbers and AS4_PATH merged (RFC 6793 section 4.2.3); null where there is nothing to merge. */
  readonly mergedAsPath: string | null
  /** Octets per AS number as found. */
  readonly asOctets: 2 | 4
  /** The per-peer header (or the OPENs) said otherwise. */
  readonly asWidthLied: boolean
  /** Path identifiers were found, or not found, against what the OPENs say. */
  readonly addPathGuessed: boolean
}

/** Collects one field's routes as plain objects. */
class RouteSink implements NlriSink {
  routes: Route[] = []
  #field: NlriField | undefined

  begin(field: NlriField): void {
    this.routes = []
    this.#field = field
  }

  prefix(
    bytes: Uint8Array,
    at: number,
    bits: number,
    pathId: number,
    labelsAt: number,
    labelCount: number,
    rdAt: number,
  ): void {
    const prefix = formatPrefix(bytes, at, bits, this.#field?.afi === 2)
    const rd = rdAt < 0 ? '' : formatRd(bytes, rdAt)
    const labels: number[] = []
    for (let i = 0; i < labelCount; i++) labels.push(labelNumber(bytes, labelsAt + 3 * i))
    const nlri = rd === '' ? prefix : `${rd}:${prefix}`
    this.routes.push({ kind: 'prefix', nlri, prefix, pathId: this.#identifier(pathId), rd, labels })
  }

  evpn(bytes: Uint8Array, routeType: number, start: number, end: number, pathId: number): void {
    const route = decodeEvpnRoute(bytes, routeType, start, end)
    this.routes.push({ ...route, pathId: this.#identifier(pathId) })
  }

  family(
    _bytes: Uint8Array,
    { route }: FamilyNlri,
    _start: number,
    _end: number,
    pathId: number,
  ): void {
    this.routes.push({ ...route, pathId: this.#identifier(pathId) })
  }

  opaque(bytes: Uint8Array, start: number, end: number): void {
    const raw = toHex(bytes, start, end)
    this.routes.push({ kind: 'opaque', nlri: `0x${raw}`, raw })
  }

  /** `walkNlri` settles `addPath` before the first route. */
  #identifier(pathId: number): number | null {
    return this.#field?.addPath === true ? pathId : null
  }
}

const index = new UpdateIndex()
const sink = new RouteSink()

/**
 * The UPDATE at `start` as plain data, on the same index as the hot path: there is no second decoder.
 *
 * @param end  one past the last octet there is; the message's own length decides where it ends
 */
export function decodeUpdate(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number,
  context: BgpContext = {},
): { update: BgpUpdate; errors: DecodeError[]; end: number } {
  index.read(bytes, view, start, end, context.codec, context.header)
  index.checkAsPathNumbers()
  const withdrawn: RouteGroup[] = []
  const announced: RouteGroup[] = []
  for (let i = 0; i < index.fieldCount; i++) {
    const field = index.fields[i]!
    sink.begin(field)
    walkNlri(index, field, sink)
    const group = {
      afi: field.afi,
      safi: field.safi,
      family: familyName(field.afi, field.safi),
      nextHop: nextHopText(bytes, field),
      nextHopLinkLocal:
        field.nextHopLinkLocalAt < 0 ? '' : formatIPv6(bytes, field.nextHopLinkLocalAt),
      nextHopAgreed: nextHopAgreed(field, context.codec),
      count: field.shape === SHAPE_OPAQUE ? null : sink.routes.length,
      routes: sink.routes,
    }
    if (field.action === ACTION_WITHDRAW) withdrawn.push(group)
    else announced.push(group)
  }
  const eor = isEndOfRib(index)
  const attributes = decodeAttributes(index)
  const merged = mergeAs4Path(index)
  const update: BgpUpdate = {
    type: 'update',
    endOfRib: eor === undefined ? null : { ...eor, family: familyName(eor.afi, eor.safi) },
    withdrawn,
    announced,
    attributes,
    mergedAsPath: merged === undefined ? null : formatSegments(merged),
    asOctets: index.asOctets,
    asWidthLied: index.asWidthLied,
    addPathGuessed: index.addPathGuessed,
  }
  return { update, errors: [...index.errors], end: index.end }
}

/** An UPDATE that stands alone. */
export function parseUpdate(bytes: Uint8Array, context: BgpContext = {}): BgpUpdate {
  return decodeUpdate(bytes, viewOf(bytes), 0, bytes.length, context).update
}

function nextHopAgreed(field: NlriField, codec: BgpContext['codec']): boolean | null {
  const other = field.afi === AFI_IPV4 && field.nextHopGlobalOctets === 16
  if (!other || field.action === ACTION_WITHDRAW || codec?.negotiated !== true) return null
  return codec.extendedNextHop(field.afi, field.safi)
}

function nextHopText(bytes: Uint8Array, field: NlriField): string {
  if (field.nextHopGlobalOctets > 0) {
    return formatIP(bytes, field.nextHopGlobalAt, field.nextHopGlobalOctets)
  }
  if (field.nextHopLen === 0) return ''
  return `0x${toHex(bytes, field.nextHopAt, field.nextHopAt + field.nextHopLen)}`
}
