import {
  cursorOver,
  fail,
  need,
  readU16,
  readU8,
  remaining,
  skip,
  type Cursor,
} from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { toHex } from '../../text/hex.ts'
import { formatIPv6, formatPrefix } from '../../text/ip.ts'
import { formatRd } from '../../text/values.ts'
import type { NlriFamily, FamilyRouteBase } from './family.ts'

/** A rule for traffic, RFC 8955 (IPv4) and RFC 8956 (IPv6): packets that all components match. */
export interface FlowspecRoute extends FamilyRouteBase {
  readonly kind: 'flowspec'
  readonly components: readonly FlowspecComponent[]
}

export type FlowspecComponent =
  | {
      readonly kind: 'prefix'
      readonly type: number
      readonly name: string
      /** Bits outside `offset`..length are zero. */
      readonly prefix: string
      /** First bit that counts (RFC 8956 section 3.1); 0 for IPv4. */
      readonly offset: number
    }
  | {
      readonly kind: 'numeric' | 'bits'
      readonly type: number
      readonly name: string
      /** `and` of one binds stronger than the "or" between those without. */
      readonly tests: readonly FlowspecTest[]
    }
  | {
      readonly kind: 'mac'
      readonly type: number
      readonly name: string
      readonly bits: number
      readonly mac: string
    }
  /** A type that isn't known, and all behind it: where it ends can't be told. */
  | {
      readonly kind: 'unknown'
      readonly type: number
      readonly name: 'unknown'
      readonly raw: string
    }

export interface FlowspecTest {
  /** Together with the test before it; else instead of it. */
  readonly and: boolean
  /** Numbers: `<`, `>`, `=`, `<=`, `>=`, `!=`, `true`, `false`. Bits: '' any of them, `=` all of them, and `!`, `!=`: not so. */
  readonly op: string
  /** Decimal text where a number would lose digits. */
  readonly value: number | string
}

/** Offset octets of a component and what is in them. */
type Layout = 'prefix' | 'numeric' | 'bits' | 'mac'

interface Component {
  readonly name: string
  readonly layout: Layout
  /** Names of bits, lowest first. */
  readonly bits?: readonly string[]
}

const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ae']
const FRAGMENT = ['dont-fragment', 'is-fragment', 'first-fragment', 'last-fragment']

/** RFC 8955 section 4.2.2, the same numbers in RFC 8956 section 3. */
const IP_COMPONENTS: ReadonlyMap<number, Component> = new Map<number, Component>([
  [1, { name: 'destination', layout: 'prefix' }],
  [2, { name: 'source', layout: 'prefix' }],
  [3, { name: 'protocol', layout: 'numeric' }],
  [4, { name: 'port', layout: 'numeric' }],
  [5, { name: 'destination-port', layout: 'numeric' }],
  [6, { name: 'source-port', layout: 'numeric' }],
  [7, { name: 'icmp-type', layout: 'numeric' }],
  [8, { name: 'icmp-code', layout: 'numeric' }],
  [9, { name: 'tcp-flags', layout: 'bits', bits: TCP_FLAGS }],
  [10, { name: 'packet-length', layout: 'numeric' }],
  [11, { name: 'dscp', layout: 'numeric' }],
  [12, { name: 'fragment', layout: 'bits', bits: FRAGMENT }],
])
/** RFC 8956 section 3.7. */
const FLOW_LABEL: Component = { name: 'flow-label', layout: 'numeric' }

/** draft-ietf-idr-flowspec-l2vpn section 3.1, for AFI 25. */
const L2_COMPONENTS: ReadonlyMap<number, Component> = new Map<number, Component>([
  [14, { name: 'ethernet-type', layout: 'numeric' }],
  [15, { name: 'source-mac', layout: 'mac' }],
  [16, { name: 'destination-mac', layout: 'mac' }],
  [17, { name: 'dsap', layout: 'numeric' }],
  [18, { name: 'ssap', layout: 'numeric' }],
  [19, { name: 'llc-control', layout: 'numeric' }],
  [20, { name: 'snap', layout: 'numeric' }],
  [21, { name: 'vlan', layout: 'numeric' }],
  [22, { name: 'vlan-cos', layout: 'numeric' }],
  [23, { name: 'inner-vlan', layout: 'numeric' }],
  [24, { name: 'inner-vlan-cos', layout: 'numeric' }],
])

const AFI_IPV6 = 2
const AFI_L2VPN = 25
const SAFI_FLOWSPEC_VPN = 134
/** RFC 8955 section 4.1: from here on the length takes two octets, 0xfnnn. */
const TWO_OCTET_LENGTH = 0xf0

/** Bits of an operator octet, RFC 8955 section 4.2.1. */
const OP_END = 0x80
const OP_AND = 0x40
const OP_LENGTH_SHIFT = 4
const NUMERIC_OPS = ['false', '=', '>', '>=', '<', '<=', '!=', 'true']
const BIT_OPS = ['', '=', '!', '!=']

