import { cleanName } from '@ribscope/events'
import type { Logger } from 'pino'
import type { RawSession } from './raw-session.ts'

/** What a stream says about who it is. */
export interface Claim {
  /** by the record's header; '' where there is none */
  readonly given: string
  /** by the router itself, else its address */
  readonly own: string
  readonly hash: string
}

/** What routers of raw streams are called. */
export class RawNames {
  readonly #users = new Map<string, Set<RawSession>>()
  /** what streams were called before, the one that was named longest ago first */
  readonly #called = new Map<string, string>()
  readonly #byAddress: ReadonlyMap<string, string>
  readonly #log: Logger
  readonly #maxCalled: number

  /** @param addresses of routers by name */
  constructor(
    log: Logger,
    maxCalled: number,
    addresses: ReadonlyMap<string, string> = new Map<string, string>(),
  ) {
    this.#log = log
    this.#maxCalled = maxCalled
    this.#byAddress = new Map([...addresses].map(([name, address]) => [address, name]))
  }

  /** As its collector called it, else as it calls itself, or did before, else as the inventory does, by its address, by its hash. */
  claim(session: RawSession, { given, own, hash }: Claim): string {
    const { key, source } = session
    const log = this.#log
    const anonymous = own === source
    const name = given !== '' ? given : anonymous ? this.#nameOf(key, source, hash) : own
    if (!anonymous) this.#remember(key, name)
    const users = this.#users.get(name) ?? new Set<RawSession>()
    const others = [...users]
    this.#users.set(name, users.add(session))
    session.sysName = name
    const taken = given === '' && others.some((other) => other.source !== source)
    const router = taken ? `${name}@${source}` : name
    if (taken) log.warn({ sysName: name, router }, 'another router uses this sysName')
    else if (others.length > 0) log.warn({ router }, 'a second bmp session of this router')
    log.info({ router, source, bmpSession: session.openedUs }, 'bmp session up')
    return router
  }

  release(session: RawSession): void {
    const { sysName } = session
    if (sysName === undefined) return
    const users = this.#users.get(sysName)
    if (users?.delete(session) === true && users.size === 0) this.#users.delete(sysName)
  }

  #nameOf(key: string, source: string, hash: string): string {
    const known = this.#called.get(key) ?? this.#byAddress.get(source)
    if (known !== undefined) return known
    const text = source === '0.0.0.0' ? cleanName(hash) : ''
    return text === '' ? source : text
  }

  /** The Initiation of a stream that goes on in another session (the partitions moved) does not come again. */
  #remember(key: string, name: string): void {
    this.#called.delete(key)
    this.#called.set(key, name)
    if (this.#called.size <= this.#maxCalled) return
    for (const oldest of this.#called.keys()) {
      this.#called.delete(oldest)
      return
    }
  }
}
