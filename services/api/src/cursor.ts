/** Cursors: opaque to clients, and checked like any other input when they come back. */
import { badRequest } from './problem.ts'

export type CursorValue = string | number

/** @param shape 's' or 'n' per value */
export function encodeCursor(values: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url')
}

/** @throws ProblemError 400 unless the cursor has exactly this shape ('s' string, 'n' whole number, in order) */
export function decodeCursor(text: string, shape: string): CursorValue[] {
  let values: unknown
  try {
    values = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    values = undefined
  }
  const fits =
    Array.isArray(values) &&
    values.length === shape.length &&
    values.every((value, i) =>
      shape[i] === 's'
        ? typeof value === 'string'
        : Number.isSafeInteger(value) && (value as number) >= 0,
    )
  if (!fits) throw badRequest('cursor: not one of this list', 'bad-cursor')
  return values as CursorValue[]
}

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** Small lists that are made anew each time: the cursor is a position. */
export function pageOf<Item>(
  all: readonly Item[],
  limit: number,
  cursor: string | undefined,
): Page<Item> {
  const [start] = cursor === undefined ? [0] : (decodeCursor(cursor, 'n') as [number])
  const end = start + limit
  return { items: all.slice(start, end), next: end < all.length ? encodeCursor([end]) : null }
}
