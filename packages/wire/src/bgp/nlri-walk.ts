/**
 * THE HOT PATH, second half: the walk over the NLRI of a field. See `update-index.ts`.
 */
import { DecodeError, type DecodeCode } from '../errors.ts'
import { evpnMulticastRouteFits } from './evpn/multicast.ts'
import { SHAPE_EVPN, SHAPE_OPAQUE, SHAPE_PREFIX, SHAPE_VPN } from './families.ts'
import { walkFamily } from './families/walk.ts'
import { ACTION_WITHDRAW, type NlriField, type NlriSink } from './nlri.ts'
import { fieldPath, lost } from './nlri-errors.ts'
import type { UpdateIndex } from './update-index.ts'

/** What `scanField` found where not all NLRI are there and well formed: each can be told from the next. */
const SCAN_SOME_BAD = -1
/** The list falls apart somewhere. */
const SCAN_LOST = -2
/**
 * Well formed, but the default route comes more than once: path identifiers look so when read plainly.
 * Less the number of NLRI.
 */
const SCAN_ODD = -3

/**
 * Hands every route of `field` to `sink`, in wire order.
 *
 * Path identifiers (RFC 7911): as the session knowledge says, unless the field only makes sense the
 * other way, or much more sense (the default route twice over is octets of a path identifier); then that
 * is done. Without OPENs only form counts. `index.addPathGuessed`: a field was not read as agreed.
 *
 * One bad NLRI costs only what can't be delimited any more: an EVPN route of wrong size is skipped by
 * its length octet, a prefix of wrong size ends its field.
 *
 * @returns the first error of this field; all of them are appended to `index.errors`
 */
export function walkNlri(
  index: UpdateIndex,
  field: NlriField,
  sink: NlriSink,
): DecodeError | undefined {
  if (field.shape >= SHAPE_OPAQUE) return walkFamily(index, field, sink)
  const maxBits = field.afi === 1 ? 32 : 128
  return walkSettled(index, field, maxBits, settlePathIds(index, field, maxBits), sink)
}

/**
 * `walkNlri` for those who want no more than the number of routes: the same checks, errors and guesses, but
 * a well-formed field is gone through once instead of twice.
 *
 * @param sink  counts what it is handed; gets the routes of a field that is not well formed
 * @returns the number of routes, or -1 when `sink` got them
 */
export function countNlri(index: UpdateIndex, field: NlriField, sink: NlriSink): number {
  if (field.shape >= SHAPE_OPAQUE) {
    walkNlri(index, field, sink)
    return -1
  }
  const maxBits = field.afi === 1 ? 32 : 128
  const count = settlePathIds(index, field, maxBits)
  if (count < 0) walkSettled(index, field, maxBits, count, sink)
  return count < 0 ? -1 : count
}

function walkSettled(
  index: UpdateIndex,
  field: NlriField,
  maxBits: number,
  count: number,
  sink: NlriSink,
): DecodeError | undefined {
  switch (field.shape) {
    case SHAPE_PREFIX:
      return walkPrefixes(index, field, maxBits, sink)
    case SHAPE_EVPN:
      return walkEvpn(index, field, count >= 0, sink)
    default:
      return walkLabeled(index, field, maxBits, field.shape === SHAPE_VPN ? 64 : 0, sink)
  }
}

/** Decides whether the field has path identifiers. @returns the number of NLRI; below 0 some are malformed */
function settlePathIds(index: UpdateIndex, field: NlriField, maxBits: number): number {
  const bytes = index.bytes
  let scan = scanField(bytes, field, maxBits, field.addPath)
  // Without OPENs there is nothing that the router could lie about: only form counts.
  if (scan < 0 && (scan > SCAN_ODD || field.negotiated)) {
    const other = scanField(bytes, field, maxBits, !field.addPath)
    const fits = other >= 0 || other <= SCAN_ODD
    if (
      fits &&
      (scan > SCAN_ODD ||
        oddness(bytes, field, maxBits, !field.addPath) <
          oddness(bytes, field, maxBits, field.addPath))
    ) {
      if (field.addPath) index.codec?.showPathIds(field.afi, field.safi, false)
      field.addPath = !field.addPath
      field.against = !field.against
      scan = other
    }
  } else if (field.addPath && field.shape === SHAPE_PREFIX) {
    const plain = doubtPathIds(index, field, maxBits)
    if (plain > 0) {
      field.addPath = false
      field.against = !field.against
      scan = plain
    }
  }
  if (field.against) index.addPathGuessed = true
  return scan <= SCAN_ODD ? SCAN_ODD - scan : scan
}

