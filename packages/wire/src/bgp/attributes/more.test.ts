import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { viewOf } from '../../cursor.ts'
import { DecodeError } from '../../errors.ts'
import { hex, update } from '../../testing/bytes.ts'
import { formatExtCommunity } from '../../text/values.ts'
import { parseBgpMessage } from '../message.ts'
import { decodeExtCommunity } from './ext-community.ts'
import type { Attribute } from './index.ts'

function one(text: string): Attribute {
  const { message, errors } = parseBgpMessage(update({ attributes: text }))
  expect(errors).toEqual([])
  if (message?.type !== 'update') throw new Error('no update')
  expect(message.attributes).toHaveLength(1)
  expect(JSON.parse(JSON.stringify(message))).toEqual(message)
  return message.attributes[0]!
}

const attribute = (flags: string, type: string, value: string): string =>
  `${flags} ${type} ${hex(value).length.toString(16).padStart(4, '0')} ${value}`

describe('RFC 7311 section 3: AIGP', () => {
  test('the first metric counts; other TLVs are kept', () => {
    expect(one('80 1a 16 01 000b 0000000000000064 01 000b 0000000000000065')).toEqual({
      kind: 'aigp',
      type: 26,
      metric: 100,
      others: [{ kind: 'raw', type: 1, raw: '0000000000000065' }],
    })
    expect(one('80 1a 0b 01 000b ffffffffffffffff')).toMatchObject({
      metric: '18446744073709551615',
    })
    expect(one('80 1a 05 02 0005 abcd')).toMatchObject({ metric: null, others: [{ raw: 'abcd' }] })
  })
})

describe('RFC 8669 section 3, RFC 9252: PREFIX_SID', () => {
  test('label index, originator SRGB, and what is unknown', () => {
    expect(
      one('c0 28 1f 01 0007 00 0000 0000012c 03 000e 0000 0c3500 001000 0f4240 001388 63 0001 aa'),
    ).toMatchObject({
      tlvs: [
        { kind: 'label_index', labelIndex: 300 },
        {
          kind: 'originator_srgb',
          ranges: [
            { base: 800000, range: 4096 },
            { base: 1000000, range: 5000 },
          ],
        },
        { kind: 'raw', type: 99, raw: 'aa' },
      ],
    })
  })
  test('RFC 9252 sections 2 and 3: SRv6 service, SID, structure', () => {
    const structure = '01 0006 28 18 10 00 10 40'
    const sid = `01 001e 00 20010db8000100010000000000000000 00 0013 00 ${structure}`
    expect(one(`c0 28 25 05 0022 00 ${sid}`)).toEqual({
      kind: 'prefix_sid',
      type: 40,
      tlvs: [
        {
          kind: 'srv6_l3_service',
          type: 5,
          sids: [
            {
              sid: '2001:db8:1:1::',
              flags: 0,
              behavior: 19,
              behaviorName: 'End.DT4',
              structure: {
                locatorBlock: 40,
                locatorNode: 24,
                function: 16,
                argument: 0,
                transposition: 16,
                transpositionOffset: 64,
              },
              others: [],
            },
          ],
          others: [],
        },
      ],
    })
    expect(one('c0 28 04 06 0001 00')).toMatchObject({
      tlvs: [{ kind: 'srv6_l2_service', sids: [], others: [] }],
    })
  })
})

