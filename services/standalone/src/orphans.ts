/** BMP sessions that a killed process left open in the log: nobody will end them any more. */
import { clickhouseTime } from '@ribscope/detectors'
import { completeLastInserts } from '@ribscope/store'
import type { Store, StoreSession } from '@ribscope/store'

interface Orphan {
  router: string
  bmp_session: string
  last_seq: string
  router_addr: string
  collector: string
}

/**
 * Writes the bmp_down that the killed process could not write: state becomes stale, nothing is withdrawn.
 *
 * @param at microseconds
 */
export async function closeOrphans(store: Store, db: StoreSession, at: number): Promise<void> {
  if ((await orphansOf(db)).length === 0) return
  // It was killed: its last insert may be in the log and not in what is derived from it.
  await completeLastInserts(db)
  const orphans = await orphansOf(db)

  await store.insertRows(
    'session_log',
    orphans.map((each) => ({
      router: each.router,
      peer_key: 0,
      bmp_session: each.bmp_session,
      seq: Number(each.last_seq) + 1,
      rx_ts: clickhouseTime(at),
      collector: each.collector,
      router_addr: each.router_addr,
      kind: 'bmp_down',
      reason: 'collector-restart',
      effects: [
        {
          effect: 'stale',
          rib: 'any',
          afi: 0,
          safi: 0,
          before_seq: Number(each.last_seq) + 1,
          cause: 'bmp_lost',
        },
      ],
    })),
  )
}

/** seq counts rows of all tables: the highest of any of them. */
function orphansOf(db: StoreSession): Promise<Orphan[]> {
  return db.query<Orphan>(`
    SELECT s.router AS router, toString(s.bmp_session) AS bmp_session, toString(greatest(s.seq, r.seq)) AS last_seq, toString(s.router_addr) AS router_addr, s.collector AS collector
    FROM
    (
        SELECT l.router AS router, max(l.bmp_session) AS bmp_session, argMax(l.kind, l.pos) AS last_kind, argMax(l.seq, l.pos) AS seq,
            argMax(l.router_addr, l.pos) AS router_addr, argMax(l.collector, l.pos) AS collector
        FROM ribscope.session_log AS l FINAL
        WHERE l.kind IN ('bmp_up', 'bmp_down')
        GROUP BY l.router
        HAVING last_kind = 'bmp_up'
    ) AS s
    LEFT JOIN
    (
        SELECT router, bmp_session, max(seq) AS seq
        FROM
        (
            SELECT router, bmp_session, seq FROM ribscope.rib_state
            UNION ALL SELECT router, bmp_session, seq FROM ribscope.session_log
            UNION ALL SELECT router, bmp_session, seq FROM ribscope.stats_log
            UNION ALL SELECT router, bmp_session, seq FROM ribscope.error_log
        )
        GROUP BY router, bmp_session
    ) AS r ON r.router = s.router AND r.bmp_session = s.bmp_session`)
}