/** Are all NLRI there and well formed? @returns how many; else SCAN_SOME_BAD, SCAN_LOST or SCAN_ODD */
function scanField(bytes: Uint8Array, field: NlriField, maxBits: number, addPath: boolean): number {
  const shape = field.shape
  const end = field.end
  const idOctets = addPath ? 4 : 0
  let at = field.start
  let count = 0
  if (shape === SHAPE_PREFIX) {
    let defaults = 0
    while (at < end) {
      at += idOctets
      if (at >= end) return SCAN_LOST
      const bits = bytes[at]!
      if (bits > maxBits) return SCAN_LOST
      if (bits === 0) defaults++
      at += 1 + ((bits + 7) >> 3)
      count++
    }
    if (at !== end) return SCAN_LOST
    return defaults > 1 ? SCAN_ODD - count : count
  }
  if (shape === SHAPE_EVPN) {
    let good = true
    while (at < end) {
      at += idOctets
      if (end - at < 2) return SCAN_LOST
      const length = bytes[at + 1]!
      if (at + 2 + length > end) return SCAN_LOST
      // Type 0 is reserved, and what a path identifier begins with.
      if (bytes[at] === 0 || !evpnRouteFits(bytes, bytes[at]!, at + 2, length)) good = false
      at += 2 + length
      count++
    }
    return good ? count : SCAN_SOME_BAD
  }
  const rdBits = shape === SHAPE_VPN ? 64 : 0
  const action = field.action
  while (at < end) {
    at += idOctets
    if (at >= end) return SCAN_LOST
    const bits = bytes[at]!
    const octets = (bits + 7) >> 3
    if (at + 1 + octets > end) return SCAN_LOST
    if (countLabels(bytes, at + 1, bits, rdBits, maxBits, action) < 0) return SCAN_LOST
    at += 1 + octets
    count++
  }
  return count
}

/**
 * How much of a list of prefixes is unlikely: default routes but one, prefixes with bits set beyond their
 * length, very short ones, and IPv6 addresses that nobody has. The list must fit.
 */
function oddness(bytes: Uint8Array, field: NlriField, maxBits: number, addPath: boolean): number {
  const end = field.end
  let at = field.start
  const shortest = maxBits === 32 ? 8 : 16
  let odd = 0
  let defaults = 0
  while (at < end) {
    if (addPath) at += 4
    const bits = bytes[at]!
    const octets = (bits + 7) >> 3
    if (bits === 0) defaults++
    else if (bits < shortest) odd++
    // Of IPv6 only 2000::/3, what is above fc00:: and ::/8 are in use.
    if (maxBits === 128 && bits > 0) {
      const first = bytes[at + 1]!
      if (first !== 0 && first >> 5 !== 1 && first < 0xfc) odd++
    }
    if ((bits & 7) !== 0 && (bytes[at + octets]! & (0xff >> (bits & 7))) !== 0) odd++
    at += 1 + octets
  }
  return odd + Math.max(0, defaults - 1)
}

/**
 * A list that fits with path identifiers: does it look without fault when read plainly, and its first
 * identifier be no small number? Then it is such a list, and the identifiers were left out: two IPv4
 * prefixes of 24 bits each make one with an identifier. A router that has shown its identifiers in a field
 * that fits in no other way is not doubted: one in a thousand random identifiers looks like a prefix.
 *
 * @returns the number of prefixes without identifiers, or -1
 */
function doubtPathIds(index: UpdateIndex, field: NlriField, maxBits: number): number {
  const { bytes, codec } = index
  if (codec?.pathIdsShown(field.afi, field.safi) === true) return -1
  const plain = scanField(bytes, field, maxBits, false)
  if (plain === SCAN_LOST) codec?.showPathIds(field.afi, field.safi, true)
  const faultless =
    plain > 0 && bytes[field.start] !== 0 && oddness(bytes, field, maxBits, false) === 0
  return faultless ? plain : -1
}

