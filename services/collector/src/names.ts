import type { Connection } from './connection.ts'

/** Which live connection uses which sysName. */
export class Names {
  readonly #users = new Map<string, Set<Connection>>()
  readonly #owners: ReadonlyMap<string, string>

  /** @param owners addresses of routers by name */
  constructor(owners: ReadonlyMap<string, string> = new Map()) {
    this.#owners = owners
  }

  /** `name@source` where another source has the name; undefined where the name is not the source's to use. */
  claim(connection: Connection, name: string): string | undefined {
    const { source, log } = connection
    const owner = this.#owners.get(name)
    if (owner !== undefined && owner !== source && !isLoopback(source)) {
      log.warn({ sysName: name, expected: owner }, 'sysName belongs to another address')
      return undefined
    }
    const users = this.#users.get(name) ?? new Set<Connection>()
    const others = [...users].filter((other) => !other.ended)
    const taken = others.some((other) => other.source !== source)
    const router = taken ? `${name}@${source}` : name
    if (taken) log.warn({ sysName: name, router }, 'another router uses this sysName')
    else if (others.length > 0) log.warn({ router }, 'a second bmp session of this router')
    connection.sysName = name
    this.#users.set(name, users.add(connection))
    return router
  }

  /** Live connections of the router that this one was of. */
  users({ sysName, source }: Connection): Connection[] {
    const users = sysName === undefined ? undefined : this.#users.get(sysName)
    return [...(users ?? [])].filter((each) => each.source === source && !each.ended)
  }

  release(connection: Connection): void {
    const { sysName } = connection
    if (sysName === undefined) return
    const users = this.#users.get(sysName)
    if (users?.delete(connection) === true && users.size === 0) this.#users.delete(sysName)
  }
}

function isLoopback(source: string): boolean {
  return source.startsWith('127.') || source === '::1'
}
