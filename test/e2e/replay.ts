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

/** A row of the log, or the end of a route that no row told, as `route_event_class` shows it. */
export interface Event {
  /** the route row: for an implied withdrawal the announcement that ended */
  readonly row: Row
  readonly implied: 0 | 1
  /** the row that this happened with: `row` itself, or what ended it */
  readonly by: Row
  readonly cause: string
  readonly class: string
}

interface PeerLife {
  up: boolean
  /** went down gracefully, and what it left is not settled */
  grace: boolean
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

/**
 * @param history takes every event, classed after DETECTORS.md A.2
 * @returns what is announced after these rows; key: the route's identity
 */
export function replay(rows: readonly Row[], history: Event[] = []): Map<string, Held> {
  const inOrder = [...rows].sort((a, b) => a.bmp_session - b.bmp_session || a.seq - b.seq)
  const state = new Map<string, Held & { at: number }>()
  const lives = new Map<string, Map<string, PeerLife>>()

  /** The last announcement of every route that ever had a row. */
  const told = new Map<string, Row | undefined>()

  function each(router: string, does: (held: Held & { at: number }) => void): void {
    for (const held of state.values()) if (held.row.router === router) does(held)
  }

  function sweep(by: Row, cause: string, gone: (held: Held & { at: number }) => boolean): void {
    for (const [key, held] of state) {
      if (held.row.router !== by.router || !gone(held)) continue
      state.delete(key)
      history.push({ row: held.row, implied: 1, by, cause, class: 'AW' })
    }
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
      const last = told.get(key)
      const known = told.has(key)
      const announced = row['action'] === 'announce'
      history.push({
        row,
        implied: 0,
        by: row,
        cause: 'update',
        class: announced ? classOf(row, known, last, had !== undefined) : had ? 'AW' : 'WWDUP',
      })
      told.set(key, announced ? row : last)
      state.delete(key)
      if (announced) {
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
        // A peer that is up again without a Peer Up: what its last OPENs said.
        const said = (column: string): string[] => row[column] as string[]
        const known = row['synthetic'] === 1 ? life : undefined
        const sent = known?.sent ?? said('sent_capabilities')
        const received = known?.received ?? said('received_capabilities')
        if (row['reason'] === 'more-capabilities' && life !== undefined) {
          Object.assign(life, { sent, received })
          break
        }
        if (life?.up === true) sweep(row, 'peer_down', mine)
        peers.set(peer, { up: true, grace: life?.grace === true, upAt: at, sent, received })
        break
      }
      case 'peer_down': {
        const first = life === undefined && row['peer_epoch'] === 0
        if (row['counted'] !== 1 && !first) break
        const kept = row['counted'] === 1 ? keptFamilies(row, life) : undefined
        const outlives = (held: Held): boolean =>
          kept?.has(`${held.row['afi']}/${held.row['safi']}`) === true
        sweep(row, first ? 'reconcile' : 'peer_down', (held) => mine(held) && !outlives(held))
        each(router, (held) => {
          if (mine(held)) held.stale = true
        })
        peers.set(peer, {
          up: false,
          grace: kept !== undefined,
          upAt: at,
          sent: life?.sent ?? [],
          received: life?.received ?? [],
        })
        break
      }
      case 'gr_expired': {
        const before = life?.up === true ? life.upAt : at
        sweep(row, 'gr_expired', (held) => mine(held) && held.at < before)
        if (life !== undefined) life.grace = false
        break
      }
      case 'dump_done': {
        if (peer === '0') {
          // The router's dump is done: what no peer of this session said is gone.
          sweep(row, 'reconcile', (held) => held.row.bmp_session < row.bmp_session)
          break
        }
        const whole = row['afi'] === 0
        const inView = (held: Held): boolean =>
          whole || ['rib', 'afi', 'safi'].every((column) => held.row[column] === row[column])
        const cause = life!.grace ? 'gr_expired' : 'reconcile'
        sweep(row, cause, (held) => mine(held) && inView(held) && held.at < life!.upAt)
        if (whole) life!.grace = false
        break
      }
      default:
    }
  }
  return state
}

function classOf(row: Row, known: boolean, last: Row | undefined, up: boolean): string {
  if (!known) return 'NEW'
  const same = (column: string): boolean => last?.[column] === row[column]
  if (!up) return same('fwd_hash') ? 'WADUP' : 'WADIFF'
  return same('attr_hash') ? 'AADUP' : same('fwd_hash') ? 'AAATTR' : 'AADIFF'
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
