import { ipv4Octets } from './address.ts'
import { Bytes } from './bytes.ts'
import { FAMILIES, type Family } from './nlri.ts'
import { bgpMessage } from './update.ts'

export type Capability =
  | { kind: 'multiprotocol'; family: Family }
  | { kind: 'route-refresh' }
  /** RFC 8950: IPv4 unicast over IPv6 next hops. */
  | { kind: 'extended-next-hop' }
  /** RFC 4724 section 3; `notification` is the N bit of RFC 8538. */
  | {
      kind: 'graceful-restart'
      seconds: number
      families: readonly Family[]
      notification?: boolean
    }
  | { kind: 'as4'; asn: number }
  /** RFC 7911 section 4: 1 receive, 2 send, 3 both. */
  | { kind: 'add-path'; families: readonly Family[]; mode: 1 | 2 | 3 }

export interface Open {
  readonly asn: number
  readonly holdSeconds: number
  readonly bgpId: string
  readonly capabilities: readonly Capability[]
}

const OPEN = 1
const AS_TRANS = 23_456
const CAPABILITIES_PARAMETER = 2

/** OPEN, RFC 4271 section 4.2, each capability in an optional parameter of its own (RFC 5492). */
export function encodeOpen(open: Open): Uint8Array {
  const parameters = new Bytes()
  for (const capability of open.capabilities) {
    const tlv = encodeCapability(capability)
    parameters.u8(CAPABILITIES_PARAMETER).u8(tlv.length).raw(tlv)
  }
  const body = new Bytes()
    .u8(4)
    .u16(open.asn > 0xffff ? AS_TRANS : open.asn)
    .u16(open.holdSeconds)
    .raw(ipv4Octets(open.bgpId))
    .u8(parameters.length)
    .raw(parameters.done())
  return bgpMessage(OPEN, body.done())
}

function encodeCapability(capability: Capability): Uint8Array {
  const tlv = (code: number, value: Bytes): Uint8Array =>
    new Bytes().u8(code).u8(value.length).raw(value.done()).done()
  switch (capability.kind) {
    case 'multiprotocol': {
      const { afi, safi } = FAMILIES[capability.family]
      return tlv(1, new Bytes().u16(afi).u8(0).u8(safi))
    }
    case 'route-refresh':
      return tlv(2, new Bytes())
    case 'extended-next-hop':
      return tlv(5, new Bytes().u16(1).u16(1).u16(2))
    case 'graceful-restart': {
      const value = new Bytes().u16(
        (capability.notification === true ? 0x4000 : 0) | (capability.seconds & 0xfff),
      )
      for (const family of capability.families) {
        const { afi, safi } = FAMILIES[family]
        value.u16(afi).u8(safi).u8(0x80)
      }
      return tlv(64, value)
    }
    case 'as4':
      return tlv(65, new Bytes().u32(capability.asn))
    case 'add-path': {
      const value = new Bytes()
      for (const family of capability.families) {
        const { afi, safi } = FAMILIES[family]
        value.u16(afi).u8(safi).u8(capability.mode)
      }
      return tlv(69, value)
    }
  }
}

/** NOTIFICATION, RFC 4271 section 4.5. */
export function encodeNotification(
  code: number,
  subcode: number,
  data = new Uint8Array(),
): Uint8Array {
  return bgpMessage(3, new Bytes().u8(code).u8(subcode).raw(data).done())
}
