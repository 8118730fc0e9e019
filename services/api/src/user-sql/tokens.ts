/**
 * Splits user SQL into tokens, more strictly than ClickHouse does: whatever two lexers could read differently (heredocs, hex
 * strings, `#` comments, typographic quotes, escapes in quoted names, control characters) is refused. Comments are taken out, so
 * that the engine sees exactly what was looked at here.
 */
export class RefusedSql extends Error {
  override readonly name = 'RefusedSql'
}

export interface Token {
  /** `word`: a bare word; `name`: in double quotes or backticks, without them; `mark`: one character of punctuation. */
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'mark'
  readonly text: string
}

export interface Statement {
  readonly tokens: readonly Token[]
  /** The statement without comments and without a semicolon at its end. */
  readonly text: string
}

const MAX_CHARACTERS = 65_536

const SPACE = /[ \t\r\n]+/y
const LINE_COMMENT = /--[^\n]*/y
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(?![A-Za-z0-9_$])/y
const STRING = /'(?:[^'\\]|\\.|'')*'/sy
const NAME = /"([^"\\`.\p{Cc}]{1,128})"|`([^"\\`.\p{Cc}]{1,128})`/uy
const MARK = /[()[\]{},.+\-*/%=<>!:?|]/y

/** @throws RefusedSql saying what and where */
export function tokenize(sql: string): Statement {
  if (sql.length > MAX_CHARACTERS) throw new RefusedSql('the statement is longer than 64 KiB')
  if (!sql.isWellFormed()) throw new RefusedSql('the statement is not well-formed Unicode')
  const tokens: Token[] = []
  let text = ''
  let at = 0
  let ended = false
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(sql)
    if (match) at += match[0].length
    return match ?? undefined
  }
  const push = (kind: Token['kind'], content: string, raw: string): void => {
    if (ended) throw new RefusedSql('one statement at a time: there is more after the semicolon')
    tokens.push({ kind, text: content })
    text += raw
  }
  while (at < sql.length) {
    const start = at
    if (sql[at] === '\0') throw new RefusedSql(`a control character at ${String(at)}`)
    if (take(SPACE) || take(LINE_COMMENT)) {
      text += ' '
      continue
    }
    if (sql.startsWith('/*', at)) {
      const end = sql.indexOf('*/', at + 2)
      if (end < 0) throw new RefusedSql('a comment without end')
      at = end + 2
      text += ' '
      continue
    }
    if (sql[at] === ';') {
      ended = true
      at++
      continue
    }
    const word = take(WORD)
    if (word) {
      // x'41', b'01': other escapes than in plain strings.
      if (sql[at] === "'") {
        throw new RefusedSql(`${word[0]}'...' is not supported; put a space before the string`)
      }
      push('word', word[0], word[0])
      continue
    }
    const number = take(NUMBER)
    if (number) {
      push('number', number[0], number[0])
      continue
    }
    const string = take(STRING)
    if (string) {
      if (string[0].includes('\0')) throw new RefusedSql('a control character in a string')
      if (sql[at] === "'") throw new RefusedSql('two strings without anything between them')
      push('string', string[0], string[0])
      continue
    }
    const name = take(NAME)
    if (name) {
      if (sql[at] === sql[start]) throw new RefusedSql('a quote inside a quoted name')
      push('name', name[1] ?? name[2] ?? '', name[0])
      continue
    }
    const mark = take(MARK)
    if (mark) {
      push('mark', mark[0], mark[0])
      continue
    }
    const shown = JSON.stringify(String.fromCodePoint(sql.codePointAt(at) ?? 0))
    throw new RefusedSql(
      sql[at] === "'" || sql[at] === '"' || sql[at] === '`'
        ? `a quote at character ${String(at + 1)} that does not end, or a quoted name with a dot or an escape in it`
        : `${shown} at character ${String(at + 1)} is not supported`,
    )
  }
  if (tokens.length === 0) throw new RefusedSql('no statement')
  return { tokens, text: text.trim() }
}
