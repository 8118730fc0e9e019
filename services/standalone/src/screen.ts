/** Tables and colours for terminals. Colour only where a person looks; control characters never. */
type Paint = (text: string) => string

export interface Screen {
  readonly bold: Paint
  readonly dim: Paint
  readonly red: Paint
  readonly yellow: Paint
  readonly green: Paint
  /** Columns of the terminal; undefined: not cut. */
  readonly width: number | undefined
}

/** https://no-color.org: NO_COLOR that is not empty turns colour off. */
export function screenOf(
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number },
  env: NodeJS.ProcessEnv = process.env,
): Screen {
  const tty = stream.isTTY === true
  const colour = tty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  const paint = (code: number): Paint =>
    colour ? (text) => `\u001b[${String(code)}m${text}\u001b[0m` : (text) => text
  return {
    bold: paint(1),
    dim: paint(2),
    red: paint(31),
    yellow: paint(33),
    green: paint(32),
    width: tty ? stream.columns : undefined,
  }
}

export interface Cell {
  readonly text: string
  readonly paint?: Paint | undefined
}

/** What routers and nodes call themselves must not move the cursor or turn text round. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g
export const clean = (text: string): string => text.replace(CONTROL, '\ufffd')

/** A value of JSON as text; nothing for null. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  return JSON.stringify(value)
}

const width = (text: string): number => Array.from(text).length

/**
 * Aligned columns with two spaces between. The last column is cut to the terminal; no other is.
 *
 * @returns text that ends with a line end
 */
export function table(
  screen: Screen,
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const cells = rows.map((row) => row.map(({ text, paint }) => ({ text: clean(text), paint })))
  const widths = head.map((title, i) =>
    Math.max(width(title), ...cells.map((row) => width(row[i]?.text ?? ''))),
  )
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0)
  const room = screen.width === undefined ? Infinity : Math.max(10, screen.width - before)
  const line = (row: readonly Cell[]): string =>
    row
      .map(({ text, paint }, i) => {
        const last = i === head.length - 1
        const cut =
          last && width(text) > room
            ? `${Array.from(text)
                .slice(0, room - 1)
                .join('')}…`
            : text
        const padding = last ? '' : ' '.repeat((widths[i] ?? 0) - width(text))
        return `${paint ? paint(cut) : cut}${padding}`
      })
      .join('  ')
      .trimEnd()
  return [head.map((text) => ({ text, paint: screen.bold })), ...cells]
    .map((row) => `${line(row)}\n`)
    .join('')
}

/** Names and values below each other. */
export function fields(screen: Screen, pairs: readonly (readonly [string, string])[]): string {
  const given = pairs.filter(([, value]) => value !== '')
  const longest = Math.max(0, ...given.map(([name]) => name.length))
  return given
    .map(([name, value]) => `${screen.bold(name.padEnd(longest))}  ${clean(value)}\n`)
    .join('')
}

/** 2026-11-21T12:00:30.000000Z -> 2026-11-21 12:00:30.000Z */
export function shortTime(value: unknown): string {
  return typeof value === 'string' ? value.replace('T', ' ').replace(/(\.\d{3})\d*Z$/, '$1Z') : ''
}

export function severityPaint(
  screen: Screen,
  severity: string,
  status = 'open',
): Paint | undefined {
  if (status !== 'open') return screen.dim
  if (severity === 'critical' || severity === 'major') return screen.red
  return severity === 'minor' ? screen.yellow : undefined
}
