import { describe, expect, test } from 'vitest'
import { PeerHeader } from '../bmp/peer-header.ts'
import { update } from '../testing/bytes.ts'
import { readUpdate } from '../testing/route-text.ts'
import { attributeName, ATTRIBUTE_RULES } from './attribute-rules.ts'

const ORIGIN = '40 01 01 00'
const AS_PATH = '40 02 06 02 01 0000fbf0'
const NEXT_HOP = '40 03 04 c0000201'

const withdraw = 'treat-as-withdraw'
const discard = 'attribute-discard'

/** name, attribute, type, code, offset in the attribute, handling, clause */
const CASES: readonly (readonly [string, string, number, string, number, string, string])[] = [
  ['ORIGIN of 2 octets', '40 01 02 0000', 1, 'BAD_LENGTH', 0, withdraw, 'RFC 7606 section 7.1'],
  ['ORIGIN of 0 octets', '40 01 00', 1, 'BAD_LENGTH', 0, withdraw, 'RFC 7606 section 7.1'],
  ['ORIGIN 3', '40 01 01 03', 1, 'BAD_VALUE', 3, withdraw, 'RFC 7606 section 7.1'],
  [
    'AS_PATH segment type 5',
    '40 02 06 05 01 0000fbf0',
    2,
    'BAD_VALUE',
    0,
    withdraw,
    'RFC 7606 section 7.2',
  ],
  [
    'AS_PATH segment of no AS',
    '40 02 02 02 00',
    2,
    'BAD_VALUE',
    0,
    withdraw,
    'RFC 7606 section 7.2',
  ],
  [
    'AS_PATH segment too long',
    '40 02 06 02 09 0000fbf0',
    2,
    'BAD_VALUE',
    0,
    withdraw,
    'RFC 7606 section 7.2',
  ],
  [
    'AS_PATH with one octet left',
    '40 02 07 02 01 0000fbf0 02',
    2,
    'BAD_VALUE',
    0,
    withdraw,
    'RFC 7606 section 7.2',
  ],
  [
    'NEXT_HOP of 16 octets',
    '40 03 10 20010db8000000000000000000000001',
    3,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.3',
  ],
  ['MED of 3 octets', '80 04 03 000001', 4, 'BAD_LENGTH', 0, withdraw, 'RFC 7606 section 7.4'],
  [
    'LOCAL_PREF of 5 octets',
    '40 05 05 0000000000',
    5,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.5',
  ],
  [
    'ATOMIC_AGGREGATE of 1 octet',
    '40 06 01 00',
    6,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 7606 section 7.6',
  ],
  [
    'AGGREGATOR of 7 octets',
    'c0 07 07 00000000000000',
    7,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 7606 section 7.7',
  ],
  [
    'AGGREGATOR of 6 octets beside 4-octet AS_PATH',
    'c0 07 06 fbf0 c0000201',
    7,
    'BAD_LENGTH',
    3,
    discard,
    'RFC 7606 section 7.7',
  ],
  [
    'COMMUNITIES of 3 octets',
    'c0 08 03 000000',
    8,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.8',
  ],
  ['COMMUNITIES of 0 octets', 'c0 08 00', 8, 'BAD_LENGTH', 0, withdraw, 'RFC 7606 section 7.8'],
  [
    'ORIGINATOR_ID of 3 octets',
    '80 09 03 000000',
    9,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.9',
  ],
  [
    'CLUSTER_LIST of 6 octets',
    '80 0a 06 000000000000',
    10,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.10',
  ],
  [
    'EXTENDED COMMUNITIES of 12 octets',
    'c0 10 0c 000000000000000000000000',
    16,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.14',
  ],
  [
    'AS4_PATH with a cut segment',
    'c0 11 06 02 02 0000fbf0',
    17,
    'BAD_VALUE',
    0,
    discard,
    'RFC 6793 section 6',
  ],
  [
    'AS4_AGGREGATOR of 6 octets',
    'c0 12 06 000000000000',
    18,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 6793 section 6',
  ],
  [
    'PMSI_TUNNEL of 4 octets',
    'c0 16 04 00060000',
    22,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 6514 section 5',
  ],
  [
    'IPV6 EXTENDED COMMUNITIES of 8 octets',
    'c0 19 08 0000000000000000',
    25,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.15',
  ],
  [
    'LARGE COMMUNITIES of 13 octets',
    'c0 20 0d 00000000000000000000000000',
    32,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 8092 section 6',
  ],
  [
    'ONLY_TO_CUSTOMER of 2 octets',
    'c0 23 02 0000',
    35,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 9234 section 5',
  ],
  [
    'TUNNEL_ENCAPSULATION whose TLV is too long',
    'c0 17 04 000f 0005',
    23,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 9012 section 13',
  ],
  [
    'TUNNEL_ENCAPSULATION whose sub-TLV ends beyond its tunnel',
    'c0 17 0a 0008 0006 06 05 00000000',
    23,
    'BAD_LENGTH',
    7,
    withdraw,
    'RFC 9012 section 13',
  ],
  [
    'TUNNEL_ENCAPSULATION with one octet of a sub-TLV',
    'c0 17 05 0008 0001 80',
    23,
    'BAD_LENGTH',
    7,
    withdraw,
    'RFC 9012 section 13',
  ],
  [
    'TRAFFIC_ENGINEERING of 4 octets',
    '80 18 04 01010000',
    24,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.13',
  ],
  [
    'AIGP TLV of 10 octets',
    '80 1a 0a 01 000a 00000000000000',
    26,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 7311 section 3.2',
  ],
  [
    'AIGP TLV longer than the attribute',
    '80 1a 05 01 000b 0000',
    26,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 7311 section 3.2',
  ],
  ['AIGP of 0 octets', '80 1a 00', 26, 'BAD_LENGTH', 0, discard, 'RFC 7311 section 3.2'],
  [
    'PE DISTINGUISHER LABELS of 8 octets',
    'c0 1b 08 c0000201 000640 00',
    27,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 6514 section 8',
  ],
  [
    'BGP-LS TLV longer than the attribute',
    '80 1d 05 0447 0004 00',
    29,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 9552 section 8.2.2',
  ],
  [
    'BGP-LS with the half of a TLV header behind a TLV',
    '80 1d 09 0447 0003 00000a 0447',
    29,
    'BAD_LENGTH',
    10,
    discard,
    'RFC 9552 section 8.2.2',
  ],
  [
    'BGPSEC_PATH without a signature block',
    '80 21 08 0008 01 00 0000fbf0',
    33,
    'BAD_LENGTH',
    11,
    withdraw,
    'RFC 8205 section 5.2',
  ],
  [
    'BGPSEC_PATH whose Secure_Path is no list of segments',
    '80 21 07 0007 01 00 000000',
    33,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 8205 section 5.2',
  ],
  [
    'BGPSEC_PATH with a cut signature',
    '80 21 22 0008 01 00 0000fbf0 001a 01 0000000000000000000000000000000000000000 0002 aa',
    33,
    'BAD_LENGTH',
    14,
    withdraw,
    'RFC 8205 section 5.2',
  ],
  [
    'D-PATH with half a domain',
    'c0 24 08 02 0000fde8 0001 46',
    36,
    'BAD_LENGTH',
    0,
    withdraw,
    'draft-ietf-bess-evpn-ipvpn-interworking section 4',
  ],
  [
    'SFP TLV longer than the attribute',
    'c0 25 05 01 000c 0000',
    37,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 9015 section 3.2',
  ],
  [
    'BFD DISCRIMINATOR of 4 octets',
    'c0 26 04 01 000000',
    38,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 9026 section 3.1.6',
  ],
  [
    'BFD DISCRIMINATOR with a cut TLV',
    'c0 26 08 01 00000001 01 04 c0',
    38,
    'BAD_LENGTH',
    8,
    discard,
    'RFC 9026 section 3.1.6',
  ],
  [
    'NEXT HOP CHARACTERISTICS without its next hop',
    'c0 27 05 0001 01 04 c0',
    39,
    'BAD_LENGTH',
    6,
    discard,
    'draft-ietf-idr-nhc section 2',
  ],
  ['PREFIX_SID of 2 octets', 'c0 28 02 01 00', 40, 'BAD_LENGTH', 0, discard, 'RFC 8669 section 6'],
  [
    'PREFIX_SID label index of 6 octets',
    'c0 28 09 01 0006 00 0000 000000',
    40,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 8669 section 6',
  ],
  [
    'PREFIX_SID SRGB without a range',
    'c0 28 05 03 0002 0000',
    40,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 8669 section 6',
  ],
  [
    'PREFIX_SID TLV longer than the attribute',
    'c0 28 04 63 0002 00',
    40,
    'BAD_LENGTH',
    0,
    discard,
    'RFC 8669 section 6',
  ],
  [
    'SRv6 service TLV of no octet',
    'c0 28 03 05 0000',
    40,
    'BAD_LENGTH',
    6,
    withdraw,
    'RFC 9252 section 7',
  ],
  [
    'SRv6 service TLV longer than the attribute',
    'c0 28 03 06 0001',
    40,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 9252 section 7',
  ],
  [
    'SRv6 SID information of 20 octets',
    'c0 28 1b 05 0018 00 01 0014 0000000000000000000000000000000000000000',
    40,
    'BAD_LENGTH',
    7,
    withdraw,
    'RFC 9252 section 7',
  ],
  [
    'SRv6 SID structure beyond its sub-TLV',
    'c0 28 1f 05 001c 00 01 0018 000000000000000000000000000000000000000000 01 0006',
    40,
    'BAD_LENGTH',
    31,
    withdraw,
    'RFC 9252 section 7',
  ],
  [
    'ATTR_SET of 3 octets',
    'c0 80 03 000000',
    128,
    'BAD_LENGTH',
    0,
    withdraw,
    'RFC 7606 section 7.16',
  ],
  [
    'ATTR_SET whose attribute is too long',
    'c0 80 08 0000fbf0 40 01 02 00',
    128,
    'BAD_LENGTH',
    7,
    withdraw,
    'RFC 7606 section 7.16',
  ],
]

