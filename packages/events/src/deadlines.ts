/**
 * A heap of instants at which something may fall due. Entries are lower bounds: whoever takes one looks
 * whether it is so far and otherwise puts a later one back. Ties go by `rank`, so that equal input gives
 * equal order.
 */
export class Deadlines<T extends { readonly rank: number }> {
  readonly #heap: { readonly us: number; readonly item: T }[] = []

  /** The earliest instant, or Infinity. */
  get nextUs(): number {
    return this.#heap[0]?.us ?? Infinity
  }

  add(us: number, item: T): void {
    const heap = this.#heap
    let i = heap.length
    const entry = { us, item }
    heap.push(entry)
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = heap[up]
      if (parent === undefined || !before(entry, parent)) break
      heap[i] = parent
      i = up
    }
    heap[i] = entry
  }

  take(): { readonly us: number; readonly item: T } | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      const left = heap[child]
      if (left === undefined) break
      let least = left
      const right = heap[child + 1]
      if (right !== undefined && before(right, left)) {
        least = right
        child += 1
      }
      if (!before(least, last)) break
      heap[i] = least
      i = child
    }
    heap[i] = last
    return first
  }
}

interface Entry {
  readonly us: number
  readonly item: { readonly rank: number }
}

function before(a: Entry, b: Entry): boolean {
  return a.us < b.us || (a.us === b.us && a.item.rank < b.item.rank)
}
