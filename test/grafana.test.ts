/* eslint-disable no-template-curly-in-string -- Grafana's variables look like that. */
/**
 * Every query of every dashboard (panels, variables, annotations), as the plugin sends it (grafana/expand.ts), against embedded stores
 * filled with recordings: what it shows is what happened there. And the JSON is what Grafana 11 and 12 take.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApi, type Api } from '@ribscope/api'
import { detectorViews } from '@ribscope/detectors'
import { views } from '@ribscope/store'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import {
  dashboards,
  GRAFANA,
  type Annotation,
  type Dashboard,
  type Panel,
  type Target,
} from './grafana/dashboards.ts'
import { expand, interpolate, type Request, type Variable } from './grafana/expand.ts'
import { fill, type Answer, type Filled } from './grafana/filled.ts'
import { LOOKS } from './grafana/looks.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 })

const VIP = '10.10.21.66/32'
const ALL = ['$__all']

interface Query {
  readonly dashboard: Dashboard
  readonly what: string
  readonly kind: 'panel' | 'variable' | 'annotation'
  readonly panel?: Panel
  readonly target: Omit<Target, 'datasource'>
}

const QUERIES: readonly Query[] = dashboards.flatMap((dashboard): Query[] => [
  ...dashboard.templating.list.map(({ name, query }): Query => {
    return { dashboard, what: name, kind: 'variable', target: query }
  }),
  ...own(dashboard).map(({ name, target }): Query => {
    return { dashboard, what: name, kind: 'annotation', target: target as Target }
  }),
  ...dashboard.panels.flatMap((panel) =>
    (panel.targets ?? []).map((target): Query => {
      return { dashboard, what: panel.title, kind: 'panel', panel, target }
    }),
  ),
])

/** Annotations that are not Grafana's own. */
function own(dashboard: Dashboard): Annotation[] {
  return dashboard.annotations.list.filter(({ builtIn }) => builtIn === undefined)
}

const titleOf = ({ dashboard, what }: Query): string =>
  `${dashboard.uid.replace('ribscope-', '')}: ${what}`

// ------------------------------------------------------------------------------------------ the model

const VIEWS = new Set([...views(), ...detectorViews()].map(({ name }) => name.replace(/^\d+_/, '')))
const source = parse(
  readFileSync(join(GRAFANA, 'provisioning/datasources/ribscope.yaml'), 'utf8'),
) as { datasources: { uid: string; type: string }[] }

