import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bgp, hex, update } from '../../testing/bytes.ts'
import { formatCapability } from '../../text/capabilities.ts'
import { PeerCodec } from '../peer-codec.ts'
import { DecodeError } from '../../errors.ts'
import { parseBgpMessage } from '../message.ts'
import { parseOpen } from './open.ts'

/** OPEN with these optional parameters (hex after the length octet). */
function open(parameters: string, length?: number): Uint8Array {
  const bytes = hex(parameters)
  return bgp(
    1,
    Uint8Array.from([4, 0x5b, 0xa0, 0, 180, 192, 0, 2, 1, length ?? bytes.length, ...bytes]),
  )
}

/** Capabilities, each in a parameter of its own, as many senders do. */
function capabilities(...list: string[]): string {
  return list
    .map((text) => {
      const octets = hex(text).length
      return `02 ${octets.toString(16).padStart(2, '0')} ${text}`
    })
    .join(' ')
}

describe('RFC 4271 section 4.2 OPEN', () => {
  test('fixed part, RFC 6793 AS number', () => {
    expect(parseOpen(open(capabilities('41 04 fa56ea01')))).toMatchObject({
      open: {
        type: 'open',
        version: 4,
        myAs: 23456,
        asn: 4200000001,
        holdTimeS: 180,
        bgpId: '192.0.2.1',
      },
      errors: [],
    })
    expect(parseOpen(open('')).open).toMatchObject({
      asn: 23456,
      capabilities: [],
      otherParameters: [],
    })
  })

  test.each([
    ['RFC 4760', '01 04 0019 00 46', 'multiprotocol l2vpn-evpn'],
    ['RFC 2918', '02 00', 'route-refresh'],
    ['before it', '80 00', 'route-refresh-cisco'],
    ['RFC 8950', '05 06 0001 0001 0002', 'extended-next-hop ipv4-unicast/afi-2'],
    ['RFC 8654', '06 00', 'extended-message'],
    ['RFC 8277', '08 04 0001 04 05', 'multiple-labels ipv4-labeled/5'],
    ['RFC 9234', '09 01 03', 'role 3'],
    ['RFC 4724', '40 06 c078 0001 01 80', 'graceful-restart 120s R N ipv4-unicast/F'],
    ['RFC 4724, helper only', '40 02 0078', 'graceful-restart 120s'],
    ['RFC 6793', '41 04 0000fbf0', 'as4 64496'],
    ['RFC 7911', '45 08 0001 01 03 0002 01 01', 'add-path ipv4-unicast/both ipv6-unicast/receive'],
    ['RFC 7313', '46 00', 'enhanced-route-refresh'],
    ['RFC 9494', '47 07 0001 01 80 015180', 'llgr ipv4-unicast/86400s/F'],
    ['hostname draft', '49 0a 04 746f7231 04 64633031', 'fqdn tor1.dc01'],
    ['hostname draft, without a domain', '49 06 04 746f7231 00', 'fqdn tor1'],
    ['version draft', '4b 04 03 382e34', 'software-version 8.4'],
    ['RFC 5291', '03 07 0001 00 01 01 40 03', 'orf ipv4-unicast/64:both'],
    [
      'RFC 5291, two types',
      '82 09 0002 00 01 02 40 01 80 02',
      'orf-cisco ipv6-unicast/64:receive,128:send',
    ],
    ['RFC 3107', '04 00', 'multiple-routes'],
    ['RFC 8205', '07 03 08 0002', 'bgpsec send afi-2 version 0'],
    ['dynamic capability draft', '43 02 01 40', 'dynamic 1 64'],
    ['before it', '42 00', 'dynamic'],
    ['multisession draft', '44 02 80 01', 'multisession 1'],
    ['Cisco’s', '83 01 00', 'multisession'],
    ['routing policy draft', '48 04 0001 4b 03', 'routing-policy afi-1-safi-75/both'],
    ['BFD strict draft', '4a 00', 'bfd-strict'],
    ['paths limit draft', '4c 05 0001 01 0008', 'paths-limit ipv4-unicast/8'],
    ['link-local draft', '4d 00', 'link-local-next-hop'],
    ['unknown', '63 02 0102', 'capability-99 0x0102'],
  ])('%s capability %s', (_, text, line) => {
    const read = parseOpen(open(capabilities(text)))
    expect(read.errors).toEqual([])
    expect(read.open.capabilities.map(formatCapability)).toEqual([line])
  })

  test('several capabilities in one parameter, other parameters raw', () => {
    const { open: read } = parseOpen(open('02 06 02 00 46 00 06 00 01 02 aabb'))
    expect(read.capabilities.map(({ kind }) => kind)).toEqual([
      'route_refresh',
      'enhanced_route_refresh',
      'extended_message',
    ])
    expect(read.otherParameters).toEqual([{ type: 1, raw: 'aabb' }])
  })

  test('RFC 9072 section 2: extended optional parameters', () => {
    const read = parseOpen(open('ff 0009 02 0006 41 04 fa56ea01', 255))
    expect(read).toMatchObject({ open: { asn: 4200000001 }, errors: [] })
    // The length before the mark must not be relied on.
    expect(parseOpen(open('ff 0009 02 0006 41 04 fa56ea01', 12)).open.asn).toBe(4200000001)
  })

  test('a capability of wrong size is kept raw, the others are read', () => {
    const { open: read, errors } = parseOpen(
      open(capabilities('41 02 0001', '01 05 0001 00 01 00', '46 00')),
    )
    expect(read.capabilities).toEqual([
      { kind: 'raw', code: 65, raw: '0001' },
      { kind: 'raw', code: 1, raw: '0001000100' },
      { kind: 'enhanced_route_refresh', code: 70 },
    ])
    expect(errors.map(({ code, offset }) => [code, offset])).toEqual([
      ['TRUNCATED', 33],
      ['BAD_LENGTH', 39],
    ])
  })

  test('parameters beyond the message: what is there is read', () => {
    const { open: read, errors } = parseOpen(open(capabilities('46 00') + '02 09 41', 30))
    expect(read.capabilities).toHaveLength(1)
    expect(errors.map(({ code, offset }) => [code, offset])).toEqual([
      ['BAD_LENGTH', 28],
      ['TRUNCATED', 35],
    ])
  })

  test('without its fixed part it is an error', () => {
    expect(parseBgpMessage(bgp(1, hex('04 fbf0')))).toMatchObject({
      message: null,
      errors: [{ code: 'TRUNCATED', offset: 22, raw: '' }],
    })
  })

  test('any bytes are an OPEN or a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (body) => {
        try {
          const { open: read, errors } = parseOpen(bgp(1, body))
          PeerCodec.fromOpens(read, read)
          for (const capability of read.capabilities) formatCapability(capability)
          for (const error of errors) expect(error).toBeInstanceOf(DecodeError)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('RFC 8950 section 4', () => {
  test('both sides have to allow the next hop’s family', () => {
    const a = parseOpen(open(capabilities('05 06 0001 0001 0002'))).open
    const b = parseOpen(open('')).open
    expect(PeerCodec.fromOpens(a, a).extendedNextHop(1, 1)).toBe(true)
    expect(PeerCodec.fromOpens(a, b).extendedNextHop(1, 1)).toBe(false)
    expect(PeerCodec.fromOpens(a, b).asOctets).toBe(2)
  })
  test('a next hop that nobody agreed on is read, and that is told', () => {
    const a = parseOpen(open(capabilities('05 06 0001 0001 0002'))).open
    const b = parseOpen(open('')).open
    const nextHop = '20010db8000000000000000000000001'
    const message = update({
      attributes: `40 01 01 00 40 02 00 80 0e 19 0001 01 10 ${nextHop} 00 18 cb0071`,
    })
    const group = (codec?: PeerCodec) => {
      const { message: read } = parseBgpMessage(message, 0, message.length, { codec })
      if (read?.type !== 'update') throw new Error('no update')
      return read.announced[0]
    }
    const whole = { nextHop: '2001:db8::1', routes: [{ nlri: '203.0.113.0/24' }] }
    expect(group(PeerCodec.fromOpens(a, a))).toMatchObject({ ...whole, nextHopAgreed: true })
    expect(group(PeerCodec.fromOpens(a, b))).toMatchObject({ ...whole, nextHopAgreed: false })
    expect(group()).toMatchObject({ ...whole, nextHopAgreed: null })
  })
})
