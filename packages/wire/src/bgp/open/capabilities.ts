import {
  cursorOver,
  enter,
  fail,
  readU16,
  readU32,
  readU8,
  remaining,
  type Cursor,
} from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { toHex } from '../../text/hex.ts'
import { toText } from '../../text/strings.ts'

export interface Family {
  readonly afi: number
  readonly safi: number
}

/** One capability of an OPEN, RFC 5492 section 4. `code` is the wire's; unknown ones stay raw. */
export type Capability =
  /** RFC 4760 section 8. */
  | {
      readonly kind: 'multiprotocol'
      readonly code: 1
      readonly afi: number
      readonly safi: number
    }
  /** RFC 2918 section 2; 128 is Cisco's number for it before that. */
  | { readonly kind: 'route_refresh'; readonly code: 2 | 128 }
  /** RFC 5291 section 5; 130 is Cisco's number for it before that. Direction: 1 receive, 2 send, 3 both. */
  | {
      readonly kind: 'orf'
      readonly code: 3 | 130
      readonly families: readonly (Family & {
        readonly types: readonly { readonly type: number; readonly sendReceive: number }[]
      })[]
    }
  /** RFC 3107 section 4, deprecated by RFC 8277. */
  | { readonly kind: 'multiple_routes'; readonly code: 4 }
  /** RFC 8950 section 4. */
  | {
      readonly kind: 'extended_next_hop'
      readonly code: 5
      readonly families: readonly (Family & { readonly nextHopAfi: number })[]
    }
  /** RFC 8654 section 3. */
  | { readonly kind: 'extended_message'; readonly code: 6 }
  /** RFC 8205 section 2.1. */
  | {
      readonly kind: 'bgpsec'
      readonly code: 7
      readonly version: number
      readonly direction: 'receive' | 'send'
      readonly afi: number
    }
  /** RFC 8277 section 2.1. */
  | {
      readonly kind: 'multiple_labels'
      readonly code: 8
      readonly families: readonly (Family & { readonly count: number })[]
    }
  /** RFC 9234 section 4.1: 0 provider, 1 RS, 2 RS-client, 3 customer, 4 peer. */
  | { readonly kind: 'role'; readonly code: 9; readonly role: number }
  /** RFC 4724 section 3, RFC 8538 section 2 (N bit). */
  | {
      readonly kind: 'graceful_restart'
      readonly code: 64
      readonly restarting: boolean
      readonly notification: boolean
      readonly restartTimeS: number
      readonly families: readonly (Family & { readonly forwardingKept: boolean })[]
    }
  /** RFC 6793 section 3. */
  | { readonly kind: 'as4'; readonly code: 65; readonly asn: number }
  /** draft-ietf-idr-dynamic-cap section 3; 66 is its number before. Codes that may change in the session. */
  | { readonly kind: 'dynamic'; readonly code: 66 | 67; readonly codes: readonly number[] }
  /** draft-ietf-idr-bgp-multisession section 4; 131 is Cisco's number. Codes that tell sessions apart. */
  | {
      readonly kind: 'multisession'
      readonly code: 68 | 131
      readonly flags: number
      readonly codes: readonly number[]
    }
  /** RFC 7911 section 4: 1 receive, 2 send, 3 both. */
  | {
      readonly kind: 'add_path'
      readonly code: 69
      readonly families: readonly (Family & { readonly sendReceive: number })[]
    }
  /** RFC 7313 section 3.1. */
  | { readonly kind: 'enhanced_route_refresh'; readonly code: 70 }
  /** RFC 9494 section 3. */
  | {
      readonly kind: 'llgr'
      readonly code: 71
      readonly families: readonly (Family & {
        readonly forwardingKept: boolean
        readonly staleTimeS: number
      })[]
    }
  /** draft-ietf-idr-rpd section 4.3: 1 receive, 2 send, 3 both. */
  | {
      readonly kind: 'routing_policy'
      readonly code: 72
      readonly families: readonly (Family & { readonly sendReceive: number })[]
    }
  /** draft-ietf-idr-bgp-bfd-strict-mode section 4. */
  | { readonly kind: 'bfd_strict'; readonly code: 74 }
  /** draft-abraitis-idr-addpath-paths-limit section 2. */
  | {
      readonly kind: 'paths_limit'
      readonly code: 76
      readonly families: readonly (Family & { readonly limit: number })[]
    }
  /** draft-ietf-idr-linklocal-capability section 3. */
  | { readonly kind: 'link_local_next_hop'; readonly code: 77 }
  /** draft-walton-bgp-hostname-capability section 3. */
  | { readonly kind: 'fqdn'; readonly code: 73; readonly hostname: string; readonly domain: string }
  /** draft-abraitis-bgp-version-capability section 2. */
  | { readonly kind: 'software_version'; readonly code: 75; readonly version: string }
  | { readonly kind: 'raw'; readonly code: number; readonly raw: string }

/**
 * Capabilities, one after another: { code => U8, length => U8, value => length octets } 0..n
 *
 * @param c  the value of an optional parameter of type 2
 * @param errors  gets what could not be read; that capability is kept raw
 */
