/**
 * Test helper: the state of the routers by plain replay of the log, one row after another, every route held and taken away one
 * by one. It knows the rules of DESIGN section 5 and nothing of marks (`effects`), tables or views.
 */
import type { Row } from './feeds.ts'

export interface Held {
  readonly row: Row
  stale: boolean
  /** receive time of the last event that was no duplicate */
  readonly since: string
}

interface PeerLife {
  up: boolean
  /** order number of the row that opened the epoch */
  upAt: number
  sent: readonly string[]
  received: readonly string[]
}

const FAMILIES: Readonly<Record<string, string>> = {
  'ipv4-unicast': '1/1',
  'ipv6-unicast': '2/1',
  'ipv4-vpn': '1/128',
  'ipv6-vpn': '2/128',
  'l2vpn-evpn': '25/70',
}

/** @returns what is announced after these rows; key: the route's identity */
export function replay(rows: readonly Row[]): Map<string, Held> {
  const inOrder = [...rows].sort((a, b) => a.bmp_session - b.bmp_session || a.seq - b.seq)
  const state = new Map<string, Held & { at: number }>()
  const lives = new Map<string, Map<string, PeerLife>>()

  function each(router: string, does: (held: Held & { at: number }, key: string) => void): void {
    for (const [key, held] of state) if (held.row.router === router) does(held, key)
  }

  for (const [at, row] of inOrder.entries()) {
    const { router } = row
    const peer = String(row['peer_key'])
    if (row.table === 'route_events') {
      const key = JSON.stringify([
        router,
        peer,
        ...['rib', 'afi', 'safi', 'nlri', 'path_id'].map((column) => row[column]),
      ])
      const had = state.get(key)
      // Map order is age of the last announcement; nothing depends on it.
      state.delete(key)
      if (row['action'] === 'announce') {
        const same = had !== undefined && had.row['attr_hash'] === row['attr_hash']
        state.set(key, { row, at, stale: false, since: same ? had.since : row.rx_ts })
      }
      continue
    }
    if (row.table !== 'session_events') continue
    const peers = lives.get(router) ?? new Map<string, PeerLife>()
    lives.set(router, peers)
    const life = peers.get(peer)
    const mine = (held: Held): boolean => held.row['peer_key'] === peer
    switch (row['kind']) {
      case 'bmp_up':
      case 'bmp_down':
        // Which peers are up is not known any more; routes are doubtful, not gone.
        lives.delete(router)
        each(router, (held) => (held.stale = true))
        break
      case 'peer_up': {
        const sent = row['sent_capabilities'] as string[]
        const received = row['received_capabilities'] as string[]
        if (row['reason'] === 'more-capabilities' && life !== undefined) {
          Object.assign(life, { sent, received })
          break
        }
        if (life?.up === true) each(router, (held, key) => mine(held) && state.delete(key))
        peers.set(peer, { up: true, upAt: at, sent, received })
        break
      }
      case 'peer_down': {
        const first = life === undefined && row['peer_epoch'] === 0
        if (row['counted'] !== 1 && !first) break
        const kept = row['counted'] === 1 ? keptFamilies(row, life) : undefined
        each(router, (held, key) => {
          if (!mine(held)) return
          if (kept?.has(`${held.row['afi']}/${held.row['safi']}`) === true) held.stale = true
          else state.delete(key)
        })
        peers.set(peer, { up: false, upAt: at, sent: [], received: [] })
        break
      }
      case 'gr_expired': {
        const before = life?.up === true ? life.upAt : at
        each(router, (held, key) => mine(held) && held.at < before && state.delete(key))
        break
      }
      case 'dump_done':
        each(router, (held, key) => {
          // The router's dump is done: what no peer of this session said is gone.
          if (row['peer_key'] === '0') {
            if (held.row.bmp_session < row.bmp_session) state.delete(key)
            return
          }
          const inView =
            row['afi'] === 0 ||
            ['rib', 'afi', 'safi'].every((column) => held.row[column] === row[column])
          if (mine(held) && inView && held.at < life!.upAt) state.delete(key)
        })
        break
      default:
    }
  }
  return state
}

/** RFC 4724, RFC 8538: families that outlive this Peer Down; undefined: it is a hard end. */
function keptFamilies(down: Row, life: PeerLife | undefined): Set<string> | undefined {
  const offer = (texts: readonly string[] | undefined): RegExpExecArray | null =>
    /^graceful-restart (\d+)s( R)?( N)?(.*)$/.exec(
      texts?.findLast((text) => text.startsWith('graceful-restart ')) ?? '',
    )
  const ours = offer(life?.sent)
  const theirs = offer(life?.received)
  if (ours === null || theirs === null || Number(theirs[1]) === 0) return undefined
  const code = down['reason_code']
  if (code === 1 || code === 3) {
    const hard =
      down['notification_code'] === 6 && [9, 10].includes(Number(down['notification_subcode']))
    if (ours[3] === undefined || theirs[3] === undefined || hard) return undefined
  } else if (code !== 4) return undefined
  const names = (match: RegExpExecArray): string[] =>
    match[4]!.split(' ').map((name) => name.replace('/F', ''))
  const own = names(ours)
  const both = names(theirs).filter((name) => name !== '' && own.includes(name))
  return both.length === 0 ? undefined : new Set(both.map((name) => FAMILIES[name] ?? name))
}