/**
 * Flow specification NLRI, RFC 8955 section 4: length => U8 | U16 (0xfnnn), rd => 8 (SAFI 134),
 * components in ascending order of type:
 *
 *   prefix (1, 2)   type => U8, length => U8 (bits), prefix;
 *                   IPv6 (RFC 8956 section 3.1): type => U8, length => U8 (bits), offset => U8 (bits),
 *                   bits offset..length, padded to octets
 *   others          type => U8, { operator => U8, value => 1 | 2 | 4 | 8 }, the last with its end bit set
 *
 * Text: `destination 10.0.0.0/24 protocol =6 destination-port >=80&<=90|=8080 tcp-flags syn&!ack`, in
 * VPNs behind `[RD]:`. A prefix with an offset is `ADDRESS/OFFSET-LENGTH`, as in RFC 8956 section 3.8.
 */
export const flowspec: NlriFamily = {
  name: 'flowspec',
  spec: 'RFC 8955 section 4',
  cut(bytes, at, end) {
    if (bytes[at]! < TWO_OCTET_LENGTH) return at + 1 + bytes[at]!
    if (at + 1 >= end) return -1
    return at + 2 + (((bytes[at]! & 0x0f) << 8) | bytes[at + 1]!)
  },
  decode(c, afi, safi) {
    need(c, 1)
    if (c.bytes[c.pos]! < TWO_OCTET_LENGTH) readU8(c)
    else readU16(c)
    const rdAt = safi === SAFI_FLOWSPEC_VPN ? skip(c, 8) : -1
    const rd = rdAt < 0 ? '' : formatRd(c.bytes, rdAt)
    if (remaining(c) === 0) fail(c, 'BAD_LENGTH', c.pos, 'no component', 'treat-as-withdraw')
    const { components, faults } =
      afi === AFI_IPV6 ? decodeIPv6(c) : decodeComponents(c, afi, false)
    const text = components.map(componentText).join(' ')
    const nlri = rd === '' ? text : `[${rd}]:${text}`
    const route: FlowspecRoute = { kind: 'flowspec', nlri, rd, components }
    return faults.length === 0 ? { route, rdAt } : { route, rdAt, faults }
  },
}

interface Read {
  readonly components: FlowspecComponent[]
  readonly faults: DecodeError[]
}

/**
 * ExaBGP and Ryu write all octets of a prefix, those before its offset too. Where the rule only makes
 * sense that way it is read so, and reported.
 */
