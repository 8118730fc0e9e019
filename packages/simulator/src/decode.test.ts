/**
 * The simulator's encoder against the product's decoder. They share no code: what the model holds
 * at the end must be what the decoder reads from the bytes.
 */
import {
  BmpFramer,
  decodeBmpMessage,
  PeerCodec,
  type BmpMessage,
  type PeerHeader,
} from '@ribscope/wire'
import { describe, expect, test } from 'vitest'
import type { Nlri } from './encode/nlri.ts'
import type { Sent } from './model/bmp-feed.ts'
import type { Router } from './model/router.ts'
import type { Path } from './model/session.ts'
import type { RecordedSession } from './recording.ts'
import { play } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { V1 } from './topology/t1.ts'

/** Decodes the last BMP session of a router, or all of them for counts. */
function decode(sessions: readonly RecordedSession[]): BmpMessage[] {
  const messages: BmpMessage[] = []
  for (const session of sessions) {
    const codecs = new Map<string, PeerCodec>()
    const keyOf = ({ type, asn }: { type: number; asn: number }): string => `${type} ${asn}`
    const codecOf = (header: PeerHeader): PeerCodec | undefined => codecs.get(keyOf(header))
    const framer = new BmpFramer((bytes, start, end) => {
      const message = decodeBmpMessage(bytes, start, end, { codecOf })
      messages.push(message)
      if (
        message.kind === 'peer_up' &&
        message.sentOpen !== null &&
        message.receivedOpen !== null
      ) {
        const codec = PeerCodec.fromOpens(message.sentOpen, message.receivedOpen)
        codecs.set(keyOf(message.peer), codec)
      }
    })
    for (const { bytes } of session.chunks) framer.push(bytes)
    expect(framer.pending, `${session.router}: octets left over`).toBe(0)
  }
  return messages
}

function count(messages: readonly BmpMessage[]): Sent {
  const sent: Sent = { messages: messages.length, announced: 0, withdrawn: 0, endOfRib: 0 }
  for (const message of messages) {
    if (message.kind !== 'route_monitoring') continue
    const { update } = message
    if (update?.endOfRib !== null) sent.endOfRib++
    for (const group of update?.announced ?? []) sent.announced += group.routes.length
    for (const group of update?.withdrawn ?? []) sent.withdrawn += group.routes.length
  }
  return sent
}

type Tables = Map<string, string>

/** 'view peer nlri' -> next hop, AS_PATH and extended communities. */
function tables(messages: readonly BmpMessage[]): Tables {
  const result: Tables = new Map()
  for (const message of messages) {
    if (message.kind === 'peer_down') {
      const peer = ` ${message.peer.distinguisher}/${message.peer.bgpId}/`
      for (const key of [...result.keys()]) if (key.includes(peer)) result.delete(key)
    }
    if (message.kind !== 'route_monitoring' || message.update === null) continue
    const { distinguisher, bgpId, address, rib } = message.peer
    const keyOf = (nlri: string): string => `${rib} ${distinguisher}/${bgpId}/${address} ${nlri}`
    const { withdrawn, announced, attributes } = message.update
    for (const { routes } of withdrawn) for (const { nlri } of routes) result.delete(keyOf(nlri))
    const value = (name: string): string => {
      const found = attributes.find((attribute) => attribute.kind === name)
      return found === undefined ? '' : JSON.stringify(found)
    }
    for (const { nextHop, routes } of announced) {
      for (const { nlri } of routes) {
        result.set(keyOf(nlri), `${nextHop} ${value('as_path')} ${value('ext_communities')}`)
      }
    }
  }
  return result
}

function expectedKeys(router: Router): string[] {
  return router.sessions
    .filter((session) => session.up && session.monitored)
    .flatMap((session) => {
      const rd = session.bmpPeer.type === 1 ? `${session.router.bgpId}:5001` : ''
      const key = (view: string) => (path: Path) =>
        `${view} ${rd}/${session.peer.bgpId}/${session.peer.address} ${nlriText(path.nlri)}`
      return [
        ...[...session.adjIn.values()].map(key('adj_in_pre')),
        ...[...session.post.values()].map(key('adj_in_post')),
      ]
    })
    .sort()
}

/** What these routers export is not what they have: that is the point of the scenario. */
function lies(scenario: string, router: string): boolean {
  return scenario === 'A16' && router === 'tor1a'
}

function nlriText(nlri: Nlri): string {
  if (nlri.family !== 'evpn') return nlri.prefix
  switch (nlri.type) {
    case 1:
      return `[1]:[${nlri.rd}]:[${nlri.esi}]:[${nlri.tag}]`
    case 2:
      return `[2]:[${nlri.rd}]:[${nlri.tag}]:[48]:[${nlri.mac}]${nlri.ip === undefined ? '' : `:[32]:[${nlri.ip}]`}`
    case 3:
      return `[3]:[${nlri.rd}]:[${nlri.tag}]:[32]:[${nlri.ip}]`
    case 4:
      return `[4]:[${nlri.rd}]:[${nlri.esi}]:[32]:[${nlri.ip}]`
    case 5: {
      const [ip, bits] = nlri.prefix.split('/')
      return `[5]:[${nlri.rd}]:[${nlri.tag}]:[${bits}]:[${ip}]`
    }
  }
}

