import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { iso, openFixture, VIP, type Fixture, type Served } from './testing/fixture.ts'

let fixture: Fixture
let served: Served

interface Operation {
  readonly summary?: string
  readonly tags?: string[]
  readonly parameters?: {
    name: string
    in: string
    description?: string
    required?: boolean
    schema: object
  }[]
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>
}
interface Document {
  readonly openapi: string
  readonly paths: Record<string, Record<string, Operation>>
}
let document: Document

beforeAll(async () => {
  fixture = await openFixture()
  served = await fixture.serve()
  document = (await served.get('/openapi.json')).json as Document
})
afterAll(() => fixture.close())

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method} ${path}`,
      operation,
    ]),
  )

describe('OpenAPI', () => {
  test('has every resource', () => {
    expect(document.openapi).toMatch(/^3\.1/)
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual([
      'get /api/v1/churn',
      'get /api/v1/diff',
      'get /api/v1/evpn/hosts/{ip}',
      'get /api/v1/evpn/mobility',
      'get /api/v1/evpn/type5',
      'get /api/v1/fabric',
      'get /api/v1/findings',
      'get /api/v1/findings/{id}',
      'get /api/v1/findings/{id}/evidence',
      'get /api/v1/incidents',
      'get /api/v1/incidents/{id}',
      'get /api/v1/nodes',
      'get /api/v1/nodes/{node}',
      'get /api/v1/peers',
      'get /api/v1/peers/sessions',
      'get /api/v1/prefixes/churn',
      'get /api/v1/rib',
      'get /api/v1/rib/history',
      'get /api/v1/routers',
      'get /api/v1/routers/{router}',
      'get /api/v1/tables',
      'get /api/v1/trust',
      'get /api/v1/vips',
      'get /api/v1/vips/{prefix}',
      'get /api/v1/vips/{prefix}/ecmp',
      'get /api/v1/vips/{prefix}/flaps',
      'get /api/v1/vips/{prefix}/shares',
      'get /api/v1/vips/{prefix}/timeline',
      'get /api/v1/visibility',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'post /api/v1/sql',
    ])
  })

  test('each says what it is, what it takes and what it answers', () => {
    for (const [name, operation] of operations()) {
      expect(operation.summary, name).toMatch(/\S{3}/)
      expect(operation.tags, name).toHaveLength(1)
      expect(Object.keys(operation.responses), name).toContain('200')
      expect(Object.values(operation.responses['200']?.content ?? {}), name).not.toHaveLength(0)
      for (const parameter of operation.parameters ?? []) {
        expect(parameter.schema, `${name} ${parameter.name}`).toBeDefined()
      }
      const named = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      const inPath = (operation.parameters ?? [])
        .filter((each) => each.in === 'path')
        .map((each) => each.name)
      expect(inPath, name).toEqual(named)
    }
  })

  test('every schema in it compiles', () => {
    const ajv = new Ajv2020({ strict: false })
    let count = 0
    const walk = (value: unknown): void => {
      if (value === null || typeof value !== 'object') return
      for (const [key, inner] of Object.entries(value)) {
        if (key === 'schema') {
          ajv.compile(inner as object)
          count++
        } else walk(inner)
      }
    }
    walk(document.paths)
    expect(count).toBeGreaterThan(60)
  })

  test.each([
    ['/api/v1/findings', '/api/v1/findings'],
    ['/api/v1/findings/{id}', '/api/v1/findings/f1'],
    ['/api/v1/findings/{id}/evidence', '/api/v1/findings/f1/evidence'],
    ['/api/v1/incidents', '/api/v1/incidents'],
    ['/api/v1/incidents/{id}', '/api/v1/incidents/i1'],
    ['/api/v1/peers', '/api/v1/peers'],
    ['/api/v1/churn', `/api/v1/churn?from=${iso(0)}&to=${iso(3600)}`],
    ['/api/v1/prefixes/churn', `/api/v1/prefixes/churn?from=${iso(0)}&to=${iso(3600)}`],
    ['/api/v1/tables', `/api/v1/tables?from=${iso(0)}&to=${iso(3600)}`],
    ['/api/v1/rib', '/api/v1/rib'],
    ['/api/v1/diff', '/api/v1/diff?from=2026-11-21T12:00:20Z&to=2026-11-21T12:05:00Z'],
    ['/api/v1/routers', '/api/v1/routers'],
    ['/api/v1/routers/{router}', '/api/v1/routers/tor1'],
    ['/api/v1/trust', '/api/v1/trust'],
    ['/api/v1/peers/sessions', '/api/v1/peers/sessions'],
    ['/api/v1/visibility', '/api/v1/visibility'],
    ['/api/v1/visibility', '/api/v1/visibility?vip=10.10.0.0/16'],
    ['/api/v1/nodes', '/api/v1/nodes'],
    ['/api/v1/nodes/{node}', '/api/v1/nodes/node1'],
    ['/api/v1/rib/history', `/api/v1/rib/history?prefix=${VIP}`],
    ['/api/v1/evpn/hosts/{ip}', '/api/v1/evpn/hosts/10.0.0.1'],
    ['/api/v1/evpn/mobility', '/api/v1/evpn/mobility'],
    ['/api/v1/vips/{prefix}/ecmp', `/api/v1/vips/${VIP}/ecmp`],
    ['/api/v1/vips/{prefix}/shares', `/api/v1/vips/${VIP}/shares`],
    ['/api/v1/fabric', '/api/v1/fabric'],
    ['/api/v1/vips', '/api/v1/vips'],
    ['/api/v1/vips/{prefix}', `/api/v1/vips/${VIP}`],
    ['/api/v1/vips/{prefix}/flaps', `/api/v1/vips/${VIP}/flaps`],
    ['/api/v1/vips/{prefix}/timeline', `/api/v1/vips/${VIP}/timeline`],
    ['/api/v1/evpn/type5', '/api/v1/evpn/type5'],
    ['/healthz', '/healthz'],
    ['/readyz', '/readyz'],
  ])('a real answer of %s is what the document says', async (path, url) => {
    const schema =
      document.paths[path]?.['get']?.responses['200']?.content?.['application/json']?.schema
    expect(schema).toBeDefined()
    const { json, status, text } = await served.get(url)
    expect(status, text).toBe(200)
    const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema ?? {})
    expect(validate(json) ? [] : validate.errors).toEqual([])
  })

  test('problems are what the document says', async () => {
    const schema =
      document.paths['/api/v1/rib']?.['get']?.responses['4XX']?.content?.[
        'application/problem+json'
      ]?.schema
    const validate = new Ajv2020({ strict: false }).compile(schema ?? {})
    const { json } = await served.get('/api/v1/rib?at=x')
    expect(validate(json) ? [] : validate.errors).toEqual([])
  })
})

describe('docs', () => {
  test('pages load nothing from elsewhere', async () => {
    const page = await served.get('/docs/')
    expect(page.status).toBe(200)
    expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self'/)
    for (const [, asset] of page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g)) {
      expect((await served.get(`/docs/${asset ?? ''}`)).status, asset).toBe(200)
    }
    expect((await served.get('/docs')).status).toBe(200)
    expect((await served.get('/')).text).toContain('swagger-ui')
  })
})

describe('metrics', () => {
  test('the fabric in numbers, and requests by pattern', async () => {
    await served.get('/api/v1/findings/some-guess')
    await served.get('/no-such-page-1')
    const { text, headers } = await served.get('/metrics')
    expect(headers.get('content-type')).toContain('text/plain')
    expect(text).toContain('ribscope_findings_open{kind="VIP_FLAP",severity="major"} 1')
    expect(text).toContain('ribscope_findings_open{kind="ECMP_SIBLING_DIFF",severity="critical"} 1')
    expect(text).toContain('ribscope_incidents_open 1')
    expect(text).toContain('ribscope_bmp_sessions{state="up"} 2')
    expect(text).toContain('ribscope_bgp_peers{state="down"} 1')
    expect(text).toContain('ribscope_views{trust="untrusted"} 1')
    expect(text).toMatch(/route="\/api\/v1\/findings\/:id",status="404"/)
    expect(text).not.toContain('some-guess')
    expect(text).not.toContain('no-such-page')
  })
})
