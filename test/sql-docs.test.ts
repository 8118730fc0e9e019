/**
 * docs/sql.md is run: every query of it goes through the gate of POST /api/v1/sql into a store that holds the recording named before
 * it, and gives what the page shows. Every view of the page has the columns it lists, and every view is on the page.
 * `UPDATE_DOCS=1 npx vitest run test/sql-docs.test.ts` writes the answers anew.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Analyst } from '@ribscope/analyst'
import { limitsOf } from '../services/api/src/config.ts'
import { UserSql } from '../services/api/src/user-sql/user-sql.ts'
import { detectorViews } from '@ribscope/detectors'
import { listRecordings } from '@ribscope/events'
import { loadFabric } from '@ribscope/fabric'
import { migrate, views } from '@ribscope/store'
import { openMigratedStore } from '@ribscope/store/testing'
import type { Store, StoreSession } from '@ribscope/store'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { insertBatches } from '../services/standalone/src/pipeline.ts'
import { recorded, rowsOf } from './e2e/feeds.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 })

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PAGE = join(ROOT, 'docs/sql.md')
const FIXTURES = join(ROOT, 'test/fixtures/lab')
const UPDATE = process.env['UPDATE_DOCS'] === '1'

interface Example {
  readonly fixture: string
  readonly sql: string
  /** What the page shows; '' when it shows nothing. */
  readonly shown: string
  readonly line: number
}

const page = readFileSync(PAGE, 'utf8')

/** `<!-- recording: NAME -->` names the recording of the examples behind it. */
function examples(text: string): Example[] {
  const found: Example[] = []
  let fixture = ''
  const pattern =
    /<!-- recording: ([\w-]+) -->|```sql\n([\s\S]*?)```\n(?:\n```text\n([\s\S]*?)```\n)?/g
  for (const match of text.matchAll(pattern)) {
    const [, name, sql, shown = ''] = match
    if (name !== undefined) fixture = name
    else if (sql !== undefined) {
      const line = text.slice(0, match.index).split('\n').length
      found.push({ fixture, sql: sql.trim(), shown: shown.trimEnd(), line })
    }
  }
  return found
}

interface Answer {
  readonly meta: readonly { readonly name: string }[]
  readonly data: readonly (readonly unknown[])[]
}

const cell = (value: unknown): string =>
  value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)

/** Columns under their names, two spaces apart. */
function table({ meta, data }: Answer): string {
  const rows = [meta.map(({ name }) => name), ...data.map((row) => row.map(cell))]
  const widths = meta.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)))
  return rows
    .map((row) =>
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const EXAMPLES = examples(page)
const fixtures = [...new Set(EXAMPLES.map(({ fixture }) => fixture))]
const made = new Map<Example, string>()

describe.each(fixtures)('docs/sql.md, recording %s', (fixture) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-docs-'))
  let store: Store
  let db: StoreSession
  let userSql: UserSql

  beforeAll(async () => {
    store = await openMigratedStore({ dataDir }, detectorViews())
    db = await store.session('docs')
    await migrate(db, detectorViews())
    const folder = join(FIXTURES, fixture)
    const { fabric } = loadFabric(join(folder, 'fabric.yaml'))
    const analyst = await Analyst.create({ store, config: fabric })
    const recordings = await listRecordings([folder])
    const opened = Math.min(...recordings.map(({ openedUs }) => openedUs))
    await insertBatches(store, rowsOf(await recorded(folder, '', opened), 65_536, bare).batches)
    const ended = Math.max(...recordings.map(({ endUs }) => endUs))
    // Holds of these recordings are seconds.
    for (const later of [0, 5, 15, 60]) await analyst.round(ended + later * 1e6)
    await analyst.close()
    userSql = new UserSql(store, limitsOf({} as Parameters<typeof limitsOf>[0]))
    await userSql.start()
  })
  afterAll(async () => {
    await userSql.stop()
    await db.close()
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  test.each(EXAMPLES.filter((each) => each.fixture === fixture))(
    'line $line runs and gives what the page shows',
    async (example) => {
      const answer = JSON.parse(await userSql.run(example.sql, {}, 'JSONCompact')) as Answer
      expect(answer.data.length, example.sql).toBeGreaterThan(0)
      const text = table(answer)
      made.set(example, text)
      if (!UPDATE) expect(text, 'UPDATE_DOCS=1 writes it anew').toBe(example.shown)
    },
  )

  if (fixture === fixtures[0]) {
    test('each view has the columns that the page lists, and each is on the page', async () => {
      const listed = sections(page)
      for (const { call, columns } of listed) {
        const rows = await db.query<{ name: string }>(`DESCRIBE (SELECT * FROM ribscope.${call})`)
        expect(columns, call).toEqual(rows.map(({ name }) => name))
      }
      const names = [...views(), ...detectorViews()].map(({ name }) => name.replace(/^\d+_/, ''))
      const there = new Set([...listed.map(({ call }) => call.replace(/\(.*/, '')), ...inner(page)])
      expect(names.filter((name) => !there.has(name))).toEqual([])
      expect([...there].filter((name) => !names.includes(name))).toEqual([])
    })
  }
})

test('every rule of view_trust is in the table of rules, and no other', () => {
  const view = views().find(({ name }) => name === '46_view_trust')?.text ?? ''
  const from = view.slice(view.indexOf('(100, if(z.withdraw_only'))
  const rules = [...from.matchAll(/'([A-Z][A-Z0-9]+): /g)].map(([, code = '']) => code)
  const rows = /^\| rule[\s\S]*?\n\n/m.exec(page)?.[0] ?? ''
  const listed = [...rows.matchAll(/^\| ([A-Z][A-Z0-9]+) /gm)].map(([, code = '']) => code)
  expect(rules.length).toBeGreaterThan(15)
  expect(new Set(listed)).toEqual(new Set(rules))
})

afterAll(() => {
  if (!UPDATE) return
  let text = page
  for (const [{ sql, shown }, answer] of made) {
    const block = `\`\`\`sql\n${sql}\n\`\`\`\n`
    const old = shown === '' ? block : `${block}\n\`\`\`text\n${shown}\n\`\`\`\n`
    const at = text.indexOf(old)
    if (at >= 0) {
      const answered = `${block}\n\`\`\`text\n${answer}\n\`\`\`\n`
      text = text.slice(0, at) + answered + text.slice(at + old.length)
    }
  }
  writeFileSync(PAGE, text)
})

/** Names of routers as they are: one fabric a store. */
const bare = (name: string): string => name

/** Sections `### \`view(arguments)\`` with the names in the first column of their table of columns. */
function sections(text: string): { call: string; columns: string[] }[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const call = /^`([^`]+)`/.exec(section)?.[1] ?? ''
      const rows = [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, first = '']) =>
        [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
      )
      const route = /^Columns of `route_events`/m.test(section) ? routeColumns(text) : []
      return { call, columns: [...route, ...rows] }
    })
}

function routeColumns(text: string): string[] {
  const section = text.split(/^### /m).find((each) => each.startsWith('`route_events`')) ?? ''
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, first = '']) =>
    [...first.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
}

/** Views that others are made of, in the paragraph that begins so. */
function inner(text: string): string[] {
  const paragraph = /^Made of them:[\s\S]*?(?:\n\n|$(?![\s\S]))/m.exec(text)?.[0] ?? ''
  return [...paragraph.matchAll(/`([a-z_0-9]+)`/g)].map(([, name = '']) => name)
}
