import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultFabric, FabricError, loadFabric, parseFabric, type LoadedFabric } from './index.ts'
import { PARAM_KEYS, PARAMS } from './params.ts'

const EXAMPLE = fileURLToPath(new URL('../../../fabric.example.yaml', import.meta.url))

function refusal(text: string): FabricError {
  try {
    parseFabric(text)
  } catch (error) {
    if (error instanceof FabricError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('fabric.yaml', () => {
  test('the example loads without a warning', () => {
    const { fabric, warnings } = loadFabric(EXAMPLE)
    expect(warnings).toEqual([])
    expect(fabric.routers).toHaveLength(5)
    expect(fabric.routers[0]).toMatchObject({
      name: 'tor1',
      address: '192.0.2.11',
      role: 'tor',
      asn: 4200001001,
      vteps: [
        { ip: '10.255.0.11', kind: 'pip' },
        { ip: '10.255.1.1', kind: 'anycast' },
      ],
    })
    expect(fabric.vips[0]).toMatchObject({ pair: '2001:db8:21::66/128', mode: 'active_active' })
    expect(fabric.maintenance[0]?.from.toISOString()).toBe('2026-11-21T10:00:00.000Z')
    expect(fabric.bmp.allow).toEqual(['192.0.2.0/24', '127.0.0.0/8'])
  })

  test.each(['', '# nothing\n', '{}', 'routers:\nvips:\n'])('%j configures nothing', (text) => {
    expect(parseFabric(text)).toEqual({ fabric: defaultFabric(), warnings: [] })
  })

  test('limits, TLS and passive routers of BMP; files lie beside the file', () => {
    const { fabric, warnings } = parseFabric(
      `
bmp:
  max_sessions: 500
  idle_timeout_s: 90
  buffer_mib: 512
  tls: { listen: '[::]:11020', cert: tls/own.pem, key: /etc/own.key, ca: ca.pem, client_auth: optional }
  dial: [tor1.example:11019, { host: 2001:db8::1, port: 1790, tls: true }]
`,
      { folder: '/etc/ribscope' },
    )
    expect(warnings).toEqual([])
    expect(fabric.bmp).toMatchObject({
      ...{ max_sessions: 500, idle_timeout_s: 90, buffer_mib: 512 },
      tls: {
        listen: { host: '::', port: 11020 },
        ...{ cert: '/etc/ribscope/tls/own.pem', key: '/etc/own.key', ca: '/etc/ribscope/ca.pem' },
        client_auth: 'optional',
      },
      dial: [
        { host: 'tor1.example', port: 11019 },
        { host: '2001:db8::1', port: 1790, tls: true },
      ],
    })
  })

  test('JSON is valid YAML', () => {
    const { fabric } = parseFabric(
      '{"routers": [{"name": "tor1", "asn": 65001}], "detectors": {"settle_s": 3}}',
    )
    expect(fabric.routers[0]).toMatchObject({ name: 'tor1', asn: 65001 })
    expect(fabric.detectors.settle_s).toBe(3)
  })

  test('values get their normal form', () => {
    const { fabric } = parseFabric(`
segments: { vip: 2001:DB8:0:0::/64, node: [10.10.19.0/24] }
routers: [{ name: 7, role: leaf, asn: 64086.59904, vteps: [10.0.0.1], always_compare_med: off }]
vips: [{ prefix: 10.0.0.1, backup_ok: yes }]
vrfs: [{ name: A, import_rts: ['rt:65000:1', 65000:2] }]
`)
    expect(fabric.segments.vip).toEqual(['2001:db8::/64'])
    expect(fabric.routers[0]).toMatchObject({
      name: '7',
      role: 'tor',
      asn: 4200000000,
      vteps: [{ ip: '10.0.0.1' }],
      always_compare_med: false,
    })
    expect(fabric.vips[0]).toMatchObject({ prefix: '10.0.0.1/32', backup_ok: true })
    expect(fabric.vrfs[0]?.import_rts).toEqual(['65000:1', '65000:2'])
  })

  test('anchors and merge keys', () => {
    const { fabric, warnings } = parseFabric(`
routers:
  - &tor { name: tor1, role: tor, site: dc1 }
  - { <<: *tor, name: tor2 }
`)
    expect(warnings).toEqual([])
    expect(fabric.routers[1]).toMatchObject({ name: 'tor2', role: 'tor', site: 'dc1' })
  })
})

describe('unknown keys are warnings', () => {
  const warningsOf = (text: string): LoadedFabric['warnings'] => parseFabric(text).warnings

  test('with line and nearest known key', () => {
    expect(warningsOf('vips: []\nruoters: []\n')).toEqual([
      { line: 2, message: 'unknown key ruoters, did you mean routers? (ignored)' },
    ])
    expect(warningsOf('routers:\n  - name: a\n    multipath_relaxed: true\n')).toEqual([
      {
        line: 3,
        message:
          'unknown key multipath_relaxed in routers[0], did you mean multipath_relax? (ignored)',
      },
    ])
    expect(warningsOf('detectors: { settle: 3 }')).toEqual([
      { line: 1, message: 'unknown key settle in detectors, did you mean settle_s? (ignored)' },
    ])
  })

  test('names that lead nowhere and host bits are warnings too', () => {
    expect(
      warningsOf(`
routers: [{ name: tor1 }]
segments: { vip: [10.0.0.5/24] }
nodes:
  - name: n1
    expected_tors: [tor11]
`),
    ).toEqual([
      { line: 3, message: 'segments.vip[0]: 10.0.0.5/24 taken as 10.0.0.0/24' },
      {
        line: 6,
        message: 'nodes[0].expected_tors[0]: tor11 is not configured, did you mean tor1?',
      },
    ])
  })
})

describe('wrong values are errors with file and line', () => {
  test.each([
    ['a: [', /^fabric.yaml:\d+: /],
    ['a: 1\na: 2', /^fabric.yaml:2: Map keys must be unique/],
    ['- 1', 'fabric.yaml:1: the file is a list, expected a map with segments'],
    [
      'routers: 5',
      'fabric.yaml:1: routers is "5", expected a map with name, address, bgp_id, role, rack, pair, ...',
    ],
    ['\nrouters:\n  - role: tor', 'fabric.yaml:3: routers[0] has no name'],
    ['routers: [{ name: a, role: tro }]', 'routers[0].role is "tro", expected leaf, tor, spine'],
    ['routers: [{ name: a, asn: 0 }]', 'routers[0].asn is "0", expected an AS number'],
    ['routers: [{ name: a, asn: 4294967296 }]', 'expected an AS number'],
    ['routers: [{ name: a, asn: 1.65536 }]', 'expected an AS number'],
    [
      'routers: [{ name: a, address: 10.0.0 }]',
      'routers[0].address is "10.0.0", expected an IPv4 or IPv6 address',
    ],
    ['routers: [{ name: a, bgp_id: ::1 }]', 'expected a BGP identifier'],
    ['routers: [{ name: a }, { name: a }]', 'routers[1]: name a is already used on line 1'],
    ['routers: [{ name: a, max_paths_ebgp: 0 }]', 'expected a whole number from 1 to 65535'],
    ['vips: [{ prefix: 10.0.0.0/33 }]', 'expected a prefix as'],
    [
      'vips: [{ prefix: 10.0.0.1, pair: 10.0.0.2 }]',
      'expected the same service in the other address family',
    ],
    ['vips: [{ prefix: 10.0.0.1, mode: both }]', 'expected active_active, active_standby'],
    ['vip_communities: [65536:1]', 'expected a community'],
    ['vrfs: [{ name: A, import_rts: [65000] }]', 'expected a route target'],
    ['vrfs: [{ name: A, l3vni: 16777216 }]', 'expected a whole number from 1 to 16777215'],
    [
      'maintenance: [{ scope: {}, from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z }]',
      'expected at least one of node',
    ],
    [
      'maintenance: [{ scope: { node: a }, from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z }]',
      'expected a time after from',
    ],
    [
      'maintenance: [{ scope: { node: a }, from: yesterday, to: 2026-01-01T00:00:00Z }]',
      'expected a time as',
    ],
    [
      'detectors: { settle_s: -1 }',
      'detectors.settle_s is "-1", expected a number from 0 to 86400',
    ],
    ['detectors: { settle_s: "10" }', 'expected a number'],
    ['detectors: { min_flaps: 2.5 }', 'expected a whole number'],
    ['detectors: { attr_flap: maybe }', 'expected true or false'],
    ['detectors: { penalty_close: 3000 }', 'expected at most penalty_open (2000)'],
    ['detectors: { ingress_weights: 3 }', 'expected a map of ingress class to weight'],
    ['bmp: { allow: [all] }', 'bmp.allow[0] is "all", expected a prefix'],
    ['bmp: { max_sessions: 0 }', 'bmp.max_sessions is "0", expected a whole number from 1'],
    ['bmp: { tls: { listen: "::1:1" } }', 'bmp.tls.listen is "::1:1", expected HOST:PORT'],
    ['bmp: { tls: { listen: "h:1" } }', 'bmp.tls has no cert'],
    [
      'bmp: { tls: { cert: a, key: b, client_auth: required } }',
      'bmp.tls: client_auth required needs ca',
    ],
    ['bmp: { dial: [tor1] }', 'bmp.dial[0] is "tor1", expected HOST:PORT'],
    ['bmp: { dial: [{ host: tor1 }] }', 'bmp.dial[0] has no port'],
    ['bmp: [1]', 'bmp is a list, expected a map with allow, v4_tlvs'],
  ])('%j: %s', (text, message) => {
    const { message: said, exitCode } = refusal(text)
    if (typeof message === 'string') expect(said).toContain(message)
    else expect(said).toMatch(message)
    expect(said).not.toContain('\n')
    expect(exitCode).toBe(2)
  })

  test('several problems: the first by line, and how many more', () => {
    const { message, problems } = refusal(
      'detectors: { settle_s: x }\nvips: [{ prefix: y }]\nbmp: 3\n',
    )
    expect(message).toMatch(/^fabric\.yaml:1: detectors\.settle_s .* \(and 2 more\)$/)
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3])
  })

  test('an unreadable file is named', () => {
    expect(() => loadFabric('/nowhere/fabric.yaml')).toThrow(
      '/nowhere/fabric.yaml: no such file or directory',
    )
  })

  test('any text is loaded or refused with FabricError', () => {
    const piece = fc.constantFrom(
      'routers', 'vips', 'detectors', 'settle_s', 'name', ': ', ':\n  ', '- ', '[', ']', '{', '}',
      ', ', '\n', '&a ', '*a', '<<', '!!binary ', '"', "'", '1', '10.0.0.0/8', '?', '|', '\t',
    ) // prettier-ignore
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        try {
          parseFabric(pieces.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(FabricError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('detectors', () => {
  test('every key can be set to its own default', () => {
    const defaults = Object.fromEntries(PARAM_KEYS.map((key) => [key, PARAMS[key].default]))
    const { fabric, warnings } = parseFabric(JSON.stringify({ detectors: defaults }))
    expect(warnings).toEqual([])
    expect(fabric.detectors).toEqual(defaults)
  })

  test('lists and weights', () => {
    const { fabric } = parseFabric(`
detectors:
  ingress_weights: { border: 2, r1: 0.5 }
  t5_allow_nexthops: 10.255.0.1
  t5_nh_rewrite_ok_roles: [bgw, leaf]
  t5_aggregate_ok: [10.0.0.0/8]
`)
    expect(fabric.detectors).toMatchObject({
      ingress_weights: { border: 2, r1: 0.5 },
      t5_allow_nexthops: ['10.255.0.1'],
      t5_nh_rewrite_ok_roles: ['bgw', 'tor'],
      t5_aggregate_ok: ['10.0.0.0/8'],
    })
  })
})

test('tokens_file is relative to the file that names it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-fabric-'))
  const file = join(folder, 'fabric.yaml')
  writeFileSync(file, 'auth: { tokens_file: tokens.txt }')
  expect(loadFabric(file).fabric.auth.tokens_file).toBe(resolve(folder, 'tokens.txt'))
})