const GOOD: readonly (readonly [number, string])[] = [
  [1, ORIGIN],
  [2, AS_PATH],
  [3, NEXT_HOP],
]

/** One that nothing is wrong with, for every attribute that has a rule. */
const CASES_OF_GOOD: readonly (readonly [number, string])[] = [
  ...GOOD,
  [4, '80 04 04 00000001'],
  [5, '40 05 04 00000064'],
  [6, '40 06 00'],
  [7, 'c0 07 08 0000fbf0 c0000201'],
  [8, 'c0 08 04 fbf00001'],
  [9, '80 09 04 c0000201'],
  [10, '80 0a 04 c0000201'],
  [14, '80 0e 0a 0002 01 00 00 20 20010db8'],
  [15, '80 0f 08 0002 01 20 20010db8'],
  [16, 'c0 10 08 0002fbf000000064'],
  [17, 'c0 11 06 02 01 0000fbf0'],
  [18, 'c0 12 08 0000fbf0 c0000201'],
  [22, 'c0 16 09 00 06 000064 c0000201'],
  [23, 'c0 17 04 0008 0000'],
  [24, '80 18 24 01 01 0000 0000000000000000000000000000000000000000000000000000000000000000'],
  [25, 'c0 19 14 0002 20010db8000000000000000000000001 0064'],
  [26, '80 1a 0b 01 000b 0000000000000064'],
  [27, 'c0 1b 07 c0000201 000641'],
  [29, '80 1d 07 0447 0003 00000a'],
  [32, 'c0 20 0c 0000fbf0 00000001 00000002'],
  [33, '80 21 23 0008 01 00 0000fbf0 001b 01 0000000000000000000000000000000000000000 0002 aabb'],
  [35, 'c0 23 04 0000fbf0'],
  [36, 'c0 24 08 01 0000fde8 0001 46'],
  [37, 'c0 25 0f 01 000c 01 0000fde800000064 000001'],
  [38, 'c0 26 0b 01 00000001 01 04 c0000201'],
  [39, 'c0 27 08 0001 01 04 c0000201'],
  [40, 'c0 28 0a 01 0007 00 0000 00000064'],
  [128, 'c0 80 08 0000fbf0 40 01 01 00'],
]

