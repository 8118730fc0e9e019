import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '@ribscope/store'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { createApi, type ApiConfig, type ApiEvents } from './index.ts'
import { hostName } from './guard.ts'
import { openFixture, type Fixture, type Served } from './testing/fixture.ts'

let fixture: Fixture
let served: Served
let folder: string

beforeAll(async () => {
  fixture = await openFixture()
  served = await fixture.serve({
    hosts: ['Ribscope.example.net'],
    origins: ['https://noc.example.net'],
  })
  folder = mkdtempSync(join(tmpdir(), 'ribscope-guard-'))
})
afterAll(async () => {
  await fixture.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Raw {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** fetch sets Host and Origin itself; a page's browser does not ask us what to send. */
function raw(
  path: string,
  headers: Record<string, string>,
  { method = 'GET', body = '', to = served }: { method?: string; body?: string; to?: Served } = {},
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const { port = 0 } = to.api.address ?? {}
    const call = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
      })
    })
    call.on('error', reject).end(body)
  })
}

describe('Host', () => {
  test.each([
    ['127.0.0.1:8080', 200],
    ['127.0.0.1', 200],
    ['[::1]:8080', 200],
    ['10.1.2.3:80', 200],
    ['localhost:8080', 200],
    ['LOCALHOST', 200],
    ['localhost.', 200],
    ['ribscope.example.net', 200],
    ['RIBSCOPE.example.net:443', 200],
    ['evil.example.com', 403],
    ['127.0.0.1.evil.example.com', 403],
    ['localhost.evil.example.com:8080', 403],
    ['ribscope.example.net.evil.example', 403],
    ['user@127.0.0.1', 403],
    ['127.0.0.1:80/x', 403],
    ['[::1', 403],
  ])('%j: %d', async (host, status) => {
    const { status: got, headers, body } = await raw('/api/v1/findings', { host })
    expect(got, body).toBe(status)
    if (status === 403) {
      expect(headers['content-type']).toContain('application/problem+json')
      expect(JSON.parse(body)).toMatchObject({
        status: 403,
        type: 'urn:ribscope:problem:foreign-host',
      })
    }
  })

  test('holds for every resource, unknown ones too', async () => {
    for (const path of [
      '/',
      '/healthz',
      '/metrics',
      '/docs/',
      '/openapi.json',
      '/nope',
      '/docs/static/swagger-ui.css',
    ]) {
      expect((await raw(path, { host: 'evil.example.com' })).status, path).toBe(403)
    }
    expect(hostName('a:b')).toBeUndefined()
    expect(hostName(undefined)).toBeUndefined()
  })
})

