/** ClickHouse SQL into tokens that put together again give the text: what rewriting of statements stands on. */
import { StoreError } from './store.ts'

export interface Token {
  readonly kind: 'space' | 'word' | 'quoted' | 'string' | 'number' | 'sign'
  readonly text: string
}

const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  // A comment is space.
  ['space', /(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/y],
  ['string', /'(?:[^'\\]|\\[\s\S]|'')*'/y],
  ['quoted', /`(?:[^`\\]|\\[\s\S]|``)*`|"(?:[^"\\]|\\[\s\S]|"")*"/y],
  ['number', /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y],
  ['word', /[A-Za-z_][A-Za-z0-9_]*/y],
  ['sign', /[-+*/%=<>!(),.;:?[\]{}|&^@]/y],
]

/** @returns undefined at the end, and where no token begins: an open string, a sign that is none */
export function nextToken(text: string, at: number): Token | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) return { kind, text: match[0] }
  }
  return undefined
}

/** @throws StoreError where no token begins */
export function tokens(text: string): Token[] {
  const found: Token[] = []
  for (let at = 0; at < text.length;) {
    const token = nextToken(text, at)
    if (token === undefined) {
      throw new StoreError(`no SQL token at ${JSON.stringify(text.slice(at, at + 40))}`)
    }
    found.push(token)
    at += token.text.length
  }
  return found
}

export const joined = (list: readonly Token[]): string => list.map(({ text }) => text).join('')

/** Keywords are the same in upper and lower case. */
export const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase())