/** The good attributes, the bad one in place of its like; where it begins in the message. */
function around(type: number, bad: string): { message: Uint8Array; at: number } {
  const before = GOOD.filter(([code]) => code < type).map(([, text]) => text)
  const after = GOOD.filter(([code]) => code > type).map(([, text]) => text)
  const octets = (text: string): number => text.replace(/\s/g, '').length / 2
  return {
    message: update({ attributes: [...before, bad, ...after].join(' '), nlri: '18 cb0071' }),
    at: 23 + octets(before.join('')),
  }
}

describe('RFC 7606 table of treatments', () => {
  test.each(CASES)('%s', (_, attribute, type, code, at, handling, spec) => {
    const { message, at: start } = around(type, attribute)
    const { index, routes, errors } = readUpdate(message)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatchObject({ code, offset: start + at, handling, spec })
    // Left out itself, the routes and every other attribute kept.
    expect(index.at[type]).toBe(-1)
    expect([...index.types.subarray(0, index.typeCount)]).not.toContain(type)
    expect(routes).toEqual(['+203.0.113.0/24'])
    for (const [good] of GOOD) if (good !== type) expect(index.at[good]).toBeGreaterThan(0)
  })

  test('every attribute with a rule has a case here', () => {
    const covered = new Set(CASES.map((row) => row[2]))
    for (const { type } of ATTRIBUTE_RULES)
      if (type !== 14 && type !== 15) expect(covered).toContain(type)
  })

  test('section 3 c: wrong flag bits are told, the value is kept', () => {
    const { index, errors, routes } = readUpdate(around(4, 'c0 04 04 00000001').message)
    expect(errors).toMatchObject([{ code: 'BAD_FLAGS', handling: withdraw, offset: 43, length: 1 }])
    expect(index.view.getUint32(index.at[4]!)).toBe(1)
    expect(routes).toHaveLength(1)
  })

  test.each([
    [
      'AIGP with the transitive bit (RFC 7311 section 3)',
      'c0 1a 0b 01 000b 0000000000000064',
      26,
      discard,
    ],
    ['TUNNEL_ENCAPSULATION without it (RFC 9012 section 13)', '80 17 04 0008 0000', 23, discard],
    ['PREFIX_SID without it', '80 28 0a 01 0007 00 0000 00000064', 40, withdraw],
    ['ORIGIN that is optional', 'c0 01 01 00', 1, withdraw],
    ['ATTR_SET without it', '80 80 04 0000fbf0', 128, withdraw],
  ])('section 3 c: %s: told, the value is kept', (_, attribute, type, handling) => {
    const { index, errors } = readUpdate(around(type, attribute).message)
    expect(errors).toMatchObject([{ code: 'BAD_FLAGS', handling, length: 1 }])
    expect(index.at[type]).toBeGreaterThan(0)
  })

  test('every rule says flags: the wrong ones are told for each attribute', () => {
    for (const { type, name, flags, flagsHandling } of ATTRIBUTE_RULES) {
      const [, good] = [...CASES_OF_GOOD].find(([code]) => code === type) ?? []
      if (good === undefined) throw new Error(`no good ${name}`)
      const right = readUpdate(around(type, good).message)
      expect([name, right.errors]).toEqual([name, []])
      const octets = good.replace(/\s/g, '')
      const wrong = readUpdate(
        around(type, `${(flags ^ 0xc0).toString(16).padStart(2, '0')}${octets.slice(2)}`).message,
      )
      expect([name, wrong.errors.map(({ code, handling }) => [code, handling])]).toEqual([
        name,
        [['BAD_FLAGS', flagsHandling ?? withdraw]],
      ])
      expect(wrong.index.at[type]).toBeGreaterThan(0)
      const twice = readUpdate(around(type, `${good} ${good}`).message)
      const mp = type === 14 || type === 15
      expect([name, twice.errors.map(({ code, handling }) => [code, handling])]).toEqual([
        name,
        [['DUPLICATE', mp ? 'session-reset' : discard]],
      ])
    }
  })

  test('section 3 c: of an unknown attribute the transitive and partial bits are free', () => {
    const { index, errors } = readUpdate(around(99, 'e0 63 01 2a 80 64 00').message)
    expect(errors).toEqual([])
    expect([...index.types.subarray(0, index.typeCount)]).toEqual([1, 2, 3, 99, 100])
    expect(index.flagsOf[99]).toBe(0xe0)
  })

  test('RFC 4271 section 6.3: an unknown attribute that says it is well-known is told, and kept', () => {
    const { index, errors, routes } = readUpdate(around(99, '40 63 01 2a').message)
    expect(errors).toMatchObject([
      { code: 'UNSUPPORTED', path: 'attribute(99)', handling: 'session-reset', length: 2 },
    ])
    expect(index.at[99]).toBeGreaterThan(0)
    expect(routes).toEqual(['+203.0.113.0/24'])
  })

  test.each([
    ['AS_PATH', '40 02 0a 02 02 0000fbf0 00000000', 2, withdraw],
    ['AGGREGATOR', 'c0 07 08 00000000 c0000201', 7, discard],
    ['AS4_PATH', 'c0 11 06 02 01 00000000', 17, discard],
    ['AS4_AGGREGATOR', 'c0 12 08 00000000 c0000201', 18, discard],
  ])('RFC 7607 section 2: AS 0 in %s is told, and kept', (_, attribute, type, handling) => {
    const { index, errors } = readUpdate(around(type, attribute).message)
    index.checkAsPathNumbers()
    expect(errors).toMatchObject([
      { code: 'BAD_VALUE', handling, spec: 'RFC 7607 section 2', path: attributeName(type) },
    ])
    expect(index.at[type]).toBeGreaterThan(0)
  })

  test('section 3 d: missing ORIGIN and AS_PATH are told, missing NEXT_HOP is not', () => {
    const { errors, routes } = readUpdate(
      update({ attributes: '40 05 04 00000064', nlri: '08 0a' }),
    )
    expect(errors).toMatchObject([
      { code: 'MISSING', path: 'origin', handling: withdraw },
      { code: 'MISSING', path: 'as_path', handling: withdraw },
    ])
    expect(routes).toEqual(['+10.0.0.0/8'])
    expect(readUpdate(update({ withdrawn: '08 0a' })).errors).toEqual([])
  })

  test('section 3 d: the Loc-RIB has routes that were in no UPDATE (GoBGP)', () => {
    const header = Object.assign(new PeerHeader(), { rib: 'loc_rib' })
    const message = update({ attributes: ORIGIN, nlri: '08 0a' })
    expect(readUpdate(message, undefined, header).errors).toEqual([])
    expect(readUpdate(message, undefined, new PeerHeader()).errors).toHaveLength(1)
  })

  test('section 3 g: of an attribute that comes twice the first one counts', () => {
    const { index, errors } = readUpdate(around(4, '80 04 04 00000001 80 04 04 00000002').message)
    expect(errors).toMatchObject([
      { code: 'DUPLICATE', handling: discard, path: 'med', offset: 50 },
    ])
    expect(index.view.getUint32(index.at[4]!)).toBe(1)
    expect(index.typeCount).toBe(4)
  })

  test('section 3 g: of MP attributes that come twice all are read', () => {
    const one = '80 0e 0a 0002 01 00 00 20 20010db8'
    const two = '80 0e 0a 0002 01 00 00 20 20010db9'
    const gone = '80 0f 08 0002 01 20 20010dba 80 0f 08 0002 01 20 20010dbb'
    const { errors, routes } = readUpdate(
      update({ attributes: `${one} ${gone} ${two} ${ORIGIN} ${AS_PATH}` }),
    )
    expect(errors).toMatchObject([
      { code: 'DUPLICATE', path: 'mp_unreach', handling: 'session-reset' },
      { code: 'DUPLICATE', path: 'mp_reach', handling: 'session-reset' },
    ])
    expect(routes).toEqual(['-2001:dba::/32', '-2001:dbb::/32', '+2001:db8::/32', '+2001:db9::/32'])
  })

  test('section 4: an attribute longer than what is left ends the walk, NLRI are still found', () => {
    const { index, errors, routes } = readUpdate(
      update({ attributes: `${ORIGIN} ${AS_PATH} 80 04 05 00000001`, nlri: '18 cb0071' }),
    )
    expect(errors).toMatchObject([
      {
        code: 'BAD_LENGTH',
        path: 'med',
        offset: 36,
        length: 7,
        handling: withdraw,
        spec: 'RFC 7606 section 4',
      },
    ])
    expect(index.typeCount).toBe(2)
    expect(routes).toEqual(['+203.0.113.0/24'])
  })

  test.each([
    ['one octet', '40'],
    ['two octets', '40 01'],
    ['three octets of an extended header', '50 01 00'],
  ])('section 4: %s left where an attribute should be', (_, rest) => {
    const { errors, routes } = readUpdate(
      update({ attributes: `${ORIGIN} ${AS_PATH} ${rest}`, nlri: '08 0a' }),
    )
    expect(errors).toMatchObject([{ code: 'TRUNCATED', path: 'attributes', offset: 36 }])
    expect(routes).toEqual(['+10.0.0.0/8'])
  })

  test('section 5.3: a prefix that is too long ends its list, not the others', () => {
    const { errors, routes } = readUpdate(
      update({
        withdrawn: '08 0a  21 0a00000000',
        attributes: `80 0e 13 0002 01 00 00 20 20010db8 81 20010db8 08 20 00 00 ${ORIGIN} ${AS_PATH}`,
        nlri: '18 cb0071 18 cb00',
      }),
    )
    expect(
      errors.map(({ path, offset, code, handling }) => [path, offset, code, handling]),
    ).toEqual([
      ['withdrawn', 23, 'BAD_VALUE', withdraw],
      ['mp_reach.nlri', 44, 'BAD_VALUE', 'session-reset'],
      ['nlri', 70, 'BAD_VALUE', withdraw],
    ])
    expect(routes).toEqual(['-10.0.0.0/8', '+2001:db8::/32', '+203.0.113.0/24'])
  })

  test.each([
    ['MP_REACH of 4 octets', '80 0e 04 0002 01 00', 'mp_reach', 'RFC 7606 section 7.11'],
    [
      'MP_REACH whose next hop is longer than it',
      '80 0e 05 0002 01 10 00',
      'mp_reach',
      'RFC 7606 section 7.11',
    ],
    ['MP_UNREACH of 2 octets', '80 0f 02 0002', 'mp_unreach', 'RFC 7606 section 7.12'],
  ])('%s is left out', (_, attribute, path, spec) => {
    const { index, errors, routes } = readUpdate(
      update({ attributes: `${attribute} ${ORIGIN} ${AS_PATH} ${NEXT_HOP}`, nlri: '08 0a' }),
    )
    expect(errors).toMatchObject([{ code: 'BAD_LENGTH', path, spec, handling: 'session-reset' }])
    expect(index.at[14]).toBe(-1)
    expect(index.at[15]).toBe(-1)
    expect(routes).toEqual(['+10.0.0.0/8'])
  })

  test('section 7.11: a next hop of odd length is told, its routes are kept', () => {
    const { index, errors, routes } = readUpdate(
      update({ attributes: `80 0e 0f 0002 01 05 0102030405 00 20 20010db8 ${ORIGIN} ${AS_PATH}` }),
    )
    expect(errors).toMatchObject([
      { code: 'BAD_LENGTH', path: 'mp_reach.next_hop', offset: 29, length: 6 },
    ])
    expect(routes).toEqual(['+2001:db8::/32'])
    expect(index.fields[0]).toMatchObject({ nextHopLen: 5, nextHopGlobalOctets: 0 })
  })

  test('errors of one message are bounded', () => {
    const attributes = '40 01 02 0000'.repeat(300)
    const { index } = readUpdate(update({ attributes }))
    expect(index.errors).toHaveLength(64)
    expect(index.errorsDropped).toBe(300 - 64)
  })
})

