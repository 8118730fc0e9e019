/**
 * The documentation that can be computed is: tables between `<!-- begin NAME -->` and `<!-- end NAME -->`
 * are made from the code. `UPDATE_DOCS=1 npx vitest run test/docs.test.ts` rewrites them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'prettier'
import { describe, expect, test } from 'vitest'
import { PARAM_KEYS, PARAMS } from '@ribscope/fabric'
import type { Command } from '../services/standalone/src/command.ts'
import { ENV } from '../services/standalone/src/env.ts'
import { COMMANDS } from '../services/standalone/src/table.ts'
import { METRICS } from './services/metrics.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const cell = (text: string): string => text.replaceAll('|', '\\|')
const table = (...rows: string[][]): string =>
  rows.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

const commands = (): Promise<Command[]> =>
  Promise.all(COMMANDS.map(async (each) => (await each.load()).command))

const TABLES: Record<string, () => string | Promise<string>> = {
  metrics: () =>
    table(
      ['service', 'metric', 'type', 'labels', 'meaning'],
      ['---', '---', '---', '---', '---'],
      ...Object.entries(METRICS).flatMap(([service, metrics]) =>
        metrics.map(({ name, type, labels, help }) => [
          service,
          `\`${name}\``,
          type,
          labels.map((label) => `\`${label}\``).join(', '),
          help,
        ]),
      ),
    ),
  detectors: () =>
    table(
      ['key', 'default', 'unit', 'meaning'],
      ['---', '---', '---', '---'],
      ...PARAM_KEYS.map((key) => {
        const { default: value, unit, doc } = PARAMS[key]
        const shown = typeof value === 'boolean' ? (value ? 'on' : 'off') : JSON.stringify(value)
        return [`\`${key}\``, `\`${shown}\``, unit, doc]
      }),
    ),
  environment: () =>
    table(
      ['variable', 'flag', 'meaning'],
      ['---', '---', '---'],
      ...ENV.map(({ variable, flag, about }) => [`\`${variable}\``, `\`--${flag}\``, about]),
    ),
  flags: async () =>
    table(
      ['command', 'flag', 'default', 'environment'],
      ['---', '---', '---', '---'],
      ...(await commands()).flatMap(({ name, options, env }) =>
        Object.entries(options).map(([flag, option]) => [
          `\`${name}\``,
          `\`--${flag}\`${option.short === undefined ? '' : `, \`-${option.short}\``}${option.type === 'boolean' ? '' : ' VALUE'}${option.multiple ? ', may be repeated' : ''}`,
          option.default === undefined ? '' : `\`${String(option.default)}\``,
          env[flag] === undefined ? '' : `\`${env[flag]}\``,
        ]),
      ),
    ),
}

describe('docs', () => {
  test.each(Object.keys(TABLES))('table of %s is that of the code', async (name) => {
    const file = join(ROOT, 'docs', name === 'metrics' ? 'operations.md' : 'configuration.md')
    const text = readFileSync(file, 'utf8')
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
    const from = text.indexOf(begin) + begin.length
    const to = text.indexOf(end)
    expect(to, `${begin} ... ${end}`).toBeGreaterThan(from)
    const made = await format((await TABLES[name]?.()) ?? '', {
      parser: 'markdown',
      printWidth: 100,
    })
    if (process.env['UPDATE_DOCS'] === '1') {
      writeFileSync(file, `${text.slice(0, from)}\n\n${made}\n${text.slice(to)}`)
      return
    }
    expect(text.slice(from, to).trim(), 'run UPDATE_DOCS=1').toBe(made.trim())
  })
})

describe('commands', () => {
  test('the table that --help reads says what the commands say', async () => {
    expect((await commands()).map(({ name, summary }) => ({ name, summary }))).toEqual(
      COMMANDS.map(({ name, summary }) => ({ name, summary })),
    )
  })

  test('environment twins are those of the one table', async () => {
    const known = new Map(ENV.map(({ flag, variable }) => [flag, variable]))
    for (const { name, env, options } of await commands()) {
      for (const [flag, variable] of Object.entries(env)) {
        expect({ name, flag, variable }).toEqual({ name, flag, variable: known.get(flag) })
        expect(Object.keys(options), name).toContain(flag)
      }
    }
    const used = new Set((await commands()).flatMap(({ env }) => Object.values(env)))
    expect(ENV.map(({ variable }) => variable).filter((each) => !used.has(each))).toEqual([])
  })

  test('the usage of a command names each of its flags', async () => {
    for (const { name, usage, options } of await commands()) {
      for (const flag of Object.keys(options)) expect(usage, name).toContain(`--${flag}`)
    }
  })
})

describe('links', () => {
  const pages = ['README.md', 'CHANGELOG.md', ...markdown('docs')]

  test.each(pages)('%s leads nowhere wrong', (page) => {
    const text = readFileSync(join(ROOT, page), 'utf8').replace(/```[\s\S]*?```/g, '')
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:)/.test(target)) continue
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path)
      expect(existsSync(file), `${page} -> ${target}`).toBe(true)
      if (anchor !== undefined) expect(anchors(file), `${page} -> ${target}`).toContain(anchor)
    }
  })
})

function markdown(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => relative(ROOT, join(ROOT, folder, name)))
}

/** As GitHub makes them from headings. */
function anchors(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
