import { describe, expect, test } from 'vitest'
import { inventoryRows, parseFabric } from './index.ts'
import { PARAM_KEYS } from './params.ts'

const rowsOf = (text: string): ReturnType<typeof inventoryRows> =>
  inventoryRows(parseFabric(text).fabric)

describe('inventory rows', () => {
  test('an empty file has parameters and nothing else', () => {
    const { params, ...rest } = rowsOf('')
    expect(Object.values(rest).flat()).toEqual([])
    expect(params.map(({ key }) => key)).toEqual(PARAM_KEYS)
    expect(params).toContainEqual({ key: 'settle_s', value: '10', number: 10 })
    expect(params).toContainEqual({ key: 'attr_flap', value: 'false', number: 0 })
    expect(params).toContainEqual({ key: 'ingress_weights', value: '{"border":1}', number: null })
  })

  test('unknown policy is null, not false', () => {
    expect(
      rowsOf('routers: [{ name: a }, { name: b, multipath_relax: false }]').routers,
    ).toMatchObject([
      { router: 'a', multipath_relax: null, max_paths_ebgp: null, asn: 0, role: '' },
      { router: 'b', multipath_relax: 0 },
    ])
  })

  test('the order of the file does not matter', () => {
    const a = rowsOf(
      'routers: [{ name: a }, { name: b }]\nvips: [{ prefix: 10.0.0.1 }, { prefix: 10.0.0.2 }]',
    )
    const b = rowsOf(
      'vips: [{ prefix: 10.0.0.2 }, { prefix: 10.0.0.1 }]\nrouters: [{ name: b }, { name: a }]',
    )
    expect(a).toEqual(b)
  })

  test('VTEP groups: one router, one pair, one shared address', () => {
    const { vteps } = rowsOf(`
routers:
  - { name: leaf1, pair: p1, vteps: [10.0.0.1, { ip: 10.1.0.1, kind: anycast }] }
  - { name: leaf2, pair: p1, vteps: [10.0.0.2] }
  - { name: leaf4, site: b, vteps: [10.0.0.4, { ip: 10.1.0.3, kind: anycast, site: x }] }
  - { name: leaf3, site: b, vteps: [10.0.0.3, { ip: 10.1.0.3, kind: anycast }] }
  - { name: leaf5, vteps: [10.0.0.5] }
  - { name: spine1, pair: p1 }
`)
    const groups = new Map(vteps.map(({ vtep, vgroup }) => [vtep, vgroup]))
    expect(Object.fromEntries(groups)).toEqual({
      '10.0.0.1': 'p1',
      '10.1.0.1': 'p1',
      '10.0.0.2': 'p1',
      '10.0.0.3': 'leaf3',
      '10.0.0.4': 'leaf3',
      '10.1.0.3': 'leaf3',
      '10.0.0.5': 'leaf5',
    })
    expect(vteps.filter(({ vtep }) => vtep === '10.1.0.3')).toMatchObject([
      { router: 'leaf3', kind: 'anycast', site: 'b' },
      { router: 'leaf4', kind: 'anycast', site: 'x' },
    ])
  })

  test('segments, communities and maintenance', () => {
    const rows = rowsOf(`
segments: { pod: [10.2.0.0/16], vip: [10.1.0.0/16] }
vip_communities: [65000:21]
maintenance: [{ scope: { vip: 10.1.0.1, vrf: K8S }, from: 2026-01-01T00:00:00+01:00, to: 2026-01-02T00:00:00Z }]
`)
    expect(rows.segments).toEqual([
      { kind: 'community', value: '65000:21' },
      { kind: 'pod', value: '10.2.0.0/16' },
      { kind: 'vip', value: '10.1.0.0/16' },
    ])
    expect(rows.maintenance).toEqual([
      {
        scope: { vip: '10.1.0.1/32', vrf: 'K8S' },
        from: '2025-12-31T23:00:00.000Z',
        to: '2026-01-02T00:00:00.000Z',
      },
    ])
  })
})