describe('what Grafana needs', () => {
  test('one data source, by the plugin and uid that every query names', () => {
    expect(source.datasources).toHaveLength(1)
    const { uid, type } = source.datasources[0] ?? { uid: '', type: '' }
    for (const dashboard of dashboards) {
      const used = [
        ...dashboard.templating.list.map(({ datasource }) => datasource),
        ...own(dashboard).flatMap(({ datasource, target }) => [datasource, target?.datasource]),
        ...dashboard.panels.flatMap(({ datasource, targets }) => [
          datasource,
          ...(targets ?? []).map((target) => target.datasource),
        ]),
      ].filter((each) => each !== undefined)
      expect(used.length).toBeGreaterThan(10)
      for (const each of used) expect(each).toEqual({ type, uid })
    }
  })

  test('uids and titles are their own, the model is one that 11 and 12 read', () => {
    expect(dashboards.map(({ uid }) => uid)).toEqual(['ribscope-fabric', 'ribscope-vip'])
    expect(dashboards.map(({ title }) => title)).toEqual(['Fabric overview', 'VIP detail'])
    for (const { schemaVersion, refresh } of dashboards) {
      expect(schemaVersion).toBe(39)
      expect(refresh).toBe('30s')
    }
  })

  test.each(dashboards)('$title: panels have ids of their own and do not overlap', ({ panels }) => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = new Map<string, string>()
    for (const { gridPos, title } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          const cell = `${String(x)} ${String(y)}`
          expect(cells.get(cell), `${title} at ${cell}`).toBeUndefined()
          cells.set(cell, title)
        }
      }
    }
    // No holes between rows of panels either.
    const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h))
    expect(cells.size).toBe(bottom * 24)
  })

  test.each(dashboards)('$title: types of panels, formats of their queries', ({ panels }) => {
    const types = ['row', 'stat', 'table', 'timeseries', 'state-timeline', 'barchart']
    for (const { type, title, targets = [] } of panels) {
      expect(types, title).toContain(type)
      expect(targets.length > 0, title).toBe(type !== 'row')
      for (const { format, queryType, editorType } of targets) {
        const time = type === 'timeseries' || type === 'state-timeline'
        expect({ format, queryType, editorType }, title).toEqual({
          format: time ? 0 : 1,
          queryType: time ? 'timeseries' : 'table',
          editorType: 'sql',
        })
      }
    }
  })

  test('links lead to dashboards and variables that exist', () => {
    const variables = new Map(
      dashboards.map(({ uid, templating }) => [uid, templating.list.map(({ name }) => name)]),
    )
    const urls = [...JSON.stringify(dashboards).matchAll(/"url":"([^"]+)"/g)].map(
      ([, url = '']) => url,
    )
    expect(urls.length).toBeGreaterThan(4)
    for (const url of urls) {
      const [, uid = ''] = /^\/d\/([\w-]+)\//.exec(url) ?? []
      expect([...variables.keys()], url).toContain(uid)
      for (const [, name] of url.matchAll(/var-(\w+)=/g)) {
        expect(variables.get(uid), url).toContain(name)
      }
    }
  })

  test('variables: router and VIP, All where several may be chosen, no value of All of their own', () => {
    for (const { templating, uid } of dashboards) {
      expect(templating.list.map(({ name }) => name).sort()).toEqual(['router', 'vip'])
      for (const {
        name,
        type,
        multi,
        includeAll,
        allValue,
        definition,
        query,
      } of templating.list) {
        expect({ type, includeAll, allValue }, name).toEqual({
          type: 'query',
          includeAll: multi,
          allValue: undefined,
        })
        expect(definition).toBe(query.rawSql)
        expect(multi, `${uid} ${name}`).toBe(name === 'router' || uid === 'ribscope-fabric')
      }
    }
  })

  test('provisioning finds them', () => {
    const text = readFileSync(join(GRAFANA, 'provisioning/dashboards/ribscope.yaml'), 'utf8')
    const { providers } = parse(text) as { providers: { options: { path: string } }[] }
    expect(providers.map(({ options }) => options.path)).toEqual([
      '/var/lib/grafana/dashboards/ribscope',
    ])
  })
})

