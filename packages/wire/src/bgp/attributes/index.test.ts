import { describe, expect, test } from 'vitest'
import { update } from '../../testing/bytes.ts'
import { parseBgpMessage } from '../message.ts'
import type { Attribute } from './index.ts'

const AS_PATH_2 = '40 02 08 02 03 fbf0 5ba0 5ba0' // 64496 23456 23456

function attributes(text: string): { list: readonly Attribute[]; merged: string | null } {
  const { message, errors } = parseBgpMessage(update({ attributes: text }))
  expect(errors).toEqual([])
  if (message?.type !== 'update') throw new Error('no update')
  return { list: message.attributes, merged: message.mergedAsPath }
}

function one(text: string): Attribute {
  const { list } = attributes(text)
  expect(list).toHaveLength(1)
  return list[0]!
}

describe('path attributes', () => {
  test.each([
    ['igp', '00'],
    ['egp', '01'],
    ['incomplete', '02'],
  ])('RFC 4271 section 5.1.1 ORIGIN %s', (origin, value) => {
    expect(one(`40 01 01 ${value}`)).toEqual({ kind: 'origin', type: 1, origin })
  })

  test('RFC 4271 section 5.1.2, RFC 5065 AS_PATH: sequences, sets, confederations', () => {
    expect(
      one(
        '40 02 24  03 02 0000fde9 0000fdea  04 01 0000fdeb  02 02 0000fbf0 fa56ea01  01 02 0000fbf1 0000fbf2',
      ),
    ).toMatchObject({
      kind: 'as_path',
      text: '(65001 65002) [65003] 64496 4200000001 {64497,64498}',
      segments: [
        { kind: 'confed_sequence', asns: [65001, 65002] },
        { kind: 'confed_set', asns: [65003] },
        { kind: 'sequence', asns: [64496, 4200000001] },
        { kind: 'set', asns: [64497, 64498] },
      ],
    })
    expect(one('40 02 00')).toMatchObject({ text: '', segments: [] })
  })

  test('numbers: NEXT_HOP, MED, LOCAL_PREF, ATOMIC_AGGREGATE, ORIGINATOR_ID, OTC', () => {
    expect(
      attributes(
        '40 03 04 c0000201  80 04 04 ffffffff  40 05 04 00000064  40 06 00  80 09 04 c0000202  c0 23 04 fa56ea01',
      ).list,
    ).toEqual([
      { kind: 'next_hop', type: 3, nextHop: '192.0.2.1' },
      { kind: 'med', type: 4, med: 4294967295 },
      { kind: 'local_pref', type: 5, localPref: 100 },
      { kind: 'atomic_aggregate', type: 6 },
      { kind: 'originator_id', type: 9, originatorId: '192.0.2.2' },
      { kind: 'only_to_customer', type: 35, asn: 4200000001 },
    ])
  })

  test('RFC 6793 AGGREGATOR of 6 and 8 octets, AS4_AGGREGATOR', () => {
    expect(one('c0 07 06 fbf0 c0000201')).toMatchObject({ asn: 64496, address: '192.0.2.1' })
    expect(one('c0 07 08 fa56ea01 c0000201')).toMatchObject({ asn: 4200000001 })
    expect(one('c0 12 08 fa56ea01 c0000201')).toMatchObject({
      kind: 'as4_aggregator',
      asn: 4200000001,
    })
  })

  test('RFC 1997, 4456, 8092: lists', () => {
    expect(one('c0 08 08 fde80001 ffffff01')).toMatchObject({
      communities: ['65000:1', '65535:65281'],
    })
    expect(one('80 0a 08 c0000201 00000001')).toMatchObject({
      clusterList: ['192.0.2.1', '0.0.0.1'],
    })
    expect(one('c0 20 18 fa56ea01 00000001 ffffffff  0000fde8 00000000 00000002')).toMatchObject({
      largeCommunities: ['4200000001:1:4294967295', '65000:0:2'],
    })
  })

  test('RFC 8092 section 3: a repeated value counts once', () => {
    expect(one('c0 20 18 0000fbf0 00000001 00000002 0000fbf0 00000001 00000002')).toMatchObject({
      largeCommunities: ['64496:1:2'],
    })
  })

  test('RFC 6514 section 5, RFC 8365: PMSI_TUNNEL', () => {
    expect(one('c0 16 09 00 06 002774 0aff000b')).toEqual({
      kind: 'pmsi_tunnel',
      type: 22,
      flags: 0,
      leafInformationRequired: false,
      tunnelType: 6,
      tunnelName: 'ingress_replication',
      label: 10100,
      tunnelId: '10.255.0.11',
      tunnel: { kind: 'endpoint', address: '10.255.0.11' },
    })
    expect(one('c0 16 07 01 02 000000 0102')).toMatchObject({
      leafInformationRequired: true,
      tunnelName: 'mldp_p2mp',
      tunnelId: '0102',
    })
    expect(one('c0 16 05 00 63 000000')).toMatchObject({ tunnelName: 'type_99', tunnelId: '' })
  })

  test('D-PATH', () => {
    expect(one('c0 24 0f 02 0000fde8 0001 46 0000fde9 0002 80')).toMatchObject({
      text: '65000:1:70 65001:2:128',
    })
    expect(one('c0 24 10 01 0000fde8 0001 46 01 0000fde9 0002 00')).toMatchObject({
      text: '65000:1:70 65001:2:0',
      segments: [
        [{ globalAdmin: 65000, localAdmin: 1, safi: 70 }],
        [{ globalAdmin: 65001, localAdmin: 2, safi: 0 }],
      ],
    })
  })

  test('what is not decoded stays raw, flags and all', () => {
    expect(one('e0 63 03 010203')).toEqual({ kind: 'raw', type: 99, flags: 0xe0, raw: '010203' })
  })
})

