import { cursorOver } from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { SAFI_VPN_MULTICAST, SHAPE_FAMILY } from '../families.ts'
import { toHex } from '../../text/hex.ts'
import type { NlriField, NlriSink } from '../nlri.ts'
import { fieldPath, lost } from '../nlri-errors.ts'
import type { UpdateIndex } from '../update-index.ts'
import type { NlriFamily, FamilyNlri } from './family.ts'
import { familyOf } from './index.ts'

interface Entry {
  readonly start: number
  readonly end: number
  readonly pathId: number
  readonly nlri: FamilyNlri | DecodeError
}

interface List {
  readonly entries: readonly Entry[]
  /** Everything is there and as it should be. */
  readonly good: boolean
  /** Octet for octet the same NLRI is there more than once. */
  readonly twice: boolean
  /** Where the list falls apart, or -1. */
  readonly lostAt: number
  readonly detail: string
}

/**
 * The same for families that `familyOf` knows and for multicast VPN routes as `walkNlri` does for the
 * frequent ones: the NLRI that can be told apart each go to `sink.family`, or to `sink.prefix`.
 */
export function walkFamily(
  index: UpdateIndex,
  field: NlriField,
  sink: NlriSink,
): DecodeError | undefined {
  if (field.shape === SHAPE_FAMILY && field.safi === SAFI_VPN_MULTICAST)
    return walkVpnMulticast(index, field, sink)
  const family = familyOf(field.afi, field.safi)
  if (family === undefined) {
    sink.opaque(index.bytes, field.start, field.end)
    return undefined
  }
  const list = chosen(index, field, (addPath) => readList(index, field, family, addPath))
  let first: DecodeError | undefined
  for (const { start, end, pathId, nlri } of list.entries) {
    if (nlri instanceof DecodeError) {
      index.addError(nlri)
      first ??= nlri
      continue
    }
    for (const fault of nlri.faults ?? []) {
      index.addError(fault)
      first ??= fault
    }
    sink.family(index.bytes, nlri, start, end, pathId)
  }
  if (list.lostAt >= 0) {
    const error = lost(index, field, list.lostAt, list.detail)
    first ??= error
  }
  return first
}

/**
 * Path identifiers as the session knowledge says, unless the field only makes sense the other way: not
 * well formed, or (where there is session knowledge to doubt) with a route in it twice.
 */
function chosen<L extends { readonly good: boolean; readonly twice: boolean }>(
  index: UpdateIndex,
  field: NlriField,
  read: (addPath: boolean) => L,
): L {
  let list = read(field.addPath)
  if (!list.good || (list.twice && field.negotiated)) {
    const other = read(!field.addPath)
    if (other.good && !other.twice) {
      field.addPath = !field.addPath
      field.against = !field.against
      list = other
    }
  }
  if (field.against) index.addPathGuessed = true
  return list
}

function readList(
  index: UpdateIndex,
  field: NlriField,
  family: NlriFamily,
  addPath: boolean,
): List {
  const { bytes, view } = index
  const path = `${fieldPath(field)}.${family.name}`
  const entries: Entry[] = []
  const seen = new Set<string>()
  let good = true
  let at = field.start
  const until = (detail: string): List => ({
    entries,
    good: false,
    twice: false,
    lostAt: at,
    detail,
  })
  while (at < field.end) {
    const left = field.end - at
    const start = addPath ? at + 4 : at
    if (start >= field.end) return until(`${left} octets left, expected a path identifier and NLRI`)
    const end = family.cut(bytes, start, field.end)
    if (end < 0) return until(`${left} octets left, expected NLRI`)
    if (end > field.end) return until(`NLRI of ${end - start} octets, ${field.end - start} left`)
    const nlri = decodeOne(index, field, family, path, start, end)
    if (nlri instanceof DecodeError || nlri.faults !== undefined) good = false
    const pathId = addPath ? view.getUint32(at) : 0
    entries.push({ start, end, pathId, nlri })
    seen.add(`${pathId} ${toHex(bytes, start, end)}`)
    at = end
  }
  return { entries, good, twice: good && seen.size < entries.length, lostAt: -1, detail: '' }
}

