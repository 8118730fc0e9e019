/** A connection that has not said a whole message yet, or whose TLS handshake is not done. */
export interface Guest {
  readonly source: string
  readonly sinceUs: number
  close(reason: string): void
}

/**
 * Where connections wait until they have said who they are. Places are few, time is limited, and whoever
 * has the most silent connections loses one first: a scanner does not push routers out.
 */
export class Lobby {
  readonly #places: number
  /** insertion order: the oldest first */
  readonly #guests = new Set<Guest>()
  readonly #bySource = new Map<string, number>()

  constructor(places: number) {
    this.#places = places
  }

  get size(): number {
    return this.#guests.size
  }

  has(guest: Guest): boolean {
    return this.#guests.has(guest)
  }

  /** @returns who had to make room, if anybody; to be closed by the caller */
  enter(guest: Guest): Guest | undefined {
    const victim = this.#guests.size < this.#places ? undefined : this.#victim()
    if (victim !== undefined) this.leave(victim)
    this.#guests.add(guest)
    this.#bySource.set(guest.source, (this.#bySource.get(guest.source) ?? 0) + 1)
    return victim
  }

  leave(guest: Guest): void {
    if (!this.#guests.delete(guest)) return
    const left = (this.#bySource.get(guest.source) ?? 1) - 1
    if (left === 0) this.#bySource.delete(guest.source)
    else this.#bySource.set(guest.source, left)
  }

  /** Those who came before that instant. */
  since(us: number): Guest[] {
    return [...this.#guests].filter(({ sinceUs }) => sinceUs <= us)
  }

  all(): Guest[] {
    return [...this.#guests]
  }

  #victim(): Guest | undefined {
    let most = 0
    for (const count of this.#bySource.values()) most = Math.max(most, count)
    for (const guest of this.#guests) {
      if (this.#bySource.get(guest.source) === most) return guest
    }
    return undefined
  }
}