describe('HTTP by hand', () => {
  const talk = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let answer = ''
      const socket = connect(served.api.address?.port ?? 0, '127.0.0.1', () => socket.write(text))
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
      socket.on('close', () => resolve(answer)).on('error', reject)
    })

  test.each([
    ['GET /api/v1/findings HTTP/1.0\r\n\r\n', 403],
    ['GET /api/v1/findings HTTP/1.0\r\nHost:\r\n\r\n', 403],
    ['GET /api/v1/findings HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    [
      'GET /api/v1/findings HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      400,
    ],
    [
      'GET http://evil.example.com/api/v1/findings HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n',
      403,
    ],
    ['\x16\x03\x01\x00\xff hello', 400],
    ['NONSENSE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%j', async (text, status) => {
    const answer = await talk(text)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${String(status)} `))
    expect(answer).not.toContain('"items"')
    if (status !== 400 || !text.includes('findings'))
      expect(answer).toMatch(/content-type: application\/problem\+json/i)
  })
})

describe('Origin', () => {
  const own = (): string => `127.0.0.1:${String(served.api.address?.port)}`

  test('its own and configured ones may, others get 403', async () => {
    const get = (origin: string, host = own()): Promise<Raw> =>
      raw('/api/v1/findings', { host, origin })
    expect((await get(`http://${own()}`)).status).toBe(200)
    expect((await get('https://ribscope.example.net', 'ribscope.example.net')).status).toBe(200)
    const known = await get('https://noc.example.net')
    expect(known.status).toBe(200)
    expect(known.headers['access-control-allow-origin']).toBe('https://noc.example.net')
    for (const origin of [
      'https://evil.example.com',
      'null',
      'http://127.0.0.1',
      'http://localhost:1',
      'https://noc.example.net.evil.example',
      'file://',
      '',
    ]) {
      const { status, headers, body } = await get(origin)
      expect(status, `${origin} ${body}`).toBe(403)
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  test('a POST from a foreign page is refused whatever it says it sends', async () => {
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { host: own(), origin: 'https://evil.example.com', 'content-type': type }
      const answer = await raw('/api/v1/sql', headers, {
        method: 'POST',
        body: '{"query":"SELECT 1"}',
      })
      expect(answer.status).toBe(403)
    }
  })

  test('POST wants application/json', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await raw(
        '/api/v1/sql',
        { host: own(), 'content-type': type },
        { method: 'POST', body: '{"query":"SELECT 1"}' },
      )
      expect(answer.status, type).toBe(415)
      expect(answer.headers['content-type']).toContain('application/problem+json')
    }
    const none = await raw(
      '/api/v1/sql',
      { host: own() },
      { method: 'POST', body: '{"query":"SELECT 1"}' },
    )
    expect([400, 415]).toContain(none.status)
  })

  test('preflights: the configured origin gets its headers, others nothing', async () => {
    const ask = (origin: string): Promise<Raw> =>
      raw(
        '/api/v1/sql',
        { host: own(), origin, 'access-control-request-method': 'POST' },
        { method: 'OPTIONS' },
      )
    expect(await ask('https://noc.example.net')).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-methods': 'GET, POST' },
    })
    expect((await ask('https://evil.example.com')).status).toBe(403)
  })

  test('a page of another site without Origin (an image, a script) is refused; a link is not', async () => {
    const cross = { host: own(), 'sec-fetch-site': 'cross-site' }
    expect((await raw('/api/v1/findings', { ...cross, 'sec-fetch-mode': 'no-cors' })).status).toBe(
      403,
    )
    expect((await raw('/docs/', { ...cross, 'sec-fetch-mode': 'navigate' })).status).toBe(200)
    expect(
      (
        await raw('/api/v1/findings', {
          host: own(),
          'sec-fetch-site': 'same-origin',
          'sec-fetch-mode': 'cors',
        })
      ).status,
    ).toBe(200)
  })
})

describe('exposure and tokens', () => {
  const TOKEN = 'abcdefghijklmnop-0123456789'
  const config = (more: Partial<ApiConfig>): ApiConfig => ({
    host: '127.0.0.1',
    port: 0,
    hosts: [],
    origins: [],
    insecure: false,
    ...more,
  })
  const create = (more: Partial<ApiConfig>): unknown =>
    createApi(config(more), {
      store: fixture.store,
      log: pino({ level: 'silent' }),
      registry: new Registry(),
      readiness: () => ({ schema: true, bmp: true, analyst: true }),
    })

  test.each(['0.0.0.0', '::', '', '10.0.0.5', '192.0.2.1', 'ribscope.example.net', '1.127.0.1'])(
    '%j without tokens refuses to start',
    (host) => {
      expect(() => create({ host })).toThrow(
        expect.objectContaining({
          name: 'ApiConfigError',
          exitCode: 2,
          message: expect.stringMatching(/tokens.*--insecure/),
        }),
      )
    },
  )

  test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('%j needs none', (host) => {
    expect(create({ host })).toBeDefined()
  })

  test('beyond loopback with --insecure, or with tokens', () => {
    expect(create({ host: '0.0.0.0', insecure: true })).toBeDefined()
    expect(create({ host: '0.0.0.0', tokensFile: '/x' })).toBeDefined()
  })

  test('with tokens: data needs one, health does not', async () => {
    const file = join(folder, 'tokens')
    writeFileSync(file, `# people\n${TOKEN} # noc\n\nanother-token-of-length\n`)
    const guarded = await fixture.serve({ tokensFile: file })
    const get = (path: string, authorization?: string): Promise<Raw> =>
      raw(
        path,
        { host: '127.0.0.1', ...(authorization === undefined ? {} : { authorization }) },
        { to: guarded },
      )
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs/'])
      expect((await get(path)).status, path).toBe(200)
    for (const path of [
      '/api/v1/findings',
      '/metrics',
      '/api/v1/sql',
      '/api/v1/nope',
      '/nope',
      '/docsx',
      '/%64ocs/../api/v1/findings',
      '//docs/',
      '/docs/../api/v1/findings',
    ]) {
      const { status, headers } = await get(path)
      expect([401, 404], path).toContain(status)
      if (status === 401) expect(headers['www-authenticate']).toBe('Bearer realm="ribscope"')
    }
    expect((await get('/api/v1/findings')).status).toBe(401)
    for (const bad of [
      'Bearer',
      'Bearer ',
      'Bearer x',
      `Basic ${TOKEN}`,
      TOKEN,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      'Bearer #',
      'Bearer noc',
    ]) {
      expect((await get('/api/v1/findings', bad)).status, bad).toBe(401)
    }
    expect((await get('/api/v1/findings', `Bearer ${TOKEN}`)).status).toBe(200)
    expect((await get('/metrics', 'bearer another-token-of-length')).status).toBe(200)
    expect(guarded.log.join('')).not.toContain(TOKEN)
  })

  test.each([
    ['short\n', ':1: expected a token'],
    ['# only comments\n', ': no tokens in it'],
    [`${TOKEN}\nhas space in it now\n`, ':2: expected a token'],
  ])('a broken file is one line: %j', async (text, message) => {
    const file = join(folder, 'broken')
    writeFileSync(file, text)
    await expect(fixture.serve({ tokensFile: file })).rejects.toThrow(message)
    await expect(fixture.serve({ tokensFile: file })).rejects.toMatchObject({ exitCode: 2 })
  })

  test('a missing file too', async () => {
    await expect(fixture.serve({ tokensFile: join(folder, 'none') })).rejects.toThrow(
      /tokens_file .*ENOENT/,
    )
  })
})

