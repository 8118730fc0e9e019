import type { Socket } from 'node:net'
import { createAllowList, sourceOf } from './allow-list.ts'
import { sessionsPerSource } from './config.ts'
import type { BmpServerConfig } from './config.ts'
import type { Connection } from './connection.ts'
import { Lobby } from './lobby.ts'
import type { Guest } from './lobby.ts'
import type { Refusals } from './refusals.ts'

type Settings = BmpServerConfig &
  Required<Pick<BmpServerConfig, 'maxSessions' | 'maxUnidentified' | 'identifyTimeoutMs'>>

/** Who may come in, who has to wait to be known, and who has waited for too long. */
export class Admission {
  readonly #settings: Settings
  readonly #perSource: number
  readonly #allowed: (address: string) => boolean
  readonly #refusals: Refusals
  readonly #now: () => number
  readonly #lobby: Lobby
  /** connections in the lobby; handshakes are there without one */
  readonly #guests = new Map<Connection, Guest>()
  readonly #live: ReadonlySet<Connection>

  /** @param live all connections, those in the lobby among them */
  constructor(
    settings: Settings,
    live: ReadonlySet<Connection>,
    refusals: Refusals,
    now: () => number,
  ) {
    this.#settings = settings
    this.#perSource = settings.maxSessionsPerSource ?? sessionsPerSource(settings.maxSessions)
    this.#allowed = createAllowList(settings.allow)
    this.#refusals = refusals
    this.#now = now
    this.#lobby = new Lobby(settings.maxUnidentified)
    this.#live = live
  }

  /** @returns the source of an accepted connection that may stay; undefined: it was closed */
  admit(socket: Socket): string | undefined {
    const source = sourceOf(socket.remoteAddress)
    socket.on('error', () => {
      // Told apart in `close`; a socket that was refused has no other listener.
    })
    const reason = this.#objection(source)
    if (reason === undefined) return source
    this.#refuse(socket, source, reason)
    return undefined
  }

  /** A TLS handshake takes a place, too. @returns to be called when it is done; tells whether it had its place still */
  shakesHands(socket: Socket, source: string): () => boolean {
    const guest: Guest = {
      source,
      sinceUs: Math.floor(this.#now()),
      close: (reason) => {
        this.#refuse(socket, source, reason)
      },
    }
    this.#enter(guest)
    return () => {
      const had = this.#lobby.has(guest)
      this.#lobby.leave(guest)
      return had
    }
  }

  /** A connection that has said nothing yet. */
  enter(connection: Connection): void {
    const { source, openedUs } = connection
    const guest: Guest = {
      source,
      sinceUs: openedUs,
      close: (reason) => {
        this.#refusals.count(reason, source, this.#now())
        connection.end('shutdown', Math.max(Math.floor(this.#now()), connection.heardUs), reason)
      },
    }
    this.#guests.set(connection, guest)
    this.#enter(guest)
  }

  /** It has said who it is, or is gone. */
  leave(connection: Connection): void {
    const guest = this.#guests.get(connection)
    if (guest !== undefined) this.#lobby.leave(guest)
    this.#guests.delete(connection)
  }

  isGuest(connection: Connection): boolean {
    return this.#guests.has(connection)
  }

  /** Closes those who took too long. */
  expire(us: number): void {
    for (const guest of this.#lobby.since(us - this.#settings.identifyTimeoutMs * 1000)) {
      this.#lobby.leave(guest)
      guest.close('no whole bmp message in time')
    }
  }

  /** Closes handshakes; connections are ended by whoever has them. */
  close(): void {
    const connections = new Set(this.#guests.values())
    for (const guest of this.#lobby.all()) {
      if (!connections.has(guest)) guest.close('collector stops')
    }
  }

  #enter(guest: Guest): void {
    this.#lobby.enter(guest)?.close('said nothing while others waited')
  }

  #objection(source: string): string | undefined {
    if (!this.#allowed(source)) return 'source not in bmp.allow'
    let all = 0
    let ofSource = 0
    for (const each of this.#live) {
      if (this.#guests.has(each)) continue
      all++
      if (each.source === source && each.via !== 'dial') ofSource++
    }
    if (all >= this.#settings.maxSessions) return 'session limit reached'
    return ofSource >= this.#perSource ? 'session limit of this source reached' : undefined
  }

  #refuse(socket: Socket, source: string, reason: string): void {
    this.#refusals.count(reason, source, this.#now())
    socket.destroy()
  }
}
