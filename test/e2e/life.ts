/**
 * Test helper: random lives of routers. Peers come and go, gracefully and not, BMP is lost and taken up again with another dump,
 * sessions overlap, collectors die, and withdrawals come for what was never announced.
 *
 * A life is a list of steps; `tell` makes of it what a router sent, twice: as octets for the code under test, and as plain facts
 * for the model (`model.ts`), which sees no octet and none of that code's rows.
 */
import fc from 'fast-check'
import {
  addPath,
  asPath,
  attribute,
  be,
  endOfRib,
  family,
  gracefulRestart,
  hex,
  initiation,
  ip,
  longLived,
  nextHop,
  notification,
  origin,
  peerDown,
  peerUp,
  prefix,
  routeMonitoring,
  update,
} from '../../packages/events/src/testing/bytes.ts'
import type { HandCapability, HandPeer } from '../../packages/events/src/testing/bytes.ts'

export const START_US = 1_800_000_000_000_000

const WHAT = [
  ['announce', 14],
  ['withdraw', 5],
  ['refresh', 2],
  ['stale-announce', 1],
  ['up', 5],
  ['down', 5],
  ['eor', 3],
  ['wait', 2],
  ['deaf', 1],
  ['lose', 1],
  ['crash', 1],
  ['overlap', 1],
] as const

export interface Step {
  readonly what: (typeof WHAT)[number][0]
  readonly peer: number
  readonly family: number
  readonly post: boolean
  readonly route: number
  readonly path: number
  readonly way: number
  readonly more: number
  readonly odd: number
  readonly ms: number
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.oneof(
    ...WHAT.map(([what, weight]) => ({ weight, arbitrary: fc.constant<Step['what']>(what) })),
  ),
  peer: fc.nat(99),
  family: fc.nat(99),
  post: fc.nat(3).map((n) => n === 0),
  route: fc.nat(2).map((n) => Math.max(0, n - 1)),
  path: fc.nat(1),
  way: fc.nat(2),
  more: fc.nat(1),
  odd: fc.nat(7),
  ms: fc.oneof(fc.constant(0), fc.nat(900), fc.nat(7000), fc.nat(140_000)),
})

/** What chance rarely makes: the log ends while a peer restarts. */
const plain: Step = {
  ...{ what: 'up', peer: 1, family: 0, post: false, route: 1, path: 0, way: 0, more: 0, odd: 1 },
  ms: 10,
}
export const RESTARTING: readonly Step[] = [
  plain,
  { ...plain, what: 'announce' },
  { ...plain, what: 'announce', family: 1 },
  { ...plain, what: 'down', odd: 0 },
]

/** A few peers and families each, so that much happens to the same routes. */
export const life: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom([1], [2], [1, 2], [0, 4], [0, 1], [2, 3]),
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 1, maxLength: 4 }),
    ),
    fc.oneof(
      fc.constantFrom([0], [0, 1], [0, 0, 1]),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1, maxLength: 3 }),
    ),
    fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
  )
  .map(([peers, families, steps]) =>
    steps.map((each) => ({
      ...each,
      peer: peers[each.peer % peers.length]!,
      family: families[each.family % families.length]!,
    })),
  )

// --- what is said ---------------------------------------------------------------------------------

export const FAMILIES: readonly (readonly [afi: number, safi: number])[] = [
  [1, 1],
  [2, 1],
  [1, 128],
  [25, 70],
]

/** What one side's OPEN says, as far as state depends on it. Families are indexes of FAMILIES. */
export interface Said {
  readonly families: readonly number[]
  readonly graceful?: {
    readonly seconds: number
    readonly notification: boolean
    readonly families: ReadonlyMap<number, boolean>
  }
  readonly longLived?: ReadonlyMap<number, { readonly seconds: number; readonly kept: boolean }>
}

export type Rib = 'adj_in_pre' | 'adj_in_post' | 'loc_rib'

export type Message =
  | {
      readonly kind: 'up'
      readonly peer: number
      /** what tells one BGP session from another: ports and identifiers */
      readonly session: string
      readonly flags: number
      readonly sent: Said
      /** undefined: the router has not kept that OPEN */
      readonly received: Said | undefined
    }
  | {
      readonly kind: 'down'
      readonly peer: number
      readonly reason: number
      readonly hardReset: boolean
    }
  | { readonly kind: 'eor'; readonly peer: number; readonly rib: Rib; readonly family: number }
  | {
      readonly kind: 'route'
      readonly peer: number
      readonly rib: Rib
      readonly family: number
      readonly announce: boolean
      readonly routes: readonly { readonly name: string; readonly path: number }[]
      readonly way: number
      readonly more: number
      readonly llgrStale: boolean
    }
  /** Nobody listened until then. */
  | { readonly kind: 'deaf'; readonly untilUs: number }