describe('problem documents', () => {
  const expectProblem = (answer: Raw, status: number): void => {
    expect(answer.status, answer.body).toBe(status)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(JSON.parse(answer.body)).toMatchObject({
      status,
      title: expect.any(String),
      type: expect.any(String),
    })
    expect(answer.body).not.toMatch(/node_modules|\.ts:\d|SELECT/)
  }
  const host = '127.0.0.1'

  test.each([
    ['/nope', 404],
    ['/api/v2/findings', 404],
    ['/api/v1/findings?sevrity=major', 400],
    ['/api/v1/findings?limit=0', 400],
    ['/api/v1/findings?limit=10001', 400],
    ['/api/v1/findings?limit=x', 400],
    ['/api/v1/findings?vip=nonsense', 400],
    ['/api/v1/findings?from=yesterday', 400],
    ['/api/v1/findings?from=2026-13-01T00:00:00Z', 400],
    ['/api/v1/findings?cursor=zzz', 400],
    [`/api/v1/findings?cursor=${Buffer.from('["x","f1"]').toString('base64url')}`, 400],
    [`/api/v1/vips?cursor=${Buffer.from('[-1]').toString('base64url')}`, 400],
    ['/api/v1/rib?at=2026-11-21', 400],
    ['/api/v1/rib?prefix=10.0.0.0/33', 400],
    ['/api/v1/rib?rib=adj_rib', 400],
    ['/api/v1/rib?cursor=WzFd', 400],
    ['/api/v1/peers?state=sideways', 400],
    ['/api/v1/evpn/type5?prefix=x', 400],
    [`/api/v1/findings/${'x'.repeat(500)}`, 404],
    ['/api/v1/findings/%ff', 400],
    ['/api/v1/vips/%2e%2e%2f', 400],
  ])('%s: %d', async (path, status) => {
    const answer = await raw(path, { host })
    if (path.length > 500) expect([400, 404, 414]).toContain(answer.status)
    else expectProblem(answer, status)
  })

  test('names the parameter that is wrong', async () => {
    const { body } = await raw('/api/v1/findings?sevrity=major', { host })
    expect(JSON.parse(body)).toMatchObject({ detail: expect.stringContaining('"sevrity"') })
    const at = await raw('/api/v1/rib?at=noon', { host })
    expect(JSON.parse(at.body)).toMatchObject({ detail: expect.stringContaining('RFC 3339') })
  })

  test('405s are 404s, bodies too large are 413', async () => {
    expectProblem(await raw('/api/v1/findings', { host }, { method: 'DELETE' }), 404)
    const body = `{"query":"${'x'.repeat(300_000)}"}`
    expectProblem(
      await raw(
        '/api/v1/sql',
        { host, 'content-type': 'application/json', 'content-length': String(body.length) },
        { method: 'POST', body },
      ),
      413,
    )
  })

  test('an error inside says nothing of itself, the log does', async () => {
    const broken = await fixture.serve(
      {},
      {
        readiness: () => {
          throw new Error('password=hunter2 at /srv/x.ts:1')
        },
      },
    )
    const answer = await broken.get('/readyz')
    expect(answer.status).toBe(500)
    expect(answer.json).toMatchObject({ status: 500, type: 'urn:ribscope:problem:internal' })
    expect(answer.json.detail).not.toContain('hunter2')
    expect(broken.log.join('')).toContain('hunter2')
  })
})

