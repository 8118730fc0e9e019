import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { announce, initiation, peerUp } from '../../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../../packages/events/src/testing/bytes.ts'
import { Pacer } from './pacer.ts'
import { Harness, send, until } from './testing/harness.ts'

const CHUNK = 64 << 10

/** A router that always has another chunk, and what the pacer lets it send. */
class Sender {
  backlog = 0
  reading = true
  read = 0
  readonly pacer: Pacer<Sender>
  readonly rowsPerOctet: number
  constructor(pacer: Pacer<Sender>, rowsPerOctet: number) {
    this.pacer = pacer
    this.rowsPerOctet = rowsPerOctet
    pacer.add(this)
  }

  push(octets: number): void {
    this.read += octets
    this.keep(octets * this.rowsPerOctet)
    this.pacer.received(this, octets)
  }

  keep(octets: number): void {
    this.backlog += octets
    this.pacer.changed(octets)
  }
}

const pacerOf = (maxTotalOctets: number): Pacer<Sender> =>
  new Pacer<Sender>({
    maxSessionOctets: maxTotalOctets,
    maxTotalOctets,
    pause: (each) => {
      each.reading = false
    },
    resume: (each) => {
      each.reading = true
    },
  })

/** One turn of the event loop: whoever may be read and has something is read once. */
async function turnOf(senders: readonly Sender[]): Promise<number> {
  const reading = senders.filter((each) => each.reading)
  for (const each of reading) if (each.reading) each.push(CHUNK)
  await turn()
  return reading.length
}

describe('turns', () => {
  test('a hundred that dump get the same, a few at a time', async () => {
    const pacer = pacerOf(Infinity)
    const dumping = Array.from({ length: 100 }, () => new Sender(pacer, 0))
    // Until they are known to send much.
    for (let i = 0; i < 5; i++) await turnOf(dumping)
    let most = 0
    for (let i = 0; i < 1000; i++) most = Math.max(most, await turnOf(dumping))
    expect(most).toBe(8)
    const read = dumping.map((each) => each.read)
    expect(Math.max(...read) - Math.min(...read)).toBeLessThanOrEqual(8 * CHUNK)
  })

  test('a few have no turns: nobody is paused', async () => {
    const pacer = pacerOf(Infinity)
    const dumping = Array.from({ length: 8 }, () => new Sender(pacer, 0))
    for (let i = 0; i < 50; i++) expect(await turnOf(dumping)).toBe(8)
  })

  test('a burst goes before long dumps, a trickle never waits', async () => {
    const pacer = pacerOf(Infinity)
    const dumping = Array.from({ length: 100 }, () => new Sender(pacer, 0))
    for (let i = 0; i < 100; i++) await turnOf(dumping)
    const trickle = new Sender(pacer, 0)
    const burst = new Sender(pacer, 0)
    let turns = 0
    while (burst.read < 10 * CHUNK) {
      trickle.push(100)
      expect(trickle.reading).toBe(true)
      await turnOf([...dumping, burst])
      pacer.tick()
      expect(++turns).toBeLessThan(30)
    }
  })

  test('who has sent little for a while has no turns any more', async () => {
    const pacer = pacerOf(Infinity)
    const dumping = Array.from({ length: 20 }, () => new Sender(pacer, 0))
    for (let i = 0; i < 20; i++) await turnOf(dumping)
    while (dumping.some((each) => !each.reading)) await turn()
    for (let i = 0; i < 2; i++) pacer.tick()
    for (const each of dumping) each.push(100)
    expect(dumping.every((each) => each.reading)).toBe(true)
  })
})

describe('room', () => {
  test('any number of dumps leave room for one that keeps up', async () => {
    for (const count of [1, 10, 100]) {
      const total = 1024 * CHUNK
      const pacer = pacerOf(total)
      const dumping = Array.from({ length: count }, () => new Sender(pacer, 1))
      while ((await turnOf(dumping)) > 0 || pacer.totalOctets < total / 4);
      expect(pacer.totalOctets).toBeLessThanOrEqual(total)
      const share = total / (count + 1)
      for (const each of dumping) expect(each.backlog).toBeLessThanOrEqual(1.5 * share + CHUNK)
      const other = new Sender(pacer, 1)
      other.push(1000)
      expect(other.reading).toBe(true)
      // What was accepted is read again.
      const [first] = dumping
      first!.keep(-first!.backlog)
      await turn()
      expect(first!.reading).toBe(true)
    }
  })

  test('full is full: nobody is read, and all are when it is not', async () => {
    const total = 16 * CHUNK
    const pacer = pacerOf(total)
    const dumping = Array.from({ length: 100 }, () => new Sender(pacer, 1))
    const rest = Array.from({ length: 1000 }, () => new Sender(pacer, 1))
    while ((await turnOf(dumping)) > 0);
    for (const each of rest) if (each.reading) each.push(1000)
    await turn()
    expect(pacer.totalOctets).toBeLessThanOrEqual(1.25 * total + CHUNK)
    expect(rest.some((each) => each.reading)).toBe(false)
    for (const each of [...dumping, ...rest]) each.keep(-each.backlog)
    for (let i = 0; i < 20; i++) await turn()
    expect([...dumping, ...rest].every((each) => each.reading)).toBe(true)
  })
})

describe('with sockets', () => {
  let harness: Harness | undefined
  afterEach(async () => {
    await harness?.stop()
    harness = undefined
  })

  test('40 routers dump at once, one keeps up: bounded, all arrives, the one is not held up', async () => {
    const peer: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
    const total = 8 << 20
    const h = (harness = await Harness.start({
      maxTotalOctets: total,
      maxSessionOctets: total,
      maxBlockRows: 2048,
    }))
    const routes = Array.from({ length: 3000 }, (_, i) =>
      announce(peer, `10.${i >> 8}.${i & 255}.0/24`),
    ).flat()
    const keeping = await h.client('127.0.0.2')
    send(keeping, initiation('keeps-up'), peerUp(peer))
    await until('up', () => h.log('bmp session up').length === 1)
    h.held = true
    for (let i = 0; i < 40; i++) {
      const socket = await h.client('127.0.0.3')
      send(socket, initiation(`r${i}`), peerUp(peer), routes)
    }
    await until('they are held back', () => h.inFlight > total / 2)
    let peak = 0
    let said = 0
    const ofKeeping = (): number => h.offered.filter(({ router }) => router === 'keeps-up').length
    const all = 40 * routes.length
    const octets = (): number => h.server.sessions().reduce((sum, each) => sum + each.octets, 0)
    while (octets() < all) {
      const seen = ofKeeping()
      send(keeping, announce(peer, `10.99.${said++ & 255}.0/24`))
      // Not one batch of anybody was accepted meanwhile.
      await until('a batch of the one that keeps up', () => ofKeeping() > seen)
      peak = Math.max(peak, h.inFlight)
      h.letSome(20)
    }
    h.let()
    await until('all arrived', () => h.rows('route_log') === 40 * 3000 + said)
    // Held back they were at least once, and the one was not.
    expect(said).toBeGreaterThan(0)
    expect(peak).toBeLessThan(1.5 * total)
    await until('all are read', () => h.server.sessions().every((each) => !each.paused))
  })
})