describe('RFC 9012: TUNNEL_ENCAPSULATION', () => {
  const tunnel = (type: string, subTlvs: string): Attribute =>
    one(
      attribute(
        'd0',
        '17',
        `${type} ${hex(subTlvs).length.toString(16).padStart(4, '0')} ${subTlvs}`,
      ),
    )

  test('VXLAN: section 3.1 endpoint, 3.2.1 encapsulation, 3.4 protocol and colour, 3.3 UDP port', () => {
    expect(
      tunnel(
        '0008',
        `06 0a 00000000 0001 c0000201
         01 0c c0 002774 02005e100001 0000
         02 02 0800   04 08 030b 0000 00000064   08 02 12b5   07 01 2e   7f 01 aa`,
      ),
    ).toMatchObject({
      tunnels: [
        {
          tunnelType: 8,
          tunnelName: 'vxlan',
          subTlvs: [
            { kind: 'egress_endpoint', address: '192.0.2.1' },
            { kind: 'virtual_network', vni: 10100, mac: '02:00:5e:10:00:01' },
            { kind: 'protocol_type', protocol: 0x0800 },
            { kind: 'color', color: 100 },
            { kind: 'udp_port', port: 4789 },
            { kind: 'ds_field', value: 0x2e },
            { kind: 'raw', type: 127, raw: 'aa' },
          ],
        },
      ],
    })
  })
  test('endpoints: IPv6, and the next hop; flags of VXLAN; GRE keys; labels; a prefix SID', () => {
    expect(
      tunnel(
        '0009',
        `06 16 00000000 0002 20010db8000000000000000000000001
         06 06 00000000 0000
         01 0c 00 002774 02005e100001 0000`,
      ),
    ).toMatchObject({
      tunnels: [
        {
          subTlvs: [
            { address: '2001:db8::1' },
            { address: '' },
            { kind: 'virtual_network', vni: null, mac: null },
          ],
        },
      ],
    })
    expect(
      tunnel('0002', '01 04 00000007  0a 08 00064000 000651ff  0b 0a 01 0007 00 0000 0000012c'),
    ).toMatchObject({
      tunnels: [
        {
          tunnelName: 'gre',
          subTlvs: [
            { kind: 'encapsulation_key', key: 7 },
            { kind: 'label_stack', labels: [100, 101] },
            { kind: 'prefix_sid', tlvs: [{ kind: 'label_index', labelIndex: 300 }] },
          ],
        },
      ],
    })
  })
  test('a sub-TLV of a wrong size is kept raw, its neighbours are not touched', () => {
    expect(tunnel('0008', '08 03 12b500  08 02 12b5')).toMatchObject({
      tunnels: [{ subTlvs: [{ kind: 'raw', type: 8, raw: '12b500' }, { kind: 'udp_port' }] }],
    })
  })
  test('RFC 9830 section 2.4: SR policy', () => {
    expect(
      tunnel(
        '000f',
        `0c 06 0000 00000064   0d 06 8000 05dc0000   0f 02 0700   0e 03 0000 04
         14 12 0000 fc000000000000000000000000000001
         80 0035 00 09 06 0000 00000002 01 06 0000 03e81000
            0d 1a 1000 20010db8000100000000000000000001 0041 0000 20 00 10 00
            03 06 00 80 c0000201
         81 0008 00 7072696d617279   82 0003 00 7031`,
      ),
    ).toMatchObject({
      tunnels: [
        {
          tunnelName: 'sr_policy',
          subTlvs: [
            { kind: 'preference', preference: 100 },
            { kind: 'binding_sid', type: 13, flags: 0x80, label: 24000, sid: null },
            { kind: 'priority', priority: 7 },
            { kind: 'explicit_null_policy', value: 4 },
            { kind: 'binding_sid', type: 20, sid: 'fc00::1' },
            {
              kind: 'segment_list',
              weight: 2,
              segments: [
                { kind: 'label', label: 16001 },
                { kind: 'srv6_sid', sid: '2001:db8:1::1', behavior: 65 },
                { kind: 'node', address: '192.0.2.1', algorithm: 128, label: null },
              ],
            },
            { kind: 'candidate_path_name', name: 'primary' },
            { kind: 'policy_name', name: 'p1' },
          ],
        },
      ],
    })
  })
})

describe('RFC 6514 section 5: PMSI tunnel identifiers', () => {
  const tunnelOf = (type: string, id: string): unknown => {
    const found = one(attribute('d0', '16', `00 ${type} 000000 ${id}`))
    return found.kind === 'pmsi_tunnel' ? found.tunnel : undefined
  }
  test.each([
    [
      'RSVP-TE P2MP',
      '01',
      'c0000201 0000 0007 c0000263',
      { kind: 'rsvp_te', extendedTunnelId: '192.0.2.1', tunnelId: 7, p2mpId: '192.0.2.99' },
    ],
    [
      'mLDP P2MP, RFC 6388 section 2.2',
      '02',
      '06 0001 04 c0000201 0007 01 0004 0000002a',
      { kind: 'mldp', fecType: 6, root: '192.0.2.1', lspId: 42, opaque: '0100040000002a' },
    ],
    [
      'mLDP MP2MP, opaque value of another type',
      '07',
      '08 0002 10 20010db8000000000000000000000001 0004 02 0001 aa',
      { kind: 'mldp', fecType: 8, root: '2001:db8::1', lspId: null, opaque: '020001aa' },
    ],
    [
      'PIM-SSM',
      '03',
      'c0000201 e8000001',
      { kind: 'multicast', source: '192.0.2.1', group: '232.0.0.1' },
    ],
    [
      'PIM-SM over IPv6',
      '04',
      '20010db8000000000000000000000001 ff3e0000000000000000000000000001',
      { kind: 'multicast', source: '2001:db8::1', group: 'ff3e::1' },
    ],
    [
      'ingress replication',
      '06',
      '20010db8000000000000000000000001',
      { kind: 'endpoint', address: '2001:db8::1' },
    ],
    [
      'assisted replication, RFC 9574',
      '0a',
      'c0000201',
      { kind: 'endpoint', address: '192.0.2.1' },
    ],
    [
      'BIER, RFC 8556 section 2',
      '0b',
      '03 0102 c0000201',
      { kind: 'bier', subDomain: 3, bfrId: 258, bfrPrefix: '192.0.2.1' },
    ],
    ['none', '00', '', null],
    ['a length that is none of the type’s', '03', 'c00002', null],
    ['an mLDP opaque value that is cut', '02', '06 0001 04 c0000201 0007 01', null],
  ])('%s', (_, type, id, tunnel) => {
    expect(tunnelOf(type, id)).toEqual(tunnel)
  })
})

