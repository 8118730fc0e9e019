/**
 * What has to be known of a statement before the engine sees it: whether data come behind it, and in which format it answers.
 *
 * Only the head of an insert and the end of a query are looked at. Whatever can't be read here is left to the engine.
 */
import { isWord, nextToken, tokens, type Token } from '../sql-tokens.ts'

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
}

/** The FORMAT clause at the end of a query, with or without SETTINGS behind it. */
export function outputOf(sql: string): Output {
  let all: Token[]
  try {
    all = tokens(sql)
  } catch {
    // The engine will say what is wrong with it.
    return { text: sql, format: undefined }
  }
  const solid = all.flatMap((token, index) => (token.kind === 'space' ? [] : [index]))
  while (all[solid.at(-1) ?? -1]?.text === ';') solid.pop()
  const [format, name] = solid.slice(-2)
  if (format !== undefined && name !== undefined && isWord(all[format], 'FORMAT')) {
    if (all[name]?.kind === 'word') {
      return {
        text: textOf(all.slice(0, format)),
        format: all[name].text,
      }
    }
  }
  // ... FORMAT x SETTINGS a = 1: the statement stays as it is, and answers so.
  let depth = 0
  for (let i = solid.length - 1; i > 0; i--) {
    const text = all[solid[i] ?? 0]?.text
    if (text === ')') depth++
    else if (text === '(') depth--
    const [first, second, third] = [
      all[solid[i - 1] ?? 0],
      all[solid[i] ?? 0],
      all[solid[i + 1] ?? 0],
    ]
    if (
      depth === 0 &&
      isWord(first, 'FORMAT') &&
      second?.kind === 'word' &&
      isWord(third, 'SETTINGS')
    ) {
      return { text: sql, format: second.text }
    }
  }
  return { text: sql, format: undefined }
}

const textOf = (list: readonly Token[]): string =>
  list
    .map(({ text }) => text)
    .join('')
    .trimEnd()