/** RFC 4271 section 4.3, RFC 4760 section 5: { path_id => U32 }?, length => U8 (bits), prefix. */
function walkPrefixes(
  index: UpdateIndex,
  field: NlriField,
  maxBits: number,
  sink: NlriSink,
): DecodeError | undefined {
  const bytes = index.bytes
  const view = index.view
  const end = field.end
  const addPath = field.addPath
  let at = field.start
  let pathId = 0
  while (at < end) {
    if (addPath) {
      if (end - at < 5)
        return lost(
          index,
          field,
          at,
          `${end - at} octets left, expected a path identifier and a prefix`,
        )
      pathId = view.getUint32(at)
      at += 4
    }
    const bits = bytes[at]!
    if (bits > maxBits)
      return lost(index, field, at, `prefix length ${bits}, expected at most ${maxBits}`)
    const octets = (bits + 7) >> 3
    if (at + 1 + octets > end)
      return lost(index, field, at, `prefix of ${octets} octets, ${end - at - 1} left`)
    sink.prefix(bytes, at + 1, bits, pathId, -1, 0, -1)
    at += 1 + octets
  }
  return undefined
}

/**
 * RFC 8277 section 2.2 and 2.3, RFC 4364 section 4.3.4:
 * { path_id => U32 }?, length => U8 (bits of all that follows), labels => 3 each, rd => 8 (VPN), prefix
 */
function walkLabeled(
  index: UpdateIndex,
  field: NlriField,
  maxBits: number,
  rdBits: number,
  sink: NlriSink,
): DecodeError | undefined {
  const bytes = index.bytes
  const view = index.view
  const end = field.end
  const addPath = field.addPath
  const action = field.action
  let at = field.start
  let pathId = 0
  while (at < end) {
    if (addPath) {
      if (end - at < 5)
        return lost(
          index,
          field,
          at,
          `${end - at} octets left, expected a path identifier and a prefix`,
        )
      pathId = view.getUint32(at)
      at += 4
    }
    const bits = bytes[at]!
    const octets = (bits + 7) >> 3
    if (at + 1 + octets > end)
      return lost(index, field, at, `NLRI of ${octets} octets, ${end - at - 1} left`)
    const labels = countLabels(bytes, at + 1, bits, rdBits, maxBits, action)
    if (labels < 0)
      return lost(
        index,
        field,
        at,
        `NLRI of ${bits} bits has no room for a label${rdBits > 0 ? ', a route distinguisher' : ''} and a prefix of at most ${maxBits} bits`,
      )
    const labelsAt = at + 1
    const afterLabels = labelsAt + 3 * labels
    const filler = action === ACTION_WITHDRAW && isFillerLabel(bytes, labelsAt)
    sink.prefix(
      bytes,
      afterLabels + (rdBits >> 3),
      bits - 24 * labels - rdBits,
      pathId,
      filler ? -1 : labelsAt,
      filler ? 0 : labels,
      rdBits > 0 ? afterLabels : -1,
    )
    at += 1 + octets
  }
  return undefined
}

/**
 * Labels in front of a prefix of `bits` bits in all, or -1 when they don't fit. The bottom-of-stack bit
 * ends the stack. A withdrawal has one field of 24 bits whatever is in it (RFC 8277 section 2.4); zero
 * and 0x800000 end a stack too. A sender that never sets the bit still gets its one label out.
 */
function countLabels(
  bytes: Uint8Array,
  at: number,
  bits: number,
  rdBits: number,
  maxBits: number,
  action: number,
): number {
  const room = bits - rdBits
  if (room < 24) return -1
  let labels = 0
  let p = at
  for (;;) {
    const raw = (bytes[p]! << 16) | (bytes[p + 1]! << 8) | bytes[p + 2]!
    labels++
    p += 3
    if ((raw & 1) !== 0 || raw === 0x800000 || raw === 0) break
    if (action === ACTION_WITHDRAW && room - 24 <= maxBits) break
    if (room - 24 * labels < 24) {
      labels = 1
      break
    }
  }
  return room - 24 * labels > maxBits ? -1 : labels
}

function isFillerLabel(bytes: Uint8Array, at: number): boolean {
  return (bytes[at] === 0x80 || bytes[at] === 0) && bytes[at + 1] === 0 && bytes[at + 2] === 0
}

