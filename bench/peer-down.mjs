// How long a Peer Down of a peer with a full table takes until the store shows none of its routes.
//
//   node bench/peer-down.mjs [ROUTES] [PEERS]
//
// ROUTES (1,000,000) /32 of one peer and as many of each of the others (PEERS, 2 in all) go into an embedded store of their own.
// Then the Peer Down, as octets: prints the seconds until its row is stored, until `rib_live` of that peer is empty, those that the
// same question took just before (the reference), and the rows that were written.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { NativeSink, RouterSession } = await import('../packages/events/dist/index.js')
const { migrate, openEmbeddedStore } = await import('../packages/store/dist/index.js')

const routes = Number(process.argv[2] ?? 1_000_000)
const peers = Number(process.argv[3] ?? 2)
const A_MESSAGE = 500
const A_GROUP = 200_000

const be = (value, octets) =>
  Array.from({ length: octets }, (_, i) => (value / 256 ** (octets - 1 - i)) & 255)
const message = (type, body) => Uint8Array.from([3, ...be(6 + body.length, 4), type, ...body])
const header = (peer) => [
  ...[0, 0, ...be(0, 8), ...be(0, 12), 192, 0, 2, peer],
  ...[...be(64500 + peer, 4), 192, 0, 2, peer, ...be(1_700_000_000, 4), ...be(0, 4)],
]
const bgp = (type, body) => [...Array(16).fill(255), ...be(19 + body.length, 2), type, ...body]
const open = bgp(1, [4, ...be(64500, 2), 0, 90, 192, 0, 2, 254, 0])
const peerUp = (peer) =>
  message(3, [...header(peer), ...be(0, 12), 192, 0, 2, 254, 0, 179, 156, 64, ...open, ...open])
const peerDown = (peer) => message(2, [...header(peer), 2, 0, 0])
const attributes = [
  ...[0x40, 1, 1, 0],
  ...[0x40, 2, 6, 2, 1, ...be(64501, 4)],
  ...[0x40, 3, 4, 192, 0, 2, 1],
]
function announce(peer, first) {
  const nlri = Array.from({ length: A_MESSAGE }, (_, k) => [32, 10, ...be(first + k, 3)]).flat()
  const body = [0, 0, ...be(attributes.length, 2), ...attributes, ...nlri]
  return message(0, [...header(peer), ...bgp(2, body)])
}

const dataDir = mkdtempSync(join(tmpdir(), 'ribscope-bench-'))
const store = await openEmbeddedStore({ dataDir })
try {
  const db = await store.session('bench')
  await migrate(db)
  const openedUs = Date.now() * 1000
  let us = openedUs
  const batches = []
  const sink = new NativeSink({ onBatch: (batch) => batches.push(batch) })
  const session = new RouterSession({ collector: 'b', source: '192.0.2.254', openedUs, out: sink })

  let inserts = 0
  const flush = async () => {
    batches.push(...sink.flush())
    let rows = 0
    for (const batch of batches.splice(0)) {
      const { table, columns, body } = batch
      await store.insert({ table, columns, bodies: [body], token: `bench-${++inserts}` })
      rows += batch.rows
      batch.release()
    }
    return rows
  }
  const say = (bytes) => session.push(bytes, (us += 10))

  for (let peer = 1; peer <= peers; peer++) say(peerUp(peer))
  const filling = performance.now()
  for (let first = 0; first < routes; first += A_MESSAGE) {
    for (let peer = 1; peer <= peers; peer++) say(announce(peer, first))
    if ((first + A_MESSAGE) % A_GROUP === 0) await flush()
  }
  await flush()
  const filled = (performance.now() - filling) / 1000

  const [{ peer }] = await db.query(
    'SELECT toString(any(peer_key)) AS peer FROM ribscope.session_log WHERE peer_asn = 64501',
  )
  const live = async () => {
    const started = performance.now()
    const [row] = await db.query(
      'SELECT toUInt32(count()) AS n FROM ribscope.rib_live WHERE router = {router:String} AND peer_key = {peer:UInt64}',
      { router: '192.0.2.254', peer },
    )
    return { n: row.n, seconds: (performance.now() - started) / 1000 }
  }
  await live()
  const before = await live()
  if (before.n !== routes) throw new Error(`${before.n} routes are there, not ${routes}`)

  const started = performance.now()
  say(peerDown(1))
  const rows = await flush()
  const stored = (performance.now() - started) / 1000
  let after = await live()
  while (after.n > 0) after = await live()
  const seconds = (performance.now() - started) / 1000
  const [all] = await db.query('SELECT toUInt32(count()) AS n FROM ribscope.rib_live')
  if (all.n !== routes * (peers - 1)) throw new Error('routes of another peer are gone')
  console.log(
    JSON.stringify({
      routes,
      peers,
      fillSeconds: Number(filled.toFixed(1)),
      rowsWritten: rows,
      storedSeconds: Number(stored.toFixed(3)),
      emptySeconds: Number(seconds.toFixed(3)),
      sameQuestionBefore: Number(before.seconds.toFixed(3)),
    }),
  )
} finally {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
}
