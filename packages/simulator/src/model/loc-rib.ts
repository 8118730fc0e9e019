import type { BmpPeer, PeerUp } from '../encode/bmp.ts'
import { nlriKey, type Nlri } from '../encode/nlri.ts'
import { encodeOpen } from '../encode/open.ts'
import type { Router } from './router.ts'
import type { Change, Path } from './session.ts'

/** What a Loc-RIB peer shows of the paths that a router uses, RFC 9069. */
export interface LocRibOptions {
  /** The whole multipath set, told apart by path identifiers; else only the best path. */
  readonly addPath: boolean
  readonly maxPaths: number
}

/** A router's Loc-RIB as BMP exports it: remembers what it has shown, and says what is new. */
export class LocRib {
  readonly families = ['ipv4', 'ipv6'] as const
  readonly #router: Router
  readonly #options: LocRibOptions
  readonly #shown = new Map<string, { text: string; nlri: Nlri }>()

  constructor(router: Router, options: LocRibOptions) {
    this.#router = router
    this.#options = options
  }

  get peer(): BmpPeer {
    const { asn, bgpId } = this.#router
    return { type: 3, distinguisher: new Uint8Array(8), address: '', asn, bgpId }
  }

  /** RFC 9069 section 5.2: made-up OPENs, the same in both directions. */
  get peerUp(): PeerUp {
    const { asn, bgpId } = this.#router
    const open = encodeOpen({
      asn,
      holdSeconds: 0,
      bgpId,
      capabilities: [
        ...this.families.map((family) => ({ kind: 'multiprotocol', family }) as const),
        { kind: 'as4', asn },
        ...(this.#options.addPath
          ? [{ kind: 'add-path', families: this.families, mode: 3 } as const]
          : []),
      ],
    })
    return {
      localAddress: '',
      localPort: 0,
      remotePort: 0,
      sentOpen: open,
      receivedOpen: open,
      tableName: 'global',
    }
  }

  /** Forgets what was shown: the next `changes` is a dump. */
  reset(): void {
    this.#shown.clear()
  }

  changes(keys: readonly string[]): Change[] {
    const changes: Change[] = []
    for (const key of keys) {
      const wanted = new Map(this.#paths(key).map((path) => [nlriKey(path.nlri), path]))
      for (const [id, { nlri }] of [...this.#shown]) {
        if (this.#belongs(id, key) && !wanted.has(id)) {
          this.#shown.delete(id)
          changes.push({ nlri, attrs: null })
        }
      }
      for (const [id, { nlri, attrs }] of wanted) {
        const text = JSON.stringify(attrs)
        if (this.#shown.get(id)?.text === text) continue
        this.#shown.set(id, { text, nlri })
        changes.push({ nlri, attrs })
      }
    }
    return changes
  }

  /** Keys are 'family|prefix|path identifier'. */
  #belongs(id: string, key: string): boolean {
    return id.slice(0, id.lastIndexOf('|')) === key.slice(0, key.lastIndexOf('|'))
  }

  #paths(key: string): Pick<Path, 'nlri' | 'attrs'>[] {
    const best = this.#router.best.get(key)
    if (best === undefined || best.nlri.family === 'evpn') return []
    if (!this.#options.addPath) return [best]
    return this.#router
      .multipath(key)
      .slice(0, this.#options.maxPaths)
      .map(({ nlri, attrs, session }) => {
        const pathId = session === undefined ? 1 : 2 + this.#router.sessions.indexOf(session)
        return { nlri: nlri.family === 'evpn' ? nlri : { ...nlri, pathId }, attrs }
      })
  }
}