export interface Told {
  /** the number of the session: what is later is newer, whatever it says when */
  readonly openedUs: number
  readonly messages: { readonly us: number; readonly message: Message; readonly bytes: number[] }[]
  /** end: told by TCP; crash: the collector died; open: it goes on */
  end: 'end' | 'crash' | 'open'
  endUs: number
}

/** Peer 3 is the Loc-RIB, 4 that of a VRF with the address of peer 0, 5 the routes that the router made itself. */
export const PEERS: readonly HandPeer[] = [
  { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' },
  { address: '192.0.2.2', asn: 64502, id: '192.0.2.2' },
  { address: '192.0.2.3', asn: 64503, id: '192.0.2.3' },
  { type: 3, address: '0.0.0.0', asn: 64500, id: '192.0.2.254' },
  { type: 1, address: '192.0.2.1', asn: 64501, id: '192.0.2.1', rd: '0000fde800000007' },
  { address: '0.0.0.0', asn: 0, id: '0.0.0.0' },
]
const LOC_RIB = 3
const OWN_ROUTES = 5
/** sends path identifiers for IPv4 unicast */
const WITH_PATHS = 2

/** What both OPENs of a peer say. variant 1: it has not forwarded meanwhile; 2: of one family alone, as Huawei does. */
function saidBy(peer: number, variant: number): readonly [sent: Said, received: Said] {
  const kept = variant !== 1
  const families = variant === 2 ? [0] : [0, 1, 2, 3]
  const only = <V>(map: ReadonlyMap<number, V>): ReadonlyMap<number, V> =>
    new Map([...map].filter(([each]) => families.includes(each)))
  if (peer === 1) {
    // The router is a helper: it lists no family of its own.
    return [
      { families, graceful: { seconds: 120, notification: true, families: new Map() } },
      {
        families,
        graceful: { seconds: 30, notification: true, families: only(new Map([[0, kept]])) },
      },
    ]
  }
  if (peer === 2) {
    const both: Said = {
      families,
      graceful: {
        ...{ seconds: 60, notification: false },
        families: only(
          new Map([
            [0, kept],
            [1, kept],
          ]),
        ),
      },
      longLived: only(new Map([[1, { seconds: 100, kept }]])),
    }
    return [both, both]
  }
  if (peer === 4) {
    const both: Said = {
      families,
      graceful: { seconds: 0, notification: false, families: new Map() },
      longLived: new Map([[0, { seconds: 20, kept }]]),
    }
    return [both, both]
  }
  return [{ families }, { families }]
}

function capabilities(peer: number, said: Said): HandCapability[] {
  const { graceful, longLived: long } = said
  return [
    ...said.families.map((each) => family(...FAMILIES[each]!)),
    ...(graceful === undefined
      ? []
      : [
          gracefulRestart(
            graceful.notification ? 4 : 0,
            graceful.seconds,
            ...[...graceful.families].map(([each, kept]): [number, number, number] => [
              ...FAMILIES[each]!,
              kept ? 0x80 : 0,
            ]),
          ),
        ]),
    ...(long === undefined
      ? []
      : [
          longLived(
            ...[...long].map(
              ([each, { seconds, kept }]) =>
                [...FAMILIES[each]!, seconds, kept ? 0x80 : 0] as const,
            ),
          ),
        ]),
    ...(peer === WITH_PATHS ? [addPath(1, 1, 3)] : []),
  ]
}

// --- routes ---------------------------------------------------------------------------------------

const RD = '0000fde800000063'

/** The NLRI of a route, without path identifier. */
function nlriOf(of: number, route: number): number[] {
  switch (of) {
    case 0:
      return prefix(`203.0.113.${route}/32`)
    case 1:
      return [128, ...ip(`2001:db8::${route + 1}`)]
    case 2:
      // 20-bit label with the bottom bit, distinguisher, 32 bits
      return [24 + 64 + 32, ...be((1000 << 4) | 1, 3), ...hex(RD), 203, 0, 113, route]
    default: {
      // Type 2: distinguisher, ESI, tag, MAC, no IP, label
      const mac = [2, 0, 0, 0, 0, route]
      const body = [...hex(RD), ...be(0, 10), ...be(0, 4), 48, ...mac, 0, ...be(10_100, 3)]
      return [2, body.length, ...body]
    }
  }
}

/** The identity of a route as the store shows it: address and length, and the key of what has no such. */
export function nameOf(of: number, route: number): string {
  const key = (text: string): string => text.toUpperCase()
  switch (of) {
    case 0:
      return `::ffff:203.0.113.${route}/32`
    case 1:
      return `2001:db8::${route + 1}/128`
    case 2:
      return `::ffff:203.0.113.${route}/32 ${key(RD)}`
    default:
      return key(`02${RD}0000000030020000000${route.toString().padStart(3, '0')}00`)
  }
}

function attributes(way: number, more: number, llgrStale: boolean): number[] {
  return [
    ...origin(),
    ...asPath(64501, 65000 + way),
    ...(more === 0 ? [] : attribute(0x80, 4, be(more, 4))),
    ...(llgrStale ? attribute(0xc0, 8, be(0xffff0006, 4)) : []),
  ]
}

const NEXT_HOPS: readonly (readonly number[])[] = [
  [],
  ip('2001:db8::1'),
  [...be(0, 8), ...ip('192.0.2.1')],
  ip('192.0.2.1'),
]

function routeBytes(
  peer: HandPeer,
  of: number,
  nlri: readonly number[],
  content: { way: number; more: number; llgrStale: boolean } | undefined,
): number[] {
  const [afi, safi] = FAMILIES[of]!
  if (content === undefined) {
    if (of === 0) return routeMonitoring(peer, update({ withdrawn: nlri }))
    const unreach = attribute(0x80, 15, [...be(afi, 2), safi, ...nlri])
    return routeMonitoring(peer, update({ attributes: unreach }))
  }
  const common = attributes(content.way, content.more, content.llgrStale)
  if (of === 0) {
    return routeMonitoring(peer, update({ attributes: [...common, ...nextHop('192.0.2.1')], nlri }))
  }
  const hop = NEXT_HOPS[of]!
  const reach = attribute(0x80, 14, [...be(afi, 2), safi, hop.length, ...hop, 0, ...nlri])
  return routeMonitoring(peer, update({ attributes: [...common, ...reach] }))
}

// --- the life -------------------------------------------------------------------------------------

/** The router's name is what an Initiation says. */
export const hello = (name: string): number[] => initiation(name)

/** A router's life as its BMP sessions; two of them at a time when one is half open. */
export function tell(steps: readonly Step[]): Told[] {
  const sessions: Told[] = []
  let us = START_US
  /** what the router has, so that it can send it again */
  const table = new Map<string, Extract<Message, { kind: 'route' }>>()
  const ups = new Map<number, Step>()
  /** sessions in which the peer's OPENs were shown: only then path identifiers can be read */
  const shown = new Map<Told, Set<number>>()

  const open = (): Told => {
    const session: Told = { openedUs: us, messages: [], end: 'open', endUs: us }
    sessions.push(session)
    shown.set(session, new Set())
    return session
  }
  const add = (session: Told, message: Message, bytes: number[]): void => {
    session.messages.push({ us, message, bytes })
  }

  const route = (
    session: Told,
    message: Omit<Extract<Message, { kind: 'route' }>, 'kind' | 'routes'> & {
      readonly from: readonly { route: number; path: number }[]
    },
  ): void => {
    const { from, ...rest } = message
    const { peer, rib, family: of } = message
    const paths = peer === WITH_PATHS && of === 0 && shown.get(session)!.has(peer)
    const named = from.map((each) => ({
      name: nameOf(of, each.route),
      path: paths ? each.path : 0,
    }))
    const nlri = from.flatMap((each) => [
      ...(paths ? be(each.path, 4) : []),
      ...nlriOf(of, each.route),
    ])
    const flags = rib === 'adj_in_post' ? 0x40 : 0
    const told: Message = { kind: 'route', ...rest, routes: named }
    const bytes = routeBytes(
      { ...PEERS[peer]!, flags },
      of,
      nlri,
      message.announce ? message : undefined,
    )
    add(session, told, bytes)
    for (const each of from) {
      const key = `${peer} ${rib} ${of} ${each.route} ${each.path}`
      if (message.announce) table.set(key, told)
      else table.delete(key)
    }
  }

  const again = (session: Told, chosen: (key: string) => boolean): void => {
    for (const [key, message] of [...table]) {
      if (!chosen(key)) continue
      const [, , , number = '0', path = '0'] = key.split(' ')
      const { routes: _, kind: __, ...rest } = message
      us++
      route(session, { ...rest, from: [{ route: Number(number), path: Number(path) }] })
    }
  }

  const up = (session: Told, each: Step): void => {
    const { peer } = each
    if (peer === OWN_ROUTES) return
    const [sent, received] = saidBy(peer, each.way)
    const missing = each.odd === 0 && peer !== WITH_PATHS
    const port = 40_000 + each.route
    const flags = each.post && peer !== LOC_RIB ? 0x40 : 0
    add(
      session,
      {
        ...{ kind: 'up', peer, flags, sent, received: missing ? undefined : received },
        session: `${port} ${missing ? 'missing' : ''}`,
      },
      peerUp(
        { ...PEERS[peer]!, flags },
        {
          ...{ ports: [179, port], vrf: peer === 4 ? 'red' : '' },
          sent: capabilities(peer, sent),
          received: capabilities(peer, received),
          ...(missing ? { missing: 'received' } : {}),
        },
      ),
    )
    shown.get(session)!.add(peer)
    ups.set(peer, each)
  }

  const down = (session: Told, each: Step): void => {
    const { peer } = each
    const kinds = [
      { reason: 4, rest: [], hardReset: false },
      { reason: 4, rest: [], hardReset: false },
      { reason: 4, rest: [], hardReset: false },
      { reason: 2, rest: [0, 9], hardReset: false },
      { reason: 3, rest: notification(6, 9), hardReset: true },
      { reason: 3, rest: notification(6, 4), hardReset: false },
      { reason: 1, rest: notification(4, 0), hardReset: false },
      { reason: 5, rest: [], hardReset: false },
    ] as const
    const { reason, rest, hardReset } = kinds[each.odd]!
    add(session, { kind: 'down', peer, reason, hardReset }, peerDown(PEERS[peer]!, reason, rest))
    ups.delete(peer)
    for (const key of [...table.keys()]) if (key.startsWith(`${peer} `)) table.delete(key)
  }

  open()
  for (const each of steps) {
    us += each.ms * 1000 + 1
    const current = sessions.at(-1)!
    // The router opened another session; the old one goes on talking for a moment.
    const old = sessions.at(-2)
    const late = old?.end === 'open' && each.route === 0
    const session = late ? old : current
    const rib =
      each.peer === LOC_RIB
        ? 'loc_rib'
        : each.post || each.peer === OWN_ROUTES
          ? 'adj_in_post'
          : 'adj_in_pre'
    switch (each.what) {
      case 'announce':
      case 'withdraw':
      case 'stale-announce': {
        const { peer, family: of, way, more, path } = each
        const first = { route: each.route, path }
        // Several routes in one UPDATE now and then.
        const from = each.odd === 0 ? [first, { route: (each.route + 1) % 3, path }] : [first]
        const announce = each.what !== 'withdraw'
        const llgrStale = each.what === 'stale-announce'
        route(session, { peer, rib, family: of, announce, way, more, llgrStale, from })
        break
      }
      case 'refresh':
        again(session, (key) => key.startsWith(`${each.peer} `))
        break
      case 'up':
        up(session, each)
        break
      case 'down':
        down(session, each)
        break
      case 'eor': {
        const [afi, safi] = FAMILIES[each.family]!
        const flags = rib === 'adj_in_post' ? 0x40 : 0
        add(
          session,
          { kind: 'eor', peer: each.peer, rib, family: each.family },
          endOfRib({ ...PEERS[each.peer]!, flags }, afi, safi),
        )
        break
      }
      case 'deaf': {
        const untilUs = us + each.ms * 1000
        add(session, { kind: 'deaf', untilUs }, [])
        us = untilUs
        break
      }
      case 'lose':
      case 'crash': {
        current.end = each.what === 'lose' ? 'end' : 'crash'
        current.endUs = us
        us += each.ms * 1000 + 1
        const next = open()
        if (each.more === 1) {
          // A dump as routers make it, of which something has vanished meanwhile.
          for (const [, last] of ups) {
            us++
            up(next, last)
          }
          again(next, (key) => Number(key.split(' ')[3]) !== each.way)
        }
        break
      }
      case 'overlap':
        open()
        break
      case 'wait':
    }
    if (late && each.way === 0 && old.end === 'open') {
      old.end = 'end'
      old.endUs = us
    }
  }
  for (const each of sessions) if (each.end === 'open') each.endUs = us
  // Half of them end in doubt: nothing has settled what was announced.
  const last = sessions.at(-1)!
  if (steps.at(-1)?.more === 0 && last.end === 'open') last.end = 'end'
  return sessions
}

/** Were two sessions of the router open at the same time? */
export const overlaps = (sessions: readonly Told[]): boolean =>
  sessions.some((each, i) => {
    const next = sessions[i + 1]
    return next !== undefined && (each.end === 'open' || each.endUs > next.openedUs)
  })