describe('GET /events', () => {
  async function listen(
    to: Served,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<{ next(): Promise<string>; close(): void }> {
    const abort = new AbortController()
    const response = await fetch(`${to.url}/api/v1/events${query}`, {
      signal: abort.signal,
      headers,
    })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    const decoder = new TextDecoder()
    return {
      async next() {
        for (;;) {
          const end = text.indexOf('\n\n')
          if (end >= 0) {
            const event = text.slice(0, end)
            text = text.slice(end + 2)
            return event
          }
          const { value, done } = await reader.read()
          if (done) return ''
          text += decoder.decode(value, { stream: true })
        }
      },
      close: () => abort.abort(),
    }
  }

  test('findings and incidents as they change, filtered; what was missed comes again', async () => {
    const events = new EventEmitter<ApiEvents>()
    const to = await fixture.serve({ limits: { listeners: 2 } }, { events })
    const all = await listen(to)
    const some = await listen(to, '?type=finding&severity=major&vip=10.10.21.66&router=tor1')
    expect(await all.next()).toContain(': ribscope')
    expect(await some.next()).toContain(': ribscope')
    expect((await to.get('/api/v1/events')).status).toBe(503)

    const scope = { vip: '10.10.21.66/32', tors: ['tor1', 'tor2'] }
    events.emit('finding', { id: 'a', severity: 'minor', kind: 'VIP_FLAP', scope })
    events.emit('incident', { id: 'i', severity: 'major' })
    events.emit('finding', {
      id: 'b',
      severity: 'major',
      kind: 'VIP_FLAP',
      scope,
      explanation: 'line\nbreak',
    })
    const first = await all.next()
    expect(first).toMatch(/^id: \d+\nevent: finding\ndata: \{"id":"a"/)
    expect(await all.next()).toContain('event: incident')
    const got = await some.next()
    expect(got).toContain('"id":"b"')
    expect(got.split('\n')).toHaveLength(3)
    all.close()
    some.close()

    const id = /id: (\d+)/.exec(first)?.[1] ?? ''
    await expect.poll(async () => (await fetchStatus(to)).status).toBe(200)
    const again = await listen(to, '?type=finding', { 'last-event-id': id })
    expect(await again.next()).toContain(': ribscope')
    expect(await again.next()).toContain('"id":"b"')

    // Stopping ends streams instead of waiting for them.
    const began = performance.now()
    await to.api.stop()
    expect(performance.now() - began).toBeLessThan(2000)
    expect(await again.next()).toBe('')
    expect(events.listenerCount('finding')).toBe(0)
  })

  /** Opens and closes one: a free place shows when the closed one was noticed. */
  async function fetchStatus(to: Served): Promise<{ status: number }> {
    const abort = new AbortController()
    const { status } = await fetch(`${to.url}/api/v1/events`, { signal: abort.signal })
    abort.abort()
    return { status }
  }

  /** The fixture's, with a look at each query before it is asked. */
  function watchedStore(onQuery: (text: string) => Promise<void> | void): Pick<Store, 'session'> {
    return {
      async session(...args) {
        const session = await fixture.store.session(...args)
        return {
          async query(...query) {
            await onQuery(query[0])
            return session.query(...query)
          },
          queryText: (...query) => session.queryText(...query),
          queryBytes: (...query) => session.queryBytes(...query),
          command: (...command) => session.command(...command),
          close: () => session.close(),
        }
      },
    }
  }

  async function lastChange(): Promise<{ last: string }> {
    const [row] = await fixture.session.query<{ last: string }>(
      'SELECT max(at) AS last FROM (SELECT at FROM ribscope.findings_log UNION ALL SELECT at FROM ribscope.incidents_log)',
    )
    return row!
  }

  const asksForChanges = (text: string): boolean => text.includes("'incident', i.id")

  test('without an analyst in the process: from the store, while somebody listens', async () => {
    const asked: string[] = []
    const counted = watchedStore((text) => void asked.push(text))
    const to = await fixture.serve({}, { store: counted, events: 'from the store' })
    const looks = (): number => asked.filter(asksForChanges).length
    expect(looks()).toBe(0)
    const [first, second] = await Promise.all([listen(to), listen(to, '?type=incident')])
    expect(looks()).toBe(1)
    expect(await first.next()).toContain(': ribscope')
    expect(await second.next()).toContain(': ribscope')

    // As an analyst stores them: a change of one that is known, a new incident; a clock that is behind.
    const { json: finding } = await to.get('/api/v1/findings/f1')
    const { json: incident } = await to.get('/api/v1/incidents/i1')
    const { session } = fixture
    const last = await lastChange()
    await session.command(
      `INSERT INTO ribscope.findings_log SELECT * REPLACE (version + 1 AS version, {last:DateTime64(6)} - toIntervalSecond(3) AS at, 'changed' AS explanation)
       FROM ribscope.findings_log WHERE id = 'f1' ORDER BY version DESC LIMIT 1`,
      last,
    )
    await session.command(
      `INSERT INTO ribscope.incidents_log SELECT * REPLACE ('i9' AS id, {last:DateTime64(6)} + toIntervalSecond(3) AS at) FROM ribscope.incidents_log AS i WHERE i.id = 'i1' LIMIT 1`,
      last,
    )
    const data = (event: string): unknown => JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? '')
    const got = [await first.next(), await first.next()]
    expect(got.map((each) => /^event: (.*)$/m.exec(each)?.[1])).toEqual(['finding', 'incident'])
    const { changes: _, ...shown } = finding
    expect(data(got[0]!)).toEqual({ ...shown, explanation: 'changed' })
    const { cause, entity, name, severity, status, first_seen, last_seen, findings } = incident
    expect(data(got[1]!)).toEqual({
      id: 'i9',
      cause,
      [entity]: name,
      severity,
      status,
      first_seen,
      last_seen,
      findings: [...(findings as string[])].sort(),
    })
    expect(data(await second.next())).toEqual(data(got[1]!))

    // Who was cut off gets what came meanwhile, wherever it comes back.
    first.close()
    second.close()
    const id = /id: (\d+)/.exec(got[0]!)?.[1] ?? ''
    const again = await listen(to, '', { 'last-event-id': id })
    expect(await again.next()).toContain(': ribscope')
    expect(data(await again.next())).toMatchObject({ id: 'i9' })
    again.close()
    await to.api.stop()
  }, 30_000)

  test('from the store: who came first and left takes nothing from those who came after', async () => {
    let looks = 0
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const slow = watchedStore(async (text) => {
      if (!asksForChanges(text)) return
      looks++
      await held
    })
    const limits = { listeners: 2 }
    const to = await fixture.serve({ limits }, { store: slow, events: 'from the store' })
    const left = new AbortController()
    const first = fetch(`${to.url}/api/v1/events`, { signal: left.signal })
    await expect.poll(() => looks).toBe(1)
    const second = listen(to)
    left.abort()
    await expect(first).rejects.toThrow()
    expect((await to.get('/healthz')).status).toBe(200)
    release()

    const events = await second
    expect(await events.next()).toContain(': ribscope')
    await fixture.session.command(
      `INSERT INTO ribscope.incidents_log SELECT * REPLACE ('i8' AS id, {last:DateTime64(6)} AS at) FROM ribscope.incidents_log AS i WHERE i.id = 'i1' LIMIT 1`,
      await lastChange(),
    )
    expect(await events.next()).toContain('"id":"i8"')
    expect((await fetchStatus(to)).status).toBe(200)
    events.close()
    await to.api.stop()
  }, 30_000)

  test('without a source there is no such resource', async () => {
    expect((await served.get('/api/v1/events')).status).toBe(404)
  })
})