/** RFC 7432 section 7: { path_id => U32 }?, route_type => U8, length => U8 (octets), specific part. */
function walkEvpn(
  index: UpdateIndex,
  field: NlriField,
  good: boolean,
  sink: NlriSink,
): DecodeError | undefined {
  const bytes = index.bytes
  const view = index.view
  const end = field.end
  const addPath = field.addPath
  let at = field.start
  let pathId = 0
  let first: DecodeError | undefined
  while (at < end) {
    if (end - at < (addPath ? 6 : 2)) {
      const error = lost(index, field, at, `${end - at} octets left, expected a route`)
      return first ?? error
    }
    if (addPath) {
      pathId = view.getUint32(at)
      at += 4
    }
    const routeType = bytes[at]!
    const length = bytes[at + 1]!
    const value = at + 2
    if (value + length > end) {
      const error = lost(
        index,
        field,
        at,
        `route type ${routeType} of ${length} octets, ${end - value} left`,
      )
      return first ?? error
    }
    if (good || evpnRouteFits(bytes, routeType, value, length)) {
      sink.evpn(bytes, routeType, value, value + length, pathId)
    } else {
      const error = badEvpnRoute(field, bytes, routeType, value, length)
      index.addError(error)
      first ??= error
    }
    at = value + length
  }
  return first
}

/** Do the lengths inside an EVPN route agree? Types beyond 11 are not looked into. */
export function evpnRouteFits(
  bytes: Uint8Array,
  routeType: number,
  at: number,
  length: number,
): boolean {
  switch (routeType) {
    case 1:
      return length === 25
    case 2: {
      if (length < 33 || bytes[at + 22] !== 48) return false
      const ip = bytes[at + 29]!
      if (ip !== 0 && ip !== 32 && ip !== 128) return false
      const base = 33 + (ip >> 3)
      return length === base || length === base + 3
    }
    case 3:
      return (length === 17 && bytes[at + 12] === 32) || (length === 29 && bytes[at + 12] === 128)
    case 4:
      return (length === 23 && bytes[at + 18] === 32) || (length === 35 && bytes[at + 18] === 128)
    case 5:
      return (length === 34 && bytes[at + 22]! <= 32) || (length === 58 && bytes[at + 22]! <= 128)
    default:
      return evpnMulticastRouteFits(bytes, routeType, at, length)
  }
}

const EVPN_SPECS = [
  '',
  'RFC 7432 section 7.1',
  'RFC 7432 section 7.2',
  'RFC 7432 section 7.3',
  'RFC 7432 section 7.4',
  'RFC 9136 section 3.1',
  'RFC 9251 section 9.1',
  'RFC 9251 section 9.2',
  'RFC 9251 section 9.3',
  'RFC 9572 section 3.1',
  'RFC 9572 section 3.2',
  'RFC 9572 section 3.3',
]

/** Which octet is wrong in a route that `evpnRouteFits` turned down. */
function badEvpnRoute(
  field: NlriField,
  bytes: Uint8Array,
  routeType: number,
  at: number,
  length: number,
): DecodeError {
  let code: DecodeCode = 'BAD_LENGTH'
  let offset = at - 1
  let octets = 1 + length
  let detail = `route of ${length} octets`
  const octet = (where: number, what: string, allowed: string): void => {
    code = 'BAD_VALUE'
    offset = at + where
    octets = 1
    detail = `${what} ${bytes[at + where]!} bits, expected ${allowed}`
  }
  if (routeType === 1) detail += ', expected 25'
  else if (routeType === 2) {
    if (length < 33) detail += ', expected at least 33'
    else if (bytes[at + 22] !== 48) octet(22, 'MAC length', '48')
    else {
      const ip = bytes[at + 29]!
      if (ip !== 0 && ip !== 32 && ip !== 128) octet(29, 'IP length', '0, 32 or 128')
      else detail += `, expected ${33 + ip / 8} or ${36 + ip / 8} with an IP of ${ip} bits`
    }
  } else if (routeType === 3) {
    if (length === 17 || length === 29) octet(12, 'IP length', length === 17 ? '32' : '128')
    else detail += ', expected 17 or 29'
  } else if (routeType === 4) {
    if (length === 23 || length === 35) octet(18, 'IP length', length === 23 ? '32' : '128')
    else detail += ', expected 23 or 35'
  } else if (routeType > 5) detail += ' whose lengths do not agree'
  else if (length === 34 || length === 58)
    octet(22, 'prefix length', length === 34 ? 'at most 32' : 'at most 128')
  else detail += ', expected 34 or 58'
  return new DecodeError(code, detail, {
    offset,
    length: octets,
    path: `${fieldPath(field)}.evpn(${routeType})`,
    spec: EVPN_SPECS[routeType] ?? 'RFC 7432 section 7',
    // RFC 7606 section 5.4: a typed NLRI of a known type that is malformed is discarded alone.
    handling: 'treat-as-withdraw',
  })
}