export function decodeCapabilities(c: Cursor, errors: DecodeError[]): Capability[] {
  const found: Capability[] = []
  while (remaining(c) > 0) {
    try {
      const code = readU8(c)
      const length = readU8(c)
      const value = enter(c, length, `capability(${code})`)
      const start = value.pos
      try {
        found.push(decodeCapability(code, value))
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        errors.push(error)
        found.push({ kind: 'raw', code, raw: toHex(c.bytes, start, value.end) })
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      errors.push(error)
      break
    }
  }
  return found
}

function decodeCapability(code: number, c: Cursor): Capability {
  switch (code) {
    case 1: {
      const at = c.pos
      const afi = readU16(c)
      readU8(c) // Reserved.
      const safi = readU8(c)
      finish(c, at)
      return { kind: 'multiprotocol', code, afi, safi }
    }
    case 2:
    case 128:
      finish(c, c.pos)
      return { kind: 'route_refresh', code }
    case 3:
    case 130: {
      const families: {
        afi: number
        safi: number
        types: { type: number; sendReceive: number }[]
      }[] = []
      while (remaining(c) > 0) {
        const afi = readU16(c)
        readU8(c) // Reserved.
        const safi = readU8(c)
        const count = readU8(c)
        const types: { type: number; sendReceive: number }[] = []
        for (let i = 0; i < count; i++) types.push({ type: readU8(c), sendReceive: readU8(c) })
        families.push({ afi, safi, types })
      }
      return { kind: 'orf', code, families }
    }
    case 4:
      finish(c, c.pos)
      return { kind: 'multiple_routes', code }
    case 5:
      return {
        kind: 'extended_next_hop',
        code,
        families: entries(c, 6, () => ({
          afi: readU16(c),
          safi: readU16(c),
          nextHopAfi: readU16(c),
        })),
      }
    case 6:
      finish(c, c.pos)
      return { kind: 'extended_message', code }
    case 7: {
      const at = c.pos
      const octet = readU8(c)
      const afi = readU16(c)
      finish(c, at)
      const direction = (octet & 0x08) === 0 ? 'receive' : 'send'
      return { kind: 'bgpsec', code, version: octet >> 4, direction, afi }
    }
    case 8:
      return {
        kind: 'multiple_labels',
        code,
        families: entries(c, 4, () => ({ afi: readU16(c), safi: readU8(c), count: readU8(c) })),
      }
    case 9: {
      const at = c.pos
      const role = readU8(c)
      finish(c, at)
      return { kind: 'role', code, role }
    }
    case 64: {
      const word = readU16(c)
      return {
        kind: 'graceful_restart',
        code,
        restarting: (word & 0x8000) !== 0,
        notification: (word & 0x4000) !== 0,
        restartTimeS: word & 0x0fff,
        families: entries(c, 4, () => ({
          afi: readU16(c),
          safi: readU8(c),
          forwardingKept: (readU8(c) & 0x80) !== 0,
        })),
      }
    }
    case 65: {
      const at = c.pos
      const asn = readU32(c)
      finish(c, at)
      return { kind: 'as4', code, asn }
    }
    case 66:
    case 67:
      return { kind: 'dynamic', code, codes: octets(c) }
    case 68:
    case 131: {
      const flags = readU8(c)
      return { kind: 'multisession', code, flags, codes: octets(c) }
    }
    case 69:
      return {
        kind: 'add_path',
        code,
        families: entries(c, 4, () => ({
          afi: readU16(c),
          safi: readU8(c),
          sendReceive: readU8(c),
        })),
      }
    case 70:
      finish(c, c.pos)
      return { kind: 'enhanced_route_refresh', code }
    case 71:
      return {
        kind: 'llgr',
        code,
        families: entries(c, 7, () => ({
          afi: readU16(c),
          safi: readU8(c),
          forwardingKept: (readU8(c) & 0x80) !== 0,
          staleTimeS: (readU8(c) << 16) | readU16(c),
        })),
      }
    case 72:
      return {
        kind: 'routing_policy',
        code,
        families: entries(c, 4, () => ({
          afi: readU16(c),
          safi: readU8(c),
          sendReceive: readU8(c),
        })),
      }
    case 73: {
      const hostname = readShortText(c)
      // Some senders leave the empty domain out, length octet and all.
      const domain = remaining(c) > 0 ? readShortText(c) : ''
      return { kind: 'fqdn', code, hostname, domain }
    }
    case 74:
      finish(c, c.pos)
      return { kind: 'bfd_strict', code }
    case 75: {
      const version = readShortText(c)
      return { kind: 'software_version', code, version }
    }
    case 76:
      return {
        kind: 'paths_limit',
        code,
        families: entries(c, 5, () => ({ afi: readU16(c), safi: readU8(c), limit: readU16(c) })),
      }
    case 77:
      finish(c, c.pos)
      return { kind: 'link_local_next_hop', code }
    default:
      return { kind: 'raw', code, raw: toHex(c.bytes, c.pos, c.end) }
  }
}

function octets(c: Cursor): number[] {
  const list: number[] = []
  while (remaining(c) > 0) list.push(readU8(c))
  return list
}

function entries<T>(c: Cursor, octets: number, read: () => T): T[] {
  if (remaining(c) % octets !== 0) {
    fail(c, 'BAD_LENGTH', c.pos, `${remaining(c)} octets is not a multiple of ${octets}`)
  }
  const list: T[] = []
  while (remaining(c) > 0) list.push(read())
  return list
}

function finish(c: Cursor, at: number): void {
  if (remaining(c) > 0) {
    fail(c, 'BAD_LENGTH', at, `${c.end - at} octets, ${remaining(c)} more than expected`)
  }
}

function readShortText(c: Cursor): string {
  const value = enter(c, readU8(c), 'text')
  return toText(value.bytes, value.pos, value.end)
}

/** Convenience for tests and tools: capabilities from bytes that hold nothing else. */
export function parseCapabilities(bytes: Uint8Array): {
  capabilities: Capability[]
  errors: DecodeError[]
} {
  const errors: DecodeError[] = []
  const c = cursorOver(bytes, 0, bytes.length, 'open.capabilities', 'RFC 5492 section 4')
  return { capabilities: decodeCapabilities(c, errors), errors }
}
