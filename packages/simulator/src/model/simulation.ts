import { Random } from './random.ts'

interface Due {
  readonly us: number
  readonly order: number
  readonly run: () => void
}

/**
 * Virtual time and what is to happen in it. Times are microseconds since 1970. What falls due at
 * the same instant runs in the order in which it was scheduled.
 */
export class Simulation {
  readonly random: Random
  /** Instant of the timeline's zero second. */
  readonly startUs: number
  nowUs: number
  /** Binary heap by (us, order). */
  readonly #heap: Due[] = []
  #order = 0

  /** @param historyUs how long before the zero second the clock starts */
  constructor(startUs: number, seed: number, historyUs = 0) {
    this.startUs = startUs
    this.nowUs = startUs - historyUs
    this.random = new Random(seed)
  }

  /** Runs `run` at an instant, or now if that has passed. */
  at(us: number, run: () => void): void {
    const heap = this.#heap
    const due: Due = { us: Math.max(Math.round(us), this.nowUs), order: this.#order++, run }
    let index = heap.length
    heap.push(due)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(due, heap[parent] as Due)) break
      heap[index] = heap[parent] as Due
      index = parent
    }
    heap[index] = due
  }

  /** Runs `run` at a second of the timeline; fractions welcome. */
  second(seconds: number, run: () => void): void {
    this.at(this.startUs + Math.round(seconds * 1e6), run)
  }

  after(us: number, run: () => void): void {
    this.at(this.nowUs + us, run)
  }

  /** Runs everything due up to and including an instant, and leaves the clock there. */
  runUntil(us: number): void {
    for (let due = this.#heap[0]; due !== undefined && due.us <= us; due = this.#heap[0]) {
      this.#pop()
      this.nowUs = due.us
      due.run()
    }
    this.nowUs = Math.max(this.nowUs, us)
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Due
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Due, heap[child] as Due)) child++
      if (!before(heap[child] as Due, last)) break
      heap[index] = heap[child] as Due
      index = child
    }
    heap[index] = last
  }
}

function before(a: Due, b: Due): boolean {
  return a.us < b.us || (a.us === b.us && a.order < b.order)
}