describe('RFC 4271 section 6.1 and 6.3: lengths of the message', () => {
  const whole = update({ withdrawn: '08 0a', attributes: ORIGIN, nlri: '' })
  const bent = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = whole.slice()
    change(bytes)
    return bytes
  }

  test('withdrawn routes beyond the message leave nothing to trust', () => {
    const { errors, routes, endOfRib } = readUpdate(bent((bytes) => (bytes[20] = 200)))
    expect(errors).toMatchObject([
      { code: 'BAD_LENGTH', path: 'withdrawn', offset: 19, handling: 'session-reset' },
    ])
    expect(routes).toEqual([])
    expect(endOfRib).toBeUndefined()
  })
  test('attributes beyond the message likewise', () => {
    const { errors, routes } = readUpdate(bent((bytes) => (bytes[24] = 200)))
    expect(errors).toMatchObject([{ code: 'BAD_LENGTH', path: 'attributes', offset: 23 }])
    expect(routes).toEqual([])
  })
  test('a message that is cut off is read as far as it goes', () => {
    const { errors, routes } = readUpdate(whole.subarray(0, whole.length - 1))
    expect(errors.map(({ path }) => path)).toEqual(['update', 'attributes', 'origin'])
    expect(routes).toEqual(['-10.0.0.0/8'])
  })
  test('a marker that is not all ones is told', () => {
    const { errors, routes } = readUpdate(bent((bytes) => (bytes[3] = 0)))
    expect(errors).toMatchObject([{ path: 'update.marker', offset: 0, length: 16 }])
    expect(routes).toEqual(['-10.0.0.0/8'])
  })
  test('too short, or no UPDATE', () => {
    expect(readUpdate(whole.subarray(0, 22)).errors).toMatchObject([{ code: 'TRUNCATED' }])
    expect(readUpdate(bent((bytes) => (bytes[18] = 4))).errors).toMatchObject([
      { code: 'UNSUPPORTED' },
    ])
  })
})