describe('RFC 6368 section 5: ATTR_SET', () => {
  test('the attributes inside, numbers of 4 octets', () => {
    expect(one('c0 80 18 0000fbf0 40 01 01 00 40 02 06 02 01 fa56ea01 40 05 04 000000c8')).toEqual({
      kind: 'attr_set',
      type: 128,
      originAsn: 64496,
      attributes: [
        { kind: 'origin', type: 1, origin: 'igp' },
        {
          kind: 'as_path',
          type: 2,
          segments: [{ kind: 'sequence', asns: [4200000001] }],
          text: '4200000001',
        },
        { kind: 'local_pref', type: 5, localPref: 200 },
      ],
    })
  })
  test('one in another stays raw: nesting ends there', () => {
    expect(one('c0 80 0e 0000fbf0 c0 80 07 0000fbf1 40 06 00')).toMatchObject({
      attributes: [{ kind: 'raw', type: 128, raw: '0000fbf1400600' }],
    })
  })
  test('a bad attribute inside is told and kept raw, the others are read', () => {
    const { message, errors } = parseBgpMessage(
      update({ attributes: 'c0 80 0f 0000fbf0 40 01 02 0000 40 05 03 000000' }),
    )
    expect(errors).toMatchObject([
      { path: 'attr_set.origin', handling: 'treat-as-withdraw', offset: 33 },
      { path: 'attr_set.local_pref', spec: 'RFC 7606 section 7.16' },
    ])
    expect(message).toMatchObject({
      attributes: [{ kind: 'attr_set', attributes: [{ raw: '0000' }, { raw: '000000' }] }],
    })
  })
})

