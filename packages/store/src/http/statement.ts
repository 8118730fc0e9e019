/**
 * What has to be known of a statement before the engine sees it: whether data come behind it, and in which format it answers.
 *
 * Only the head of an insert and the end of a query are looked at. Whatever can't be read here is left to the engine.
 */
import { isWord, joined, nextToken, tokens, type Token } from '../sql-tokens.ts'

export interface InsertHead {
  /** `INSERT INTO t (a, b)`, without comments, FORMAT and SETTINGS */
  readonly into: string
  /** its SETTINGS clause, '' when there is none */
  readonly settings: string
  /** Values for VALUES; undefined when neither is there */
  readonly format: string | undefined
  /** characters of the text behind which the data begin */
  readonly dataAt: number
}

/**
 * @param text a statement, or its beginning with data behind it
 * @returns undefined unless it is an insert of data: INSERT ... SELECT and all else
 */
export function insertHead(text: string): InsertHead | undefined {
  const head: Token[] = []
  const settings: Token[] = []
  let into = head
  let depth = 0
  let at = 0
  for (;;) {
    const token = nextToken(text, at)
    if (token === undefined) {
      // INSERT INTO t (a): the data are in the format of the parameter.
      return at >= text.length && head.some(({ kind }) => kind !== 'space')
        ? ended(head, settings, undefined, text.length)
        : undefined
    }
    at += token.text.length
    if (token.kind === 'space') {
      into.push({ kind: 'space', text: ' ' })
      continue
    }
    const isFirst = head.every(({ kind }) => kind === 'space')
    if (isFirst && !isWord(token, 'INSERT')) return undefined
    if (token.text === '(') depth++
    else if (token.text === ')') depth--
    else if (token.text === ';' && depth === 0) return undefined
    else if (depth === 0 && isWord(token, 'SELECT', 'WITH', 'FROM', 'WATCH', 'EXPLAIN')) {
      return undefined
    } else if (depth === 0 && isWord(token, 'VALUES')) {
      return ended(head, settings, 'Values', at)
    } else if (depth === 0 && isWord(token, 'SETTINGS')) {
      into = settings
    } else if (depth === 0 && isWord(token, 'FORMAT')) {
      const space = nextToken(text, at)
      if (space?.kind === 'space') at += space.text.length
      const name = nextToken(text, at)
      if (name?.kind !== 'word') return undefined
      return ended(head, settings, name.text, dataAfter(text, at + name.text.length))
    }
    into.push(token)
  }
}

/** Blanks and one line end behind the name of the format are no data; a semicolon neither. */
function dataAfter(text: string, at: number): number {
  const between = /^[ \t]*;?[ \t]*\r?\n?/.exec(text.slice(at, at + 64))
  return at + (between?.[0].length ?? 0)
}

function ended(
  head: readonly Token[],
  settings: readonly Token[],
  format: string | undefined,
  dataAt: number,
): InsertHead {
  const text = (list: readonly Token[]): string =>
    list
      .map((each) => each.text)
      .join('')
      .trim()
  return { into: text(head), settings: text(settings), format, dataAt }
}

export interface Output {
  /** the statement without its FORMAT clause */
  readonly text: string
  /** of the FORMAT clause */
  readonly format: string | undefined
  /** of a SETTINGS clause at the end, taken out of the text too */
  readonly settings: ReadonlyMap<string, string>
}

/**
 * The clauses at the end of a query that say how it is answered: FORMAT, and SETTINGS with plain values. What has another form
 * stays in the text.
 */
export function outputOf(sql: string): Output {
  const settings = new Map<string, string>()
  let all: Token[]
  try {
    all = tokens(sql)
  } catch {
    // The engine will say what is wrong with it.
    return { text: sql, format: undefined, settings }
  }
  let format: string | undefined
  for (;;) {
    const solid = all.flatMap((token, index) => (token.kind === 'space' ? [] : [index]))
    const last = (back: number): Token | undefined => all[solid.at(-back) ?? -1]
    if (last(1)?.text === ';' && format === undefined && settings.size === 0) {
      all = all.slice(0, solid.at(-1))
    } else if (format === undefined && isWord(last(2), 'FORMAT') && last(1)?.kind === 'word') {
      format = last(1)?.text
      all = all.slice(0, solid.at(-2))
    } else {
      const clause = settings.size === 0 ? settingsAtEnd(all, solid) : undefined
      if (clause === undefined) break
      for (const [name, value] of clause.values) settings.set(name, value)
      all = all.slice(0, clause.at)
    }
  }
  return format === undefined && settings.size === 0
    ? { text: sql, format, settings }
    : { text: joined(all).trimEnd(), format, settings }
}

/** `SETTINGS a = 1, b = 'x'`, read from its end. */
function settingsAtEnd(
  all: readonly Token[],
  solid: readonly number[],
): { at: number; values: [string, string][] } | undefined {
  const values: [string, string][] = []
  for (let i = solid.length - 1; i >= 3; i -= 4) {
    const token = (at: number): Token | undefined => all[solid[at] ?? -1]
    const [before, name, equals, value] = [token(i - 3), token(i - 2), token(i - 1), token(i)]
    if (name?.kind !== 'word' || equals?.text !== '=') return undefined
    const text = plainValue(value)
    if (text === undefined) return undefined
    values.unshift([name.text, text])
    if (isWord(before, 'SETTINGS')) return { at: solid[i - 3] ?? 0, values }
    if (before?.text !== ',') return undefined
  }
  return undefined
}

function plainValue(token: Token | undefined): string | undefined {
  if (token?.kind === 'number') return token.text
  if (token?.kind === 'word' && isWord(token, 'TRUE', 'FALSE')) return token.text
  if (token?.kind !== 'string') return undefined
  const text = token.text.slice(1, -1)
  return /[\\']/.test(text) ? undefined : text
}