describe.each([...scenarios.values()].filter(({ id }) => id !== 'A04'))('$id', (scenario) => {
  const { sessions, fabric } = play(scenario)
  const of = (router: Router): RecordedSession[] =>
    sessions.filter((session) => session.router === router.name)

  test('every message decodes, and as many routes as were sent', () => {
    for (const router of fabric.routers.values()) {
      if (fabric.silent.has(router.name)) continue
      const messages = decode(of(router))
      expect(
        messages.flatMap(({ errors }) => errors),
        router.name,
      ).toEqual([])
      expect(count(messages), router.name).toEqual(router.feed.sent)
      expect(messages[0]?.kind).toBe('initiation')
    }
  })

  test("the tables at the end are the model's", () => {
    let routes = 0
    for (const router of fabric.routers.values()) {
      if (fabric.silent.has(router.name) || lies(scenario.id, router.name)) continue
      const keys = [...tables(decode(of(router).slice(-1))).keys()]
      const adjIn = keys.filter((key) => !key.startsWith('loc_rib')).sort()
      expect(adjIn, router.name).toEqual(expectedKeys(router))
      routes += keys.length
    }
    expect(routes).toBeGreaterThan(100)
  })
})

describe('Loc-RIB', () => {
  const locRib = (id: string, router: string): BmpMessage[] => {
    const scenario = scenarios.get(id)
    if (scenario === undefined) throw new Error(id)
    const { sessions } = play(scenario)
    return decode(sessions.filter((session) => session.router === router)).filter(
      (message) => 'peer' in message && message.peer.rib === 'loc_rib',
    )
  }
  const v1Paths = (messages: readonly BmpMessage[]): (number | null)[] =>
    messages.flatMap((message) =>
      message.kind !== 'route_monitoring'
        ? []
        : (message.update?.announced ?? []).flatMap(({ routes }) =>
            routes.flatMap((route) =>
              route.kind === 'prefix' && route.prefix === V1 ? [route.pathId] : [],
            ),
          ),
    )

  test('B10: best path only, without path identifier', () => {
    const messages = locRib('B10', 'border1')
    expect(messages[0]).toMatchObject({ kind: 'peer_up', vrfTableName: 'global' })
    expect(v1Paths(messages)).toEqual([null])
  })

  test('B14: sixteen of twenty paths, each with an identifier', () => {
    expect(new Set(v1Paths(locRib('B14', 'tor1a'))).size).toBe(16)
    expect(v1Paths(locRib('B14', 'tor1a'))).toHaveLength(16)
  })
})

describe('attributes', () => {
  const found = (id: string, router: string, key: string): string => {
    const scenario = scenarios.get(id)
    if (scenario === undefined) throw new Error(id)
    const { sessions } = play(scenario)
    const value = tables(decode(sessions.filter((session) => session.router === router))).get(key)
    if (value === undefined) throw new Error(`${key} is not there`)
    return value
  }

  test('A01: a VIP at the border', () => {
    const value = found('A01', 'border1', 'adj_in_post /10.0.0.2/10.0.0.2 10.10.21.66/32')
    expect(value).toMatch(/^10\.0\.0\.2 /)
    expect(value).toContain('65002 4200001002 65101')
  })

  test('B02: link bandwidth 3 to 1 at the spine', () => {
    const rack1 = found('B02', 'spine1', 'adj_in_pre /10.0.1.11/10.0.1.11 10.10.21.66/32')
    const rack2 = found('B02', 'spine1', 'adj_in_pre /10.0.1.21/10.0.1.21 10.10.21.66/32')
    expect(rack1).toContain('link-bw:23456:3750000128')
    expect(rack2).toContain('link-bw:23456:1250000000')
  })

  test('C01: RT-2 after the move, RT-5 left behind', () => {
    const host = found(
      'C01',
      'rr1',
      'adj_in_pre /10.255.0.23/10.255.0.23 [2]:[10.255.0.23:100]:[0]:[48]:[52:54:00:00:19:11]:[32]:[10.10.19.17]',
    )
    expect(host).toMatch(/^10\.255\.0\.23 /)
    for (const text of [
      'rt:65000:100',
      'rt:65000:5001',
      'encap:8',
      'mm:4',
      'rmac:52:54:00:ff:00:17',
    ]) {
      expect(host).toContain(text)
    }
    const pods = found(
      'C01',
      'rr2',
      'adj_in_pre /10.255.0.11/10.255.0.11 [5]:[10.255.0.11:5001]:[0]:[26]:[10.10.20.0]',
    )
    expect(pods).toMatch(/^10\.255\.0\.11 /)
    expect(pods).not.toContain('mm:')
  })
})
