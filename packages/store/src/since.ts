/** Keeps `rib_since` close behind the log, so that `rib_current` looks at few rows and not at all of the history. */
import type { Store, StoreSession } from './store.ts'

/** Rows carry the time at which their insert began; one that took longer than this would be missed. */
const MARGIN_MS = 60_000

/** Rows that a step holds in memory, roughly 200 octets each. */
const STEP_ROWS = 1_000_000

const FOR_EVER = '2100-01-01 00:00:00.000'

const COLUMNS =
  'router, route_hash, peer_key, rib, afi, safi, attr_hash, up, pos, rx_ts, since_pos, since, version'

/**
 * Writes down since when the routes are as they are that changed since the last call. Done twice it is done once; interrupted, the
 * next call does it.
 *
 * @param session one of its own or the caller's
 */
export async function advanceSince(store: Store, session: StoreSession): Promise<void> {
  const [clock] = await session.query<{ now: string }>("SELECT now64(3, 'UTC') AS now")
  const settledMs = timeOf(clock?.now ?? '') - MARGIN_MS
  // A row of router_log and the insert it came with have the same time: few values, however many rows.
  const inserts = await session.query<{ at: string; n: string }>(
    `SELECT stored_at AS at, count() AS n FROM ribscope.router_log
     WHERE stored_at >= (SELECT max(w.stored_at) FROM ribscope.since_watermark AS w) GROUP BY at ORDER BY at`,
  )
  let rows = 0
  for (const [i, { at, n }] of inserts.entries()) {
    rows += Number(n)
    const last = i === inserts.length - 1
    if (rows < STEP_ROWS && !last) continue
    rows = 0
    const upto = last ? FOR_EVER : (inserts[i + 1]?.at ?? at)
    await session.command(
      `INSERT INTO ribscope.rib_since (${COLUMNS})
       SELECT router, route_hash, peer_key, rib, afi, safi, attr_hash, up, last_pos, rx_ts, since_pos, since, toUnixTimestamp64Micro(now64(6))
       FROM ribscope.route_since_tail(upto = {upto:DateTime64(3, 'UTC')})`,
      { upto },
    )
    const doneMs = last ? settledMs : Math.min(settledMs, timeOf(upto))
    await store.replaceRows('since_watermark', [
      { stored_at: new Date(doneMs).toISOString().replace('T', ' ').replace('Z', '') },
    ])
    if (doneMs === settledMs) return
  }
}

const timeOf = (clickhouse: string): number => Date.parse(`${clickhouse.replace(' ', 'T')}Z`)
