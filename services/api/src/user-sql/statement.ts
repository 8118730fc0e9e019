/** First gate: what the tokens say. One statement, of a kind that reads, that calls only what is known. */
import { mayCallIn, SYNTAX, TABLE_FUNCTIONS, TYPES, type Vocabulary } from './functions.ts'
import { RefusedSql, tokenize, type Token } from './tokens.ts'

/**
 * Words that change where results go or which limits hold, or that begin another statement. Quoted they are names and harmless.
 */
const FORBIDDEN: ReadonlyMap<string, string> = new Map([
  ['INTO', 'results go to the caller only'],
  ['OUTFILE', 'results go to the caller only'],
  ['FORMAT', 'the format is a field of the request'],
  ['SETTINGS', 'settings are fixed'],
  ['APPLY', 'it calls functions by name'],
  ['PARALLEL', 'one statement at a time'],
  ['INSERT', 'nothing is written here'],
])

const KINDS = ['SELECT', 'WITH', 'EXPLAIN', 'SHOW', 'DESCRIBE', 'DESC']

export interface Checked {
  readonly text: string
  /** SHOW is held to a grammar of its own here; all else has its syntax tree looked at next. */
  readonly isShow: boolean
}

/**
 * @throws RefusedSql
 */
export function checkStatement(sql: string, known: Vocabulary): Checked {
  const { tokens, text } = tokenize(sql)
  const [first] = tokens
  const kind = first?.kind === 'word' ? first.text.toUpperCase() : ''
  if (!KINDS.includes(kind)) {
    throw new RefusedSql(`a statement begins with ${KINDS.slice(0, -1).join(', ')}`)
  }
  checkParameters(tokens)
  for (const [i, token] of tokens.entries()) checkWord(token, tokens[i + 1], known)
  if (kind === 'SHOW') checkShow(tokens, known)
  return { text, isShow: kind === 'SHOW' }
}

function checkWord(token: Token, next: Token | undefined, known: Vocabulary): void {
  if (token.kind !== 'word' && token.kind !== 'name') return
  const called = next?.kind === 'mark' && next.text === '('
  const upper = token.text.toUpperCase()
  const bare = token.kind === 'word'
  const reason = bare ? FORBIDDEN.get(upper) : undefined
  if (reason !== undefined && !(called && upper === 'FORMAT')) {
    throw new RefusedSql(`${upper} is not allowed: ${reason}`)
  }
  if (!called) return
  if (bare && (SYNTAX.has(upper) || TYPES.has(token.text))) return
  if (/^[A-Za-z0-9_]+$/.test(token.text)) {
    if (mayCallIn(token.text, known)) return
    if (TABLE_FUNCTIONS.has(token.text) || known.views.has(token.text)) return
  }
  throw new RefusedSql(`function ${JSON.stringify(token.text)} is not allowed`)
}

/** Braces are for {name:Type}, and Type is no Identifier: that would make a name of a value after all checks. */
function checkParameters(tokens: readonly Token[]): void {
  const text = (i: number): string => tokens[i]?.text ?? ''
  let inside = false
  for (const [i, token] of tokens.entries()) {
    if (token.kind === 'mark' && token.text === '{') {
      if (
        inside ||
        tokens[i + 1]?.kind !== 'word' ||
        text(i + 2) !== ':' ||
        !TYPES.has(text(i + 3))
      ) {
        throw new RefusedSql('braces are for parameters: {name:Type}')
      }
      inside = true
    } else if (token.kind === 'mark' && token.text === '}') {
      if (!inside) throw new RefusedSql('a closing brace without an opening one')
      inside = false
    } else if (inside && token.kind === 'word' && tokens[i - 1]?.text !== '{') {
      if (!TYPES.has(token.text)) throw new RefusedSql(`type ${token.text} is not supported`)
    }
  }
  if (inside) throw new RefusedSql('a brace that does not end')
}

/** SHOW TABLES [FROM ribscope] [LIKE '...'], SHOW CREATE [TABLE|VIEW] x, SHOW COLUMNS FROM x */
function checkShow(tokens: readonly Token[], { client }: Vocabulary): void {
  const shape = tokens
    .map(({ kind, text }) => (kind === 'string' ? "''" : kind === 'name' ? `\`${text}` : text))
    .join(' ')
  const table = '(?:`?ribscope \\. )?`?[A-Za-z0-9_]+'
  const known = [
    /^SHOW TABLES(?: (?:FROM|IN) `?ribscope)?(?: (?:NOT )?I?LIKE '')?$/i,
    new RegExp(`^SHOW CREATE (?:TABLE |VIEW )?${table}$`, 'i'),
    new RegExp(`^SHOW (?:COLUMNS|FIELDS) (?:FROM|IN) ${table}$`, 'i'),
  ]
  if (client) known.push(/^SHOW DATABASES$/i)
  if (!known.some((each) => each.test(shape))) {
    throw new RefusedSql(
      "SHOW knows: SHOW TABLES [LIKE '...'], SHOW CREATE TABLE name, SHOW COLUMNS FROM name",
    )
  }
}