describe('others', () => {
  test('RFC 5701 section 2: IPV6 EXTENDED COMMUNITIES', () => {
    const address = '20010db8000000000000000000000001'
    expect(one(`c0 19 28 0002 ${address} 0064 40ff ${address} 0001`)).toMatchObject({
      communities: [
        { kind: 'route_target', address: '2001:db8::1', number: 100, text: 'rt:2001:db8::1:100' },
        { kind: 'unknown', transitive: false, text: `0x40ff:${address}0001` },
      ],
    })
  })
  test('RFC 5543 section 3: TRAFFIC_ENGINEERING', () => {
    expect(
      one(attribute('90', '18', `01 02 0000 4e9502f9 ${'00'.repeat(28)} 00000000 05dc0000`)),
    ).toMatchObject({
      switchingCapability: 1,
      encoding: 2,
      maxLspBandwidth: [1250000000, 0, 0, 0, 0, 0, 0, 0],
      raw: '0000000005dc0000',
    })
  })
  test('RFC 6514 section 8: PE DISTINGUISHER LABELS', () => {
    expect(one('c0 1b 0e c0000201 000640 c0000202 000651')).toMatchObject({
      labels: [
        { address: '192.0.2.1', label: 100 },
        { address: '192.0.2.2', label: 101 },
      ],
    })
    expect(one(attribute('d0', '1b', '20010db8000000000000000000000001 000640'))).toMatchObject({
      labels: [{ address: '2001:db8::1', label: 100 }],
    })
  })
  test('RFC 9552 section 5.3: BGP-LS', () => {
    expect(
      one(
        attribute(
          '90',
          '1d',
          '0402 0004 746f7231  0447 0003 00000a  0441 0004 4cee6b28  0404 0004 c0000201  ffff 0001 aa',
        ),
      ),
    ).toEqual({
      kind: 'bgp_ls',
      type: 29,
      tlvs: [
        { type: 1026, name: 'node_name', value: 'tor1', raw: '746f7231' },
        { type: 1095, name: 'igp_metric', value: 10, raw: '00000a' },
        { type: 1089, name: 'max_link_bandwidth', value: 125000000, raw: '4cee6b28' },
        { type: 1028, name: 'ipv4_router_id_local', value: '192.0.2.1', raw: 'c0000201' },
        { type: 65535, name: 'type_65535', value: null, raw: 'aa' },
      ],
    })
  })
  test('RFC 8205 section 3: BGPSEC_PATH', () => {
    expect(
      one(attribute('90', '21', `0008 01 80 0000fbf0 001b 01 ${'ab'.repeat(20)} 0002 beef`)),
    ).toMatchObject({
      securePath: [{ pCount: 1, confed: true, asn: 64496 }],
      signatureBlocks: [
        { algorithm: 1, signatures: [{ ski: 'ab'.repeat(20), signature: 'beef' }] },
      ],
    })
  })
  test('RFC 9015 section 3.2: SFP', () => {
    expect(
      one(
        attribute(
          'd0',
          '25',
          '01 000c 01 0000fde800000064 000001  02 000e ff 03 000a 0001 0000fde800000065  09 0000',
        ),
      ),
    ).toMatchObject({
      tlvs: [
        { kind: 'association', rd: '65000:100', spi: 1 },
        {
          kind: 'hop',
          serviceIndex: 255,
          details: [{ kind: 'sft', functionType: 1, rds: ['65000:101'] }],
        },
        { kind: 'raw', type: 9 },
      ],
    })
  })
  test('RFC 9026 section 3.1.6: BFD DISCRIMINATOR', () => {
    expect(one('c0 26 0e 01 0000002a 01 04 c0000201 02 01 aa')).toEqual({
      kind: 'bfd_discriminator',
      type: 38,
      mode: 1,
      discriminator: 42,
      source: '192.0.2.1',
      others: [{ kind: 'raw', type: 2, raw: 'aa' }],
    })
  })
  test('draft-ietf-idr-nhc: NEXT HOP CHARACTERISTICS', () => {
    expect(one('c0 27 0c 0001 01 04 c0000201 0001 0000')).toMatchObject({
      afi: 1,
      safi: 1,
      nextHop: '192.0.2.1',
      characteristics: [{ type: 1, raw: '' }],
    })
  })
  test('deprecated: connector and AS_PATHLIMIT; RFC 9793: BIER', () => {
    expect(one('c0 14 0e 0001 0000fde800000064 c0000201')).toMatchObject({
      rd: '65000:100',
      address: '192.0.2.1',
    })
    expect(one('c0 14 06 0001 c0000201')).toMatchObject({ rd: '', address: '192.0.2.1', raw: '' })
    expect(one('c0 14 03 0002 aa')).toMatchObject({ connectorType: 2, address: '', raw: 'aa' })
    expect(one('c0 15 05 0a 0000fbf0')).toMatchObject({ upperBound: 10, asn: 64496 })
    expect(one('c0 29 06 0001 0002 0102')).toMatchObject({ tlvs: [{ type: 1, raw: '0102' }] })
  })
  test('one that has no rule and cannot be read is raw, and told', () => {
    const { message, errors } = parseBgpMessage(update({ attributes: 'c0 29 03 0001 00' }))
    expect(errors).toMatchObject([{ code: 'TRUNCATED', path: 'bier' }])
    expect(message).toMatchObject({ attributes: [{ kind: 'raw', type: 41, raw: '000100' }] })
  })
})

