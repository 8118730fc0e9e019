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
  /** capabilities that the OPENs of this epoch had, one list an OPEN */
  sent: readonly (readonly string[])[]
  received: readonly (readonly string[])[]
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
        // A peer that is up again without a Peer Up has said nothing.
        const said = (column: string): (readonly string[])[] =>
          row['synthetic'] === 1 ? [] : [row[column] as string[]]
        const sent = said('sent_capabilities')
        const received = said('received_capabilities')
        if (row['reason'] === 'more-capabilities' && life !== undefined) {
          life.sent = [...life.sent, ...sent]
          life.received = [...life.received, ...received]
          break
        }
        if (life?.up === true) sweep(row, 'peer_down', mine)
        let grace = life?.grace === true
        const known = row['hold_time_received'] !== 0 || received[0]?.length !== 0
        if (grace && received.length > 0 && known) {
          // RFC 4724 section 4.2: who did not keep the forwarding state says so.
          const { graceful, longLived } = offerOf(received)
          const keeps = (held: Held): boolean =>
            graceful?.families.get(familyOf(held))?.kept === true ||
            longLived?.get(familyOf(held))?.kept === true
          sweep(row, 'gr_expired', (held) => mine(held) && !keeps(held))
          grace = [...(graceful?.families ?? []), ...(longLived ?? [])].some(
            ([, each]) => each.kept,
          )
        }
        peers.set(peer, { up: true, grace, upAt: at, sent, received })
        break
      }
      case 'peer_down': {
        // A header of zeros is that of a router's own routes: no session that could end.
        const own =
          row['peer_asn'] === 0 &&
          row['peer_bgp_id'] === '0.0.0.0' &&
          ['0.0.0.0', '::'].includes(String(row['peer_addr']))
        const first = life === undefined && row['peer_epoch'] === 0 && !own
        const removed = life?.grace === true && !life.up && row['reason_code'] === 5
        if (row['counted'] !== 1 && !first && !removed) break
        const kept = row['counted'] === 1 ? keptFamilies(row, life) : undefined
        const outlives = (held: Held): boolean => kept?.has(familyOf(held)) === true
        if (life?.up === true && life.grace && kept !== undefined) {
          // Restarting again before it was done (RFC 4724 section 4.2); RFC 9494 has no such rule.
          const again = (held: Held & { at: number }): boolean =>
            held.at < life.upAt && kept.get(familyOf(held)) === 'restart'
          sweep(row, 'gr_expired', (held) => mine(held) && again(held))
        }
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
        const whole = row['afi'] === 0
        const inFamily = (held: Held): boolean =>
          whole || ['afi', 'safi'].every((column) => held.row[column] === row[column])
        sweep(row, 'gr_expired', (held) => mine(held) && inFamily(held) && held.at < before)
        if (whole && life !== undefined) life.grace = false
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

const familyOf = ({ row }: Held): string => `${row['afi']}/${row['safi']}`

interface Listed {
  readonly kept: boolean
  readonly seconds: number
}

/** Graceful restart, short and long, as the OPENs of one side have it. */
function offerOf(opens: readonly (readonly string[])[]): {
  graceful: { seconds: number; notification: boolean; families: Map<string, Listed> } | undefined
  longLived: Map<string, Listed> | undefined
} {
  let graceful: ReturnType<typeof offerOf>['graceful']
  let longLived: Map<string, Listed> | undefined
  for (const texts of opens) {
    const last = texts.findLast((text) => text.startsWith('graceful-restart '))
    const match = /^graceful-restart (\d+)s( R)?( N)?(.*)$/.exec(last ?? '')
    // RFC 9494 section 4.1: 71 without 64 is to be ignored.
    if (match === null) continue
    graceful = {
      seconds: Number(match[1]),
      notification: match[3] !== undefined,
      families: new Map([...(graceful?.families ?? []), ...listed(match[4]!)]),
    }
    const long = texts.findLast((text) => /^llgr( |$)/.test(text))
    if (long !== undefined) longLived = new Map([...(longLived ?? []), ...listed(long.slice(4))])
  }
  return { graceful, longLived }
}

/** ` ipv4-unicast/F l2vpn-evpn`, ` ipv4-unicast/3600s/F` */
function listed(text: string): [string, Listed][] {
  return text
    .split(' ')
    .filter((word) => word !== '')
    .map((word) => {
      const [name = '', ...rest] = word.split('/')
      const seconds = Number(/^\d+/.exec(rest[0] ?? '')?.[0] ?? 0)
      return [FAMILIES[name] ?? name, { kept: rest.includes('F'), seconds }]
    })
}

/** RFC 4724, 8538, 9494: families that outlive this Peer Down; undefined: it is a hard end. */
function keptFamilies(
  down: Row,
  life: PeerLife | undefined,
): Map<string, 'restart' | 'long-lived'> | undefined {
  const ours = offerOf(life?.sent ?? [])
  const theirs = offerOf(life?.received ?? [])
  if (ours.graceful === undefined || theirs.graceful === undefined) return undefined
  const code = down['reason_code']
  if (code === 1 || code === 3) {
    const hard =
      down['notification_code'] === 6 && [9, 10].includes(Number(down['notification_subcode']))
    if (!ours.graceful.notification || !theirs.graceful.notification || hard) return undefined
  } else if (code !== 4) return undefined
  const kept = new Map<string, 'restart' | 'long-lived'>()
  if (theirs.graceful.seconds > 0) {
    for (const name of theirs.graceful.families.keys()) kept.set(name, 'restart')
  }
  if (ours.longLived !== undefined) {
    for (const [name, { seconds }] of theirs.longLived ?? []) {
      if (seconds > 0) kept.set(name, 'long-lived')
    }
  }
  return kept.size === 0 ? undefined : kept
}
