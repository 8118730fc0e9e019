import { attribute, encodeAttributes, isClassic, type Attributes } from './attributes.ts'
import { Bytes, concat } from './bytes.ts'
import { encodeNlri, FAMILIES, type Family, type Nlri } from './nlri.ts'

const UPDATE = 2
const MAX_MESSAGE_OCTETS = 4096
const MP_UNREACH_NLRI = 15

/** Marker, length and type, RFC 4271 section 4.1. */
export function bgpMessage(type: number, body: Uint8Array): Uint8Array {
  return new Bytes()
    .raw(new Uint8Array(16).fill(0xff))
    .u16(19 + body.length)
    .u8(type)
    .raw(body)
    .done()
}

function update(withdrawn: Uint8Array, attributes: Uint8Array, nlri: Uint8Array): Uint8Array {
  const body = new Bytes().u16(withdrawn.length).raw(withdrawn)
  body.u16(attributes.length).raw(attributes).raw(nlri)
  return bgpMessage(UPDATE, body.done())
}

/** One or more UPDATEs, none above 4096 octets, that announce these routes of one family. */
export function encodeAnnouncements(
  family: Family,
  attrs: Attributes,
  nlri: readonly Nlri[],
): Uint8Array[] {
  const message = isClassic(family, attrs)
    ? update(new Uint8Array(), encodeAttributes(attrs, family, []), concat(nlri.map(encodeNlri)))
    : update(new Uint8Array(), encodeAttributes(attrs, family, nlri), new Uint8Array())
  return halve(message, nlri, (part) => encodeAnnouncements(family, attrs, part))
}

/** One or more UPDATEs that withdraw these routes of one family. */
export function encodeWithdrawals(family: Family, nlri: readonly Nlri[]): Uint8Array[] {
  const routes = concat(nlri.map(encodeNlri))
  const message =
    family === 'ipv4'
      ? update(routes, new Uint8Array(), new Uint8Array())
      : update(new Uint8Array(), mpUnreach(family, routes), new Uint8Array())
  return halve(message, nlri, (part) => encodeWithdrawals(family, part))
}

/** RFC 4724 section 2: an empty UPDATE for IPv4 unicast, else an empty MP_UNREACH_NLRI. */
export function encodeEndOfRib(family: Family): Uint8Array {
  const none = new Uint8Array()
  return update(none, family === 'ipv4' ? none : mpUnreach(family, none), none)
}

function mpUnreach(family: Family, routes: Uint8Array): Uint8Array {
  const { afi, safi } = FAMILIES[family]
  const value = new Bytes().u16(afi).u8(safi).raw(routes).done()
  return attribute(0x80, MP_UNREACH_NLRI, value)
}

function halve(
  message: Uint8Array,
  nlri: readonly Nlri[],
  encode: (part: readonly Nlri[]) => Uint8Array[],
): Uint8Array[] {
  if (message.length <= MAX_MESSAGE_OCTETS || nlri.length < 2) return [message]
  const middle = nlri.length >> 1
  return [...encode(nlri.slice(0, middle)), ...encode(nlri.slice(middle))]
}
