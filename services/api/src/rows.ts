/** ClickHouse's JSON to ours: 64-bit counts that fit a double become numbers, JSON kept as text becomes JSON. */

export type Row = Record<string, unknown>

/**
 * @param names columns that are UInt64 in the store and below 2^53: ClickHouse quotes them, clients want numbers. Hashes and
 *   keys stay text.
 */
export function withNumbers<R extends Row>(row: R, names: readonly string[]): R {
  const out: Row = { ...row }
  for (const name of names) {
    const value = out[name]
    if (typeof value === 'string') out[name] = Number(value)
  }
  return out as R
}

export function without(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)))
}

/** Text written by the analyst as JSON; what can't be read is shown as it is rather than hidden. */
export function parsedJson(text: unknown): unknown {
  if (typeof text !== 'string') return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

/** `['a,b', 'c']` and `'a,b'` of a query string to `['a', 'b', 'c']`. */
export function words(value: string | readonly string[] | undefined): string[] {
  const given = value === undefined ? [] : typeof value === 'string' ? [value] : value
  return given.flatMap((each) => each.split(',')).filter((each) => each !== '')
}
