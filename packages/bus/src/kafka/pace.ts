import { setTimeout as delay } from 'node:timers/promises'

/** So many at a time; the others wait their turn. */
export class Slots {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  async run(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free--
    else {
      await new Promise<void>((turn) => {
        this.#waiting.push(turn)
      })
    }
    try {
      await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next()
    }
  }
}

/** Waits until there is room again; whoever makes room says so with `look`. */
export class Room {
  readonly #there: () => boolean
  #waiting: (() => void)[] = []

  constructor(there: () => boolean) {
    this.#there = there
  }

  async enter(cancelled: AbortSignal): Promise<void> {
    while (!this.#there() && !cancelled.aborted) {
      await new Promise<void>((look) => {
        this.#waiting.push(look)
      })
    }
  }

  look(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) each()
  }
}

/** The broker must hear of us while a store is slow. @throws what `work` throws; what `heartbeat` throws (a rebalance) */
export async function whileBeating(
  work: Promise<void>,
  heartbeat: () => Promise<void>,
  everyMs: number,
): Promise<void> {
  const ended = new AbortController()
  const done = work.finally(() => {
    ended.abort()
  })
  done.catch(() => undefined)
  for (;;) {
    await delay(everyMs, undefined, { signal: ended.signal }).catch(() => undefined)
    if (ended.signal.aborted) break
    await heartbeat()
  }
  await done
}