describe('queries', () => {
  test.each(QUERIES)('$dashboard.title: $what reads views only', ({ target: { rawSql } }) => {
    const used = [...rawSql.matchAll(/\b(?:FROM|JOIN|IN)\s+([a-z]\w*\.\w+)/gi)].map(
      ([, name = '']) => name,
    )
    expect(used.length).toBeGreaterThan(0)
    for (const name of used) {
      const [database, view = ''] = name.split('.')
      expect(database, name).toBe('ribscope')
      expect([...VIEWS], name).toContain(view)
    }
    expect(used).toHaveLength((rawSql.match(/ribscope\./g) ?? []).length)
    expect(rawSql).not.toMatch(/;|--|\/\*/)
  })

  test.each(QUERIES)('$dashboard.title: $what takes variables in one way', ({ target }) => {
    // Anything else ends in quotes that a backslash opens again (see below).
    const bare = target.rawSql
      .replace(/\$__conditionalAll\(/g, '(')
      .replace(/decodeURLComponent\('\$\{(?:router|vip):percentencode\}'\)/g, 'x')
      .replace(/, \$(?:router|vip)\)/g, ')')
    expect(bare).not.toMatch(/\$(?!__)|\[\[/)
  })
})

// ----------------------------------------------------------------------------------- against a recording

/** One VIP is chosen there, not several. */
const isSingle = ({ dashboard }: Query): boolean =>
  dashboard.templating.list.some(({ name, multi }) => name === 'vip' && !multi)

const requestOf = (
  { startMs, endMs }: Filled,
  query: Query,
  {
    router = ALL,
    vip = VIP,
  }: { router?: readonly string[]; vip?: string | readonly string[] } = {},
): Request => {
  const variables: Variable[] = [
    { name: 'router', value: router, options: ['tor1', 'tor2', 'tor3', 'tor4'] },
    { name: 'vip', value: isSingle(query) || vip !== VIP ? vip : ALL, options: [VIP] },
  ]
  return {
    fromMs: Math.floor(startMs) - 5_000,
    toMs: Math.ceil(endMs) + 60_000,
    intervalMs: query.panel?.interval === '1m' ? 60_000 : 1_000,
    variables,
  }
}

async function show(
  filled: Filled,
  query: Query,
  chosen?: Parameters<typeof requestOf>[2],
): Promise<Answer> {
  return filled.ask(expand(query.target.rawSql, requestOf(filled, query, chosen)))
}

const isTime = (type: string): boolean => /^(Nullable\()?DateTime/.test(type)
const isNumber = (type: string): boolean => /^(Nullable\()?(U?Int|Float)\d+/.test(type)
const isText = (type: string): boolean => /^(LowCardinality\()?String/.test(type)

/** What the plugin and the panel make of it: sqlutil.LongToWide for time series, a frame as it is for tables. */
function fits(query: Query, { meta, rows }: Answer): void {
  const names = meta.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, type } of meta) {
    expect(isTime(type) || isNumber(type) || isText(type), `${name} ${type}`).toBe(true)
  }
  if (query.target.format === 0) {
    expect(names[0]).toBe('time')
    expect(isTime(meta[0]?.type ?? '')).toBe(true)
    expect(meta[0]?.type).not.toMatch(/Nullable/)
    expect(meta.slice(1).filter(({ type }) => isNumber(type)).length).toBeGreaterThan(0)
    expect(meta.slice(1).filter(({ type }) => isTime(type))).toEqual([])
    const times = rows.map((row) => String(row['time']))
    // "long series must be sorted ascending by time to be converted".
    expect(times).toEqual([...times].sort())
    const labels = meta.filter(({ type }) => isText(type)).map(({ name }) => name)
    const points = rows.map((row) => JSON.stringify(['time', ...labels].map((name) => row[name])))
    expect(new Set(points).size).toBe(points.length)
    const shown = query.panel?.fieldConfig?.defaults['displayName']
    expect(shown).toBe(labels.length === 0 ? undefined : `\${__field.labels.${String(labels[0])}}`)
  }
  if (query.panel?.type === 'stat') {
    expect(rows).toHaveLength(1)
    for (const { type } of meta) expect(isNumber(type)).toBe(true)
  }
  for (const { matcher } of query.panel?.fieldConfig?.overrides ?? []) {
    expect(matcher.id).toBe('byName')
    expect(names, `an override for ${matcher.options}`).toContain(matcher.options)
  }
  for (const { options } of query.panel?.transformations ?? []) {
    for (const key of ['columnField', 'rowField', 'valueField']) {
      expect(names).toContain(options[key])
    }
  }
}

describe.each(Object.keys(LOOKS))('what %s looks like', (name) => {
  let filled: Filled
  beforeAll(async () => {
    const [what = '', seconds] = name.replace(' s', '').split(', ')
    filled = await fill(what, seconds === undefined ? {} : { seconds: Number(seconds) })
  })
  afterAll(() => filled.close())

  test.each(Object.entries(LOOKS[name] ?? {}))('%s', async (title, look) => {
    const query = QUERIES.find((each) => titleOf(each) === title)
    if (query === undefined) throw new Error(`no query is called ${title}`)
    const answer = await show(filled, query)
    fits(query, answer)
    look(answer.rows)
  })
})

test('every query is looked at after some recording, and names tell them apart', () => {
  const looked = new Set(Object.values(LOOKS).flatMap((looks) => Object.keys(looks)))
  const there = QUERIES.map(titleOf)
  expect(new Set(there).size).toBe(there.length)
  expect(there.filter((each) => !looked.has(each))).toEqual([])
})

// ------------------------------------------------------------------------------------- hostile values

/** A router says what it is called, and anybody can send a link with `var-router=...`. */
const HOSTILE = [
  "' OR 1=1",
  "\\' OR 1=1 -- ",
  "\\\\' OR 1=1 -- ",
  "'; DROP TABLE ribscope.route_log; --",
  "')) UNION ALL SELECT * FROM system.users --",
  '"`{$}[[vip]]${vip}$__timeFilter(x)$__conditionalAll(1,$router)',
  "a,b'{c}\n/*",
  '%27 OR %271%27=%271',
  '%2527',
  "$'$&$`",
]

/** A name as the value of the variable `router`, as its query makes it. */
const asOption = (name: string): string =>
  encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)

describe('values that would break out of quotes', () => {
  const nameOf = (name: string): string => (name === 'tor3' ? `to'r\\3',{"x"}%27` : name)
  let filled: Filled
  beforeAll(async () => {
    filled = await fill('vip-flap', { nameOf })
  })
  afterAll(() => filled.close())

  test.each(['sqlstring', 'singlequote'])(
    "why not ${name:%s}: ClickHouse's backslash ends what the quote began",
    async (format) => {
      const ask = (value: string): Promise<Answer> =>
        filled.ask(
          interpolate(`SELECT number FROM numbers(3) WHERE toString(number) = \${v:${format}}`, [
            { name: 'v', value },
          ]),
        )
      expect((await ask('1')).rows).toHaveLength(1)
      expect((await ask("\\' OR 1=1 -- ")).rows).toHaveLength(3)
    },
  )

  test.each(QUERIES.filter(({ target }) => /[{$](router|vip)\b/.test(target.rawSql)))(
    '$dashboard.title: $what stays the query that it is',
    async (query) => {
      const unknown = 'nobody'
      const name = query.target.rawSql.includes('$router') ? 'router' : 'vip'
      const single = isSingle(query)
      const chosen = (value: string): Parameters<typeof requestOf>[2] =>
        name === 'router' ? { router: [value] } : { vip: single ? value : [value] }
      const expanded = (value: string): string =>
        expand(query.target.rawSql, requestOf(filled, query, chosen(value)))
      const quoted = (value: string): string =>
        interpolate('$' + '{v:percentencode}', [
          { name: 'v', value: name === 'vip' && single ? value : [value] },
        ])
      for (const value of HOSTILE) {
        expect(quoted(value)).toMatch(/^[\w.~%-]+$/)
        expect(expanded(value).replaceAll(quoted(value), '')).toBe(
          expanded(unknown).replaceAll(quoted(unknown), ''),
        )
      }
      const nobody = await show(filled, query, chosen(unknown))
      fits(query, nobody)
      const hostile = await Promise.all(HOSTILE.map((value) => filled.ask(expanded(value))))
      for (const [i, { rows }] of hostile.entries()) expect(rows, HOSTILE[i]).toEqual(nobody.rows)
    },
  )

  test('a router with such a name is an option, and chosen it is found, alone', async () => {
    const options = QUERIES.find((each) => titleOf(each) === 'fabric: router') as Query
    const { rows } = await show(filled, options)
    const option = rows.find(({ text }) => text === nameOf('tor3'))
    expect(option?.['value']).not.toMatch(/['\\,{}"]/)
    for (const title of ['BMP sessions', 'Routers', 'Route changes by router', 'Routes held']) {
      const query = QUERIES.find((each) => titleOf(each) === `fabric: ${title}`) as Query
      const both = await show(filled, query, { router: [String(option?.['value']), 'tor1'] })
      const names = new Set(both.rows.map(({ router }) => router))
      expect([...names].sort(), title).toEqual([nameOf('tor3'), 'tor1'].sort())
      // As a link that somebody wrote by hand has it, and as the table's own link has it.
      const alone = await show(filled, query, { router: [asOption(nameOf('tor3'))] })
      expect(new Set(alone.rows.map(({ router }) => router)), title).toEqual(
        new Set([nameOf('tor3')]),
      )
    }
  })

  test('narrowed to a ToR, findings are those that name it', async () => {
    const query = QUERIES.find((each) => titleOf(each) === 'fabric: Open now') as Query
    expect((await show(filled, query, { router: ['tor4'] })).rows).toHaveLength(1)
    expect((await show(filled, query, { router: ['tor1'] })).rows).toEqual([])
  })
})

// ---------------------------------------------------------------------------------- docs/grafana.md

const page = readFileSync(join(GRAFANA, '../docs/grafana.md'), 'utf8')

interface Recipe {
  readonly panel: string
  readonly url: string
  readonly root: string
  readonly columns: readonly (readonly [selector: string, type: string])[]
}

/** The table between `<!-- begin infinity -->` and its end. */
const RECIPES: readonly Recipe[] = (
  /begin infinity -->([\s\S]*)<[!]-- end infinity/.exec(page)?.[1] ?? ''
)
  .split('\n')
  .filter((line) => line.includes('/api/v1/'))
  .map((line) => {
    const [, panel = '', , url = '', root = '', columns = ''] = line
      .split('|')
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'))
    return {
      panel,
      url,
      root,
      columns: [...columns.matchAll(/`([^`]+)` (\w+)/g)].map(([, name = '', type = '']) => {
        return [name, type] as const
      }),
    }
  })

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  time: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
}

const at = (value: unknown, selector: string): unknown =>
  selector
    .split('.')
    .reduce<unknown>((each, key) => (each as Record<string, unknown> | undefined)?.[key], value)

describe('docs/grafana.md', () => {
  let filled: Filled
  let api: Api
  beforeAll(async () => {
    filled = await fill('vip-flap')
    api = createApi(
      { host: '127.0.0.1', port: 0, hosts: [], origins: [], insecure: false },
      {
        store: filled.store,
        log: pino({ level: 'silent' }),
        registry: new Registry(),
        readiness: () => ({ schema: true, bmp: true, analyst: true }),
        now: () => new Date(filled.endMs + 60_000),
      },
    )
    await api.start()
  })
  afterAll(async () => {
    await api.stop()
    await filled.close()
  })

  test('has a recipe for each thing', () => {
    expect(RECIPES.length).toBeGreaterThan(10)
    for (const { columns, panel } of RECIPES) expect(columns.length, panel).toBeGreaterThan(2)
  })

  const get = async (url: string): Promise<unknown> => {
    const iso = (ms: number): string => new Date(ms).toISOString()
    const path = interpolate(
      url
        .replaceAll('${__from:date:iso}', iso(filled.startMs - 5_000))
        .replaceAll('${__to:date:iso}', iso(filled.endMs + 60_000)),
      [{ name: 'vip', value: VIP }],
    )
    const response = await fetch(`${api.address?.url ?? ''}${path}`)
    const body = await response.text()
    expect(response.status, `${path} ${body.slice(0, 300)}`).toBe(200)
    return JSON.parse(body)
  }

  test.each(RECIPES)('$panel: $url answers, with these columns', async ({ url, root, columns }) => {
    const rows = at(await get(url), root) as unknown[]
    expect(rows.length).toBeGreaterThan(0)
    for (const [selector, type] of columns) {
      const check = TYPES[type]
      expect(check, `a column of type ${type}`).toBeDefined()
      for (const row of rows) {
        const value = at(row, selector)
        expect(check?.(value), `${selector}: ${JSON.stringify(value)} is no ${type}`).toBe(true)
      }
    }
  })

  test('the shares of the dashboard are those of the API', async () => {
    const { shares } = (await get('/api/v1/vips/${vip:percentencode}/shares')) as {
      shares: { ingress: string; shares: Record<string, number> }[]
    }
    const query = QUERIES.find((each) => titleOf(each) === 'vip: Shares by ingress') as Query
    const { rows } = await show(filled, query)
    const ours: Record<string, Record<string, number>> = {}
    for (const { ingress, node, share } of rows) {
      ;(ours[String(ingress)] ??= {})[String(node)] = Number(share)
    }
    expect(ours).toEqual(Object.fromEntries(shares.map((each) => [each.ingress, each.shares])))
  })

  test('the curve of the penalty ends in the penalty', async () => {
    const span = `from = '2026-11-21 23:29:00', to = '2026-11-21 23:31:00'`
    const curve = await filled.ask(
      `SELECT node, at, penalty FROM ribscope.vip_penalty_series(${span}, step_s = 7) ORDER BY at`,
    )
    const point = await filled.ask(
      `SELECT node, penalty FROM ribscope.vip_penalty(at = '2026-11-21 23:31:00')`,
    )
    expect(curve.rows).toHaveLength(Math.ceil(120 / 7) + 1)
    const { node, penalty } = curve.rows.at(-1) ?? {}
    expect([{ node, penalty }]).toEqual(point.rows)
  })

  test('what it tells ClickHouse is what ClickHouse can read', async () => {
    const block = /```sql\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
    const statements = block.split(';').filter((each) => each.trim() !== '')
    expect(statements.map((each) => each.trim().split(/\s+/)[0])).toEqual([
      'CREATE',
      'CREATE',
      'GRANT',
    ])
    for (const statement of statements) {
      expect((await filled.ask(`EXPLAIN AST ${statement}`)).rows.length).toBeGreaterThan(0)
    }
  })

  test('names the variables of the data source', () => {
    const text = readFileSync(join(GRAFANA, 'provisioning/datasources/ribscope.yaml'), 'utf8')
    const used = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)
    expect(used).toHaveLength(4)
    for (const name of used) expect(page).toContain(`${name}=`)
    expect(page).toContain('/run/secrets/clickhouse_grafana_password')
  })
})