describe('extended communities taken apart', () => {
  test.each([
    ['0002 fde8 00000064', { kind: 'route_target', administrator: '65000', number: 100 }],
    ['0102 c0000201 0064', { kind: 'route_target', administrator: '192.0.2.1', number: 100 }],
    ['0203 fa56ea69 0064', { kind: 'site_of_origin', administrator: '4200000105', number: 100 }],
    ['0005 0000 000000c8', { kind: 'ospf_domain_id', administrator: '0', number: 200 }],
    ['0107 c0000201 0000', { kind: 'ospf_router_id', administrator: '192.0.2.1' }],
    ['010b c0000201 0007', { kind: 'vrf_route_import', administrator: '192.0.2.1', number: 7 }],
    ['0009 fde8 00000000', { kind: 'source_as', administrator: '65000' }],
    [
      '0306 0a000001 05 01',
      { kind: 'ospf_route_type', area: '10.0.0.1', routeType: 5, options: 1 },
    ],
    [
      '4004 fde8 4cbebc20',
      { kind: 'link_bandwidth', asn: 65000, octetsPerSecond: 1e8, transitive: false },
    ],
    [
      '0610 00 00 00002710',
      { kind: 'evpn_link_bandwidth', octetsPerSecond: 1250000000, weight: null },
    ],
    ['0610 01 00 00000003', { kind: 'evpn_link_bandwidth', octetsPerSecond: null, weight: 3 }],
    ['0610 02 00 00000003', { kind: 'unknown', type: 6, subType: 16 }],
    ['4300 0000 00000002', { kind: 'origin_validation', state: 'invalid', transitive: false }],
    ['030b 4000 00000064', { kind: 'color', flags: 0x4000, color: 100 }],
    ['030c 0000 00000008', { kind: 'encapsulation', tunnelType: 8 }],
    ['030d 0000 00000000', { kind: 'default_gateway' }],
    ['0600 01 00 00000007', { kind: 'mac_mobility', sticky: true, sequence: 7 }],
    ['0601 01 0000 000641', { kind: 'esi_label', singleActive: true, label: 100, raw: 0x641 }],
    ['0602 02005e100001', { kind: 'es_import', mac: '02:00:5e:10:00:01' }],
    ['0603 02005e100001', { kind: 'router_mac', mac: '02:00:5e:10:00:01' }],
    [
      '0604 0006 05dc 0000',
      { kind: 'evpn_l2_attributes', primary: true, backup: false, controlWord: true, mtu: 1500 },
    ],
    ['0605 01 0000 000641', { kind: 'evpn_e_tree', leaf: true, label: 100 }],
    [
      '0606 02 4000 00 7fff',
      { kind: 'df_election', algorithm: 2, capabilities: 0x4000, preference: 32767 },
    ],
    ['0608 09 0000000000', { kind: 'arp_nd', router: true, override: false, immutable: true }],
    ['0609 0003 00000000', { kind: 'multicast_flags', igmpProxy: true, mldProxy: true }],
    ['060b c0000201 0064', { kind: 'evi_rt', administrator: '192.0.2.1', number: 100 }],
    [
      '060f 65000000 8000',
      { kind: 'service_carving_timestamp', seconds: 0x65000000, fraction: 32768 },
    ],
    ['8006 fde8 00000000', { kind: 'traffic_rate', asn: 65000, unit: 'octets', rate: 0 }],
    ['800c 0000 447a0000', { kind: 'traffic_rate', unit: 'packets', rate: 1000 }],
    ['8007 0000 00000002', { kind: 'traffic_action', terminal: true, sample: true }],
    ['8008 fde8 00000064', { kind: 'redirect', administrator: '65000', number: 100 }],
    ['8108 c0000201 0064', { kind: 'redirect', administrator: '192.0.2.1', number: 100 }],
    ['8208 fa56ea01 0064', { kind: 'redirect', administrator: '4200000001', number: 100 }],
    ['8009 0000 0000002e', { kind: 'traffic_marking', dscp: 46 }],
    [
      '800a 0502 05dc 0064',
      { kind: 'layer2_info', encapsulation: 5, flags: 2, mtu: 1500, preference: 100 },
    ],
    ['010c c0000201 0001', { kind: 'redirect_to_ip', address: '192.0.2.1', copy: true }],
    [
      '0702 0000fde8 c00a',
      { kind: 'interface_set', asn: 65000, group: 10, input: true, output: true },
    ],
    [
      '4002 fde8 00000064',
      { kind: 'route_target', transitive: false, text: '0x4002:fde800000064' },
    ],
    ['0777 000000000001', { kind: 'unknown', type: 7, subType: 0x77, raw: '000000000001' }],
  ])('%s', (text, expected) => {
    const bytes = hex(text)
    const found = decodeExtCommunity(bytes, 0, viewOf(bytes))
    expect(found).toMatchObject(expected)
    expect(found.text).toBe(formatExtCommunity(bytes, 0))
  })
})

describe('any bytes', () => {
  test('in any attribute: decoded, or raw and told; JSON-ready', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          16,
          17,
          20,
          21,
          22,
          23,
          24,
          25,
          26,
          27,
          29,
          33,
          36,
          37,
          38,
          39,
          40,
          41,
          128,
        ),
        fc.uint8Array({ maxLength: 120 }),
        (type, value) => {
          const head = [0xd0, type, 0, value.length]
          const attributes = [...head, ...value]
          const text = attributes.map((octet) => octet.toString(16).padStart(2, '0')).join('')
          const { message, errors } = parseBgpMessage(update({ attributes: text }))
          expect(JSON.parse(JSON.stringify(message))).toEqual(message)
          for (const error of errors) expect(error.offset).toBeLessThanOrEqual(27 + value.length)
          expect(errors.every((error) => !(error instanceof DecodeError))).toBe(true)
        },
      ),
      { numRuns: 6000 },
    )
  })
})