function decodeOne(
  { bytes, view }: UpdateIndex,
  { afi, safi }: NlriField,
  family: NlriFamily,
  path: string,
  start: number,
  end: number,
): FamilyNlri | DecodeError {
  try {
    return family.decode(cursorOver(bytes, start, end, path, family.spec, view), afi, safi)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const { code, detail, offset, length, path: where, spec } = error
    // RFC 7606 section 5.4: a typed NLRI that is malformed is discarded alone.
    return new DecodeError(code, detail, {
      offset,
      length,
      path: where,
      spec,
      handling: 'treat-as-withdraw',
    })
  }
}

const RD_BITS = 64
const LABEL_BITS = 24

interface VpnPrefix {
  readonly at: number
  readonly bits: number
  readonly pathId: number
  readonly labelled: boolean
}

interface VpnList {
  readonly prefixes: readonly VpnPrefix[]
  readonly good: boolean
  readonly twice: false
  readonly lostAt: number
  readonly detail: string
}

/**
 * SAFI 129, multicast sources in VPNs (RFC 6513 section 5.1): length => U8 (bits), rd => 8, prefix. Some
 * senders put a label in front as in SAFI 128: where no route distinguisher of a known type stands
 * there but behind three octets one does, that is taken for a label.
 */
function walkVpnMulticast(
  index: UpdateIndex,
  field: NlriField,
  sink: NlriSink,
): DecodeError | undefined {
  const list = chosen(index, field, (addPath) => readVpnList(index, field, addPath))
  for (const { at, bits, pathId, labelled } of list.prefixes) {
    const rdAt = labelled ? at + 3 : at
    const prefixBits = bits - RD_BITS - (labelled ? LABEL_BITS : 0)
    sink.prefix(
      index.bytes,
      rdAt + 8,
      prefixBits,
      pathId,
      labelled ? at : -1,
      labelled ? 1 : 0,
      rdAt,
    )
  }
  return list.lostAt < 0 ? undefined : lost(index, field, list.lostAt, list.detail)
}

function readVpnList({ bytes, view }: UpdateIndex, field: NlriField, addPath: boolean): VpnList {
  const maxBits = field.afi === 1 ? 32 : 128
  const prefixes: VpnPrefix[] = []
  let at = field.start
  const until = (detail: string): VpnList => ({
    prefixes,
    good: false,
    twice: false,
    lostAt: at,
    detail,
  })
  while (at < field.end) {
    const start = addPath ? at + 4 : at
    if (start >= field.end) return until(`${field.end - at} octets left, expected NLRI`)
    const bits = bytes[start]!
    const end = start + 1 + ((bits + 7) >> 3)
    if (end > field.end) return until(`NLRI of ${bits} bits, ${field.end - start - 1} octets left`)
    const plain = bits >= RD_BITS && bits - RD_BITS <= maxBits
    const withLabel = bits >= RD_BITS + LABEL_BITS && bits - RD_BITS - LABEL_BITS <= maxBits
    if (!plain && !withLabel) {
      return until(`NLRI of ${bits} bits: no route distinguisher and prefix of at most ${maxBits}`)
    }
    const labelled =
      withLabel && (!plain || (!isKnownRd(bytes, start + 1) && isKnownRd(bytes, start + 4)))
    prefixes.push({ at: start + 1, bits, pathId: addPath ? view.getUint32(at) : 0, labelled })
    at = end
  }
  return { prefixes, good: true, twice: false, lostAt: -1, detail: '' }
}

/** Types 0, 1 and 2, RFC 4364 section 4.2. */
function isKnownRd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + 1]! <= 2
}