function decodeIPv6(c: Cursor): Read {
  const whole = cursorOver(c.bytes, c.pos, c.end, c.path, c.spec, c.view)
  const at = c.pos
  let read: Read | undefined
  let wrong: unknown
  try {
    read = decodeComponents(c, AFI_IPV6, false)
    if (read.faults.length === 0) return read
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    wrong = error
  }
  try {
    const lenient = decodeComponents(whole, AFI_IPV6, true)
    if (lenient.faults.length === 0) {
      lenient.faults.push(
        new DecodeError('BAD_LENGTH', 'prefix with the octets before its offset', {
          offset: at,
          length: c.end - at,
          path: c.path,
          spec: 'RFC 8956 section 3.1',
          handling: 'treat-as-withdraw',
        }),
      )
      return lenient
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
  }
  if (read === undefined) throw wrong
  return read
}

function componentOf(afi: number, type: number): Component | undefined {
  if (type === 13 && afi === AFI_IPV6) return FLOW_LABEL
  return IP_COMPONENTS.get(type) ?? (afi === AFI_L2VPN ? L2_COMPONENTS.get(type) : undefined)
}

/** @param whole  IPv6 prefixes have the octets before their offset too */
function decodeComponents(c: Cursor, afi: number, whole: boolean): Read {
  const components: FlowspecComponent[] = []
  const faults: DecodeError[] = []
  let last = 0
  while (remaining(c) > 0) {
    const at = c.pos
    const type = readU8(c)
    const component = componentOf(afi, type)
    if (component === undefined || type <= last) {
      const detail =
        component === undefined
          ? `component type ${type} is not known`
          : `component type ${type} behind ${last}, expected ascending order`
      faults.push(fault(c, component === undefined ? 'UNSUPPORTED' : 'BAD_VALUE', at, detail))
    }
    if (component === undefined) {
      const raw = toHex(c.bytes, c.pos, c.end)
      skip(c, remaining(c))
      components.push({ kind: 'unknown', type, name: 'unknown', raw })
      break
    }
    last = type
    components.push(decodeComponent(c, afi, type, component, whole))
  }
  return { components, faults }
}

/** RFC 8955 section 4.2 and 10: such a rule is treated as withdrawn. */
function fault(
  c: Cursor,
  code: 'UNSUPPORTED' | 'BAD_VALUE',
  at: number,
  detail: string,
): DecodeError {
  return new DecodeError(code, detail, {
    offset: at,
    length: c.end - at,
    path: c.path,
    spec: 'RFC 8955 section 4.2',
    handling: 'treat-as-withdraw',
  })
}

function decodeComponent(
  c: Cursor,
  afi: number,
  type: number,
  { name, layout }: Component,
  whole: boolean,
): FlowspecComponent {
  switch (layout) {
    case 'prefix':
      return afi === AFI_IPV6
        ? readIPv6Prefix(c, type, name, whole)
        : { kind: 'prefix', type, name, prefix: readIPv4Prefix(c), offset: 0 }
    case 'mac': {
      const at = c.pos
      const bits = readU8(c)
      if (bits > 48) fail(c, 'BAD_VALUE', at, `MAC length ${bits} bits, expected at most 48`)
      const octets = (bits + 7) >> 3
      const mac = toHex(c.bytes, skip(c, octets), c.pos).replace(/(..)(?=.)/g, '$1:')
      return { kind: 'mac', type, name, bits, mac }
    }
    case 'numeric':
    case 'bits':
      return { kind: layout, type, name, tests: readTests(c, layout) }
  }
}

function readIPv4Prefix(c: Cursor): string {
  const at = c.pos
  const bits = readU8(c)
  if (bits > 32) fail(c, 'BAD_VALUE', at, `prefix length ${bits}, expected at most 32`)
  return formatPrefix(c.bytes, skip(c, (bits + 7) >> 3), bits, false)
}

function readIPv6Prefix(c: Cursor, type: number, name: string, whole: boolean): FlowspecComponent {
  const at = c.pos
  const bits = readU8(c)
  const offset = readU8(c)
  // Length 0 with offset 0 is any address; else offset < length < 129 (RFC 8956 section 3.1).
  if (bits > 128 || (bits === 0 ? offset !== 0 : offset >= bits)) {
    fail(c, 'BAD_VALUE', at, `prefix of bits ${offset} to ${bits}`)
  }
  const pattern = skip(c, ((whole ? bits : bits - offset) + 7) >> 3)
  const address = new Uint8Array(16)
  for (let bit = offset; bit < bits; bit++) {
    const from = whole ? bit : bit - offset
    const set = c.bytes[pattern + (from >> 3)]! & (0x80 >> (from & 7))
    if (set !== 0) address[bit >> 3]! |= 0x80 >> (bit & 7)
  }
  const length = offset === 0 ? `${bits}` : `${offset}-${bits}`
  return { kind: 'prefix', type, name, prefix: `${formatIPv6(address, 0)}/${length}`, offset }
}

function readTests(c: Cursor, layout: 'numeric' | 'bits'): FlowspecTest[] {
  const tests: FlowspecTest[] = []
  for (;;) {
    const operator = readU8(c)
    const octets = 1 << ((operator >> OP_LENGTH_SHIFT) & 3)
    const at = skip(c, octets)
    const op = layout === 'numeric' ? NUMERIC_OPS[operator & 7]! : BIT_OPS[operator & 3]!
    // The first has nothing before it: its AND bit says nothing.
    const and = tests.length > 0 && (operator & OP_AND) !== 0
    tests.push({ and, op, value: readValue(c, at, octets) })
    if ((operator & OP_END) !== 0) return tests
  }
}

function readValue(c: Cursor, at: number, octets: number): number | string {
  if (octets === 8) {
    const value = c.view.getBigUint64(at)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
  }
  let value = 0
  for (let i = 0; i < octets; i++) value = value * 256 + c.bytes[at + i]!
  return value
}

function componentText(component: FlowspecComponent): string {
  switch (component.kind) {
    case 'prefix':
      return `${component.name} ${component.prefix}`
    case 'mac':
      return `${component.name} ${component.mac}/${component.bits}`
    case 'unknown':
      return `type-${component.type} 0x${component.raw}`
    default: {
      const names = component.kind === 'bits' ? IP_COMPONENTS.get(component.type)?.bits : undefined
      const tests = component.tests.map(({ and, op, value }, i) => {
        const join = i === 0 ? '' : and ? '&' : '|'
        if (op === 'true' || op === 'false') return join + op
        return join + op + (names === undefined ? String(value) : bitNames(value, names))
      })
      return `${component.name} ${tests.join('')}`
    }
  }
}

/** `syn+ack`; bits without a name as one number in hex. */
function bitNames(value: number | string, names: readonly string[]): string {
  let rest = BigInt(value)
  const found: string[] = []
  for (const [bit, name] of names.entries()) {
    const mask = 1n << BigInt(bit)
    if ((rest & mask) === 0n) continue
    found.push(name)
    rest &= ~mask
  }
  if (rest !== 0n || found.length === 0) found.push(`0x${rest.toString(16)}`)
  return found.join('+')
}
