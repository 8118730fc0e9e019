/** Names of types in Native blocks, as far as the encoders of this package use them. */
export interface NativeType {
  readonly name: string
  readonly of: readonly NativeType[]
  /** of an Enum8: names by number */
  readonly names: ReadonlyMap<number, string>
}

/** Blocks of the bus have 37 columns at most. */
export const MAX_COLUMNS = 127
/** Of a name; our longest, the marks of session_log, has 110. */
const MAX_OCTETS = 1000
const MAX_DEPTH = 4

const SIMPLE = new Set(['UInt8', 'UInt16', 'UInt32', 'UInt64', 'Float64', 'IPv6', 'String'])
const NO_NAMES: ReadonlyMap<number, string> = new Map()
const known = new Map<string, NativeType | undefined>()
/** Texts of types that are remembered: whoever sends blocks chooses them. */
const MAX_KNOWN = 200

/** @returns undefined for a type that is not used */
export function parseType(text: string): NativeType | undefined {
  if (known.has(text)) return known.get(text)
  const type = text.length > MAX_OCTETS ? undefined : parse(text, 0)
  if (known.size < MAX_KNOWN) known.set(text, type)
  return type
}

function parse(text: string, depth: number): NativeType | undefined {
  if (SIMPLE.has(text)) return { name: text, of: [], names: NO_NAMES }
  const open = text.indexOf('(')
  if (open < 0 || !text.endsWith(')') || depth === MAX_DEPTH) return undefined
  const name = text.slice(0, open)
  const inside = text.slice(open + 1, -1)
  if (name === 'DateTime64') return { name, of: [], names: NO_NAMES }
  if (name === 'Enum8') {
    const pairs = [...inside.matchAll(/'([^'\\]*)' = (-?\d{1,3})/g)]
    return { name, of: [], names: new Map(pairs.map(([, word, n]) => [Number(n), word ?? ''])) }
  }
  const of: NativeType[] = []
  for (const part of split(inside)) {
    const element = name === 'Tuple' ? part.replace(/^[a-z_]+ /, '') : part
    const type = parse(element, depth + 1)
    // Its state stands before its values, and would be nested.
    if (type === undefined || type.name === 'LowCardinality') return undefined
    of.push(type)
  }
  const expected = COUNTS[name]
  if (expected === undefined || of.length === 0) return undefined
  return expected === 0 || of.length === expected ? { name, of, names: NO_NAMES } : undefined
}

/** Types within; 0: any number but none. */
const COUNTS: Readonly<Record<string, number>> = { LowCardinality: 1, Array: 1, Map: 2, Tuple: 0 }

/** At commas that are in no parentheses. */
function split(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i <= text.length; i++) {
    const sign = text.charAt(i)
    if (sign === '(') depth++
    else if (sign === ')') depth--
    else if ((sign === ',' && depth === 0) || sign === '') {
      parts.push(text.slice(from, i).trim())
      from = i + 1
    }
  }
  return parts
}
