/**
 * Made-up messages of all common kinds, for a session whose rows nobody wants: V8 then knows the kinds
 * before it compiles anything. Without, it compiles the hot functions for the IPv4 dump that comes first,
 * throws that away at the first IPv6 route and again at the first of EVPN: some 50 ms of CPU, a sixth of
 * what `ribscope decode --count` took for 3 M routes (bench/decode-count.mjs). Of no use to a process that
 * runs for days.
 */
import { RouterSession } from './session.ts'
import type { SessionCounters } from './session-rows.ts'
import type { RowSink } from './sink.ts'

/** More than V8 waits for before it takes note of types, fewer than it takes to compile. */
const ROUNDS = 6
const OPENED_S = 946_684_800
const OPENED_US = OPENED_S * 1_000_000

type Octets = readonly number[]

const zeros = (count: number): Octets => new Array<number>(count).fill(0)
const u16 = (value: number): Octets => [value >> 8, value & 255]
const u32 = (value: number): Octets => [value >>> 24, (value >> 16) & 255, ...u16(value & 0xffff)]
const sized = (octets: Octets): Octets => [...u16(octets.length), ...octets]

/** RFC 4271 section 4.3; from 64 octets with the extended length that some senders always use. */
const attribute = (flags: number, type: number, value: Octets): Octets =>
  value.length < 64 ? [flags, type, value.length, ...value] : [flags | 0x10, type, ...sized(value)]

const MANDATORY: Octets = [
  ...attribute(0x40, 1, [0]),
  ...attribute(0x40, 2, [2, 2, ...u32(64_512), ...u32(64_513)]),
]
const UNICAST: Octets = [
  ...MANDATORY,
  ...attribute(0x40, 3, [192, 0, 2, 1]),
  ...attribute(0x80, 4, u32(1)),
  ...attribute(0x40, 5, u32(100)),
  ...attribute(0x40, 6, []),
  ...attribute(0xc0, 7, [...u32(64_512), 192, 0, 2, 1]),
  ...attribute(0xc0, 8, [...u32(1), ...u32(2)]),
  ...attribute(0x80, 9, [192, 0, 2, 1]),
  ...attribute(0x80, 10, [192, 0, 2, 1]),
  ...attribute(0xc0, 32, [...u32(1), ...u32(2), ...u32(3)]),
]
const OVERLAY: Octets = [
  ...MANDATORY,
  ...attribute(0xc0, 16, [
    0,
    2,
    0,
    1,
    ...u32(100),
    3,
    0x0c,
    0,
    0,
    ...u32(8),
    6,
    0,
    0,
    0,
    ...u32(1),
  ]),
]

const RD: Octets = [0, 0, 0, 1, ...u32(100)]
const HEAD: Octets = [...RD, ...zeros(10), ...zeros(4)]
const MAC: Octets = [48, 2, 0, 0, 0, 0, 1]
/** RFC 7432 section 7, RFC 9136 section 3: types 1 to 5. */
const EVPN: readonly Octets[] = [
  [1, 25, ...HEAD, 0, 0, 1],
  [2, 33, ...HEAD, ...MAC, 0, 0, 0, 1, 2, 40, ...HEAD, ...MAC, 32, 192, 0, 2, 1, 0, 0, 1, 0, 0, 2],
  [3, 17, ...RD, ...zeros(4), 32, 192, 0, 2, 1],
  [4, 23, ...RD, ...zeros(10), 32, 192, 0, 2, 1],
  [5, 34, ...HEAD, 24, 198, 51, 100, 0, ...zeros(4), 0, 0, 1],
]

/** RFC 4760 sections 3 and 4. */
const reach = (afi: number, safi: number, nextHop: Octets, nlri: Octets): Octets =>
  attribute(0x80, 14, [...u16(afi), safi, nextHop.length, ...nextHop, 0, ...nlri])
const unreach = (afi: number, safi: number, nlri: Octets): Octets =>
  attribute(0x80, 15, [...u16(afi), safi, ...nlri])

const message = (type: number, body: Octets): Octets => [
  ...new Array<number>(16).fill(255),
  ...u16(19 + body.length),
  type,
  ...body,
]
/** RFC 7854 section 4. */
const bmp = (type: number, body: Octets): Octets => [3, ...u32(6 + body.length), type, ...body]
const header = (peer: number): Octets => [
  ...zeros(22),
  ...[192, 0, 2, peer],
  ...u32(64_512),
  ...[192, 0, 2, peer],
  ...u32(OPENED_S),
  ...u32(peer),
]
const update = (peer: number, withdrawn: Octets, attributes: Octets, nlri: Octets): Octets =>
  bmp(0, [...header(peer), ...message(2, [...sized(withdrawn), ...sized(attributes), ...nlri])])
/** With four octets an AS number (RFC 6793) and two families. */
const open = (as: number): Octets => {
  const capabilities = [65, 4, ...u32(as), 1, 4, 0, 1, 0, 1, 1, 4, 0, 25, 0, 70]
  const options = [2, capabilities.length, ...capabilities]
  return message(1, [4, ...u16(as), 0, 180, 192, 0, 2, 1, options.length, ...options])
}
const peerUp = (peer: number): Octets =>
  bmp(3, [
    ...header(peer),
    ...zeros(16),
    ...u16(179),
    ...u16(179),
    ...open(64_513),
    ...open(64_512),
  ])

const V6: Octets = [0x20, 1, 0x0d, 0xb8, 0, 1]
const V6_HOP: Octets = [0x20, 1, 0x0d, 0xb8, ...zeros(11), 1]

const MESSAGES: readonly Octets[] = [
  bmp(4, [...u16(2), ...sized([114])]),
  peerUp(1),
  peerUp(2),
  update(1, [], UNICAST, [24, 198, 51, 100, 24, 203, 0, 113, 8, 10, 20, 10, 16, 0, 0]),
  update(2, [], UNICAST, [32, 198, 51, 100, 1]),
  update(2, [], [...MANDATORY, ...reach(2, 1, V6_HOP, [48, ...V6, 64, ...V6, 0, 0])], []),
  update(1, [], unreach(2, 1, [48, ...V6]), []),
  ...EVPN.map((nlri) => update(1, [], [...OVERLAY, ...reach(25, 70, [192, 0, 2, 1], nlri)], [])),
  ...EVPN.map((nlri) => update(2, [], unreach(25, 70, nlri), [])),
  update(1, [24, 198, 51, 100, 32, 10, 0, 0, 1], [], []),
  update(2, [24, 198, 51, 100], UNICAST, [24, 203, 0, 113]),
  update(1, [], [], []),
  update(2, [], unreach(2, 1, []), []),
]

/**
 * @param out of the class that is going to be used; its rows are to be thrown away
 * @returns what it was made of
 */
export function rehearse(out: RowSink): SessionCounters {
  const octets = Uint8Array.from(MESSAGES.flat())
  const session = new RouterSession({ collector: '', source: '0.0.0.0', openedUs: OPENED_US, out })
  for (let round = 1; round <= ROUNDS; round++) {
    // A message that spans two chunks is read from another buffer.
    const cut = Math.floor((octets.length * round) / (ROUNDS + 1))
    session.push(octets.subarray(0, cut), OPENED_US)
    session.push(octets.subarray(cut), OPENED_US)
  }
  return session.counters
}