describe('RFC 6793 section 4.2.3: AS4_PATH', () => {
  const merged = (as4: string): string | null => attributes(`${AS_PATH_2} ${as4}`).merged

  test('replaces the end of AS_PATH', () => {
    expect(merged('c0 11 0a 02 02 fa56ea01 fa56ea02')).toBe('64496 4200000001 4200000002')
  })
  test('of the same length replaces all of it', () => {
    expect(merged('c0 11 0e 02 03 0000fbf0 fa56ea01 fa56ea02')).toBe('64496 4200000001 4200000002')
  })
  test('with a set, which counts as one', () => {
    expect(merged('c0 11 0a 01 02 fa56ea01 fa56ea02')).toBe('64496 23456 {4200000001,4200000002}')
  })
  test('longer than AS_PATH is ignored', () => {
    expect(merged('c0 11 12 02 04 00000001 00000002 00000003 00000004')).toBeNull()
  })
  test('section 6: confederation segments of AS4_PATH are dropped', () => {
    expect(merged('c0 11 10 03 01 0000fde9 02 02 fa56ea01 fa56ea02')).toBe(
      '64496 4200000001 4200000002',
    )
  })
  test('RFC 5065 section 5.3: confederation segments in front count nothing and stay', () => {
    expect(
      attributes('40 02 0c 03 01 fde9 02 03 fbf0 5ba0 5ba0 c0 11 0a 02 02 fa56ea01 fa56ea02')
        .merged,
    ).toBe('(65001) 64496 4200000001 4200000002')
  })
  test('of a sequence that is taken in part nothing behind it is taken', () => {
    // 64496 (65001) 64497: two of them are in AS4_PATH, none is left over but the confederation.
    expect(
      attributes('40 02 0e 02 02 fbf0 fbf1 03 01 fde9 02 01 5ba0 c0 11 0a 02 02 0000fbf1 fa56ea01')
        .merged,
    ).toBe('64496 64497 4200000001')
  })
  test('AGGREGATOR of a router of 2 octets makes AS4_AGGREGATOR and AS4_PATH old', () => {
    const as4 = 'c0 11 0a 02 02 fa56ea01 fa56ea02 c0 12 08 fa56ea02 c0000201'
    expect(merged(`c0 07 06 fbf5 c0000202 ${as4}`)).toBeNull()
    expect(merged(`c0 07 06 5ba0 c0000201 ${as4}`)).toBe('64496 4200000001 4200000002')
  })
  test('beside 4-octet numbers is ignored', () => {
    expect(attributes('40 02 06 02 01 0000fbf0 c0 11 06 02 01 0000fbf1').merged).toBeNull()
  })
})
