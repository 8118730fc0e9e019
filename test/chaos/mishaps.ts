/** Does what was planned, and takes it back. */
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, type Mishap, type Planned } from './plan.ts'
import type { SimulatedRouter } from './router.ts'
import type { World } from './world.ts'

/** A round ends when everything it broke was mended again; nobody waits until all is well. */
export async function playRound(
  world: World,
  routers: readonly SimulatedRouter[],
  round: readonly Planned[],
): Promise<void> {
  await Promise.all(
    round.map(async (planned) => {
      const { mishap, atMs, forMs } = planned
      const note = (what: string): void => {
        world.journal.push(`${new Date().toISOString()} ${what} ${describe(planned)}`)
      }
      await delay(atMs)
      note('begin')
      const mend = await happen(world, routers, mishap)
      note('is so')
      await delay(forMs)
      note('mend')
      await mend()
      note('mended')
    }),
  )
}

const nothing = (): Promise<void> => Promise.resolve()

/** @returns what mends it */
async function happen(
  world: World,
  routers: readonly SimulatedRouter[],
  mishap: Mishap,
): Promise<() => Promise<void>> {
  switch (mishap.what) {
    case 'move':
      for (const router of routers) router.move()
      return nothing
    case 'writers':
      return mishap.more ? more(world) : less(world)
    case 'cut': {
      const proxies = world.proxies(mishap.link)
      for (const proxy of proxies) proxy.cut(mishap.how)
      return async () => {
        for (const proxy of proxies) proxy.heal()
      }
    }
    case 'kill':
    case 'stop':
    case 'freeze':
      return happenTo[mishap.part](world, mishap.what, mishap.number)
  }
}

type How = 'kill' | 'stop' | 'freeze'

const happenTo = {
  async collector(world: World, how: How, number: number): Promise<() => Promise<void>> {
    const { service } = world.collectors[number]!
    if (how === 'freeze') {
      service.freeze()
      return async () => service.thaw()
    }
    await (how === 'kill' ? world.killCollector(number) : world.stopCollector(number))
    return async () => world.startCollector(number)
  },

  async writer(world: World, how: How, number: number): Promise<() => Promise<void>> {
    const writer = world.writers[number]!
    // One that was taken away stays away.
    if (!writer.running) return nothing
    if (how === 'freeze') {
      writer.freeze()
      return async () => writer.thaw()
    }
    await (how === 'kill' ? writer.kill() : world.stopWriter(writer))
    return async () => writer.start()
  },

  async broker(world: World, how: How, number: number): Promise<() => Promise<void>> {
    const broker = world.cluster.brokers[number]!
    if (how === 'freeze') return freeze(broker.pid)
    await broker[how]()
    return () => broker.start()
  },

  async store({ server }: World, how: How): Promise<() => Promise<void>> {
    if (how === 'freeze') return freeze(server.pid)
    await server.kill()
    return () => server.start()
  },
} as const

function freeze(pid: number | undefined): () => Promise<void> {
  if (pid === undefined) return nothing
  process.kill(pid, 'SIGSTOP')
  return async () => {
    process.kill(pid, 'SIGCONT')
  }
}

const MAX_WRITERS = 6

/** Partitions go to one more: one that was taken away before, or a new one. */
function more(world: World): () => Promise<void> {
  const idle = world.writers.find(({ running }) => !running)
  if (idle !== undefined) idle.start()
  else if (world.writers.length < MAX_WRITERS) world.addWriter().start()
  return nothing
}

/** One remains. */
async function less(world: World): Promise<() => Promise<void>> {
  const running = world.writers.filter((each) => each.running)
  const last = running.at(-1)
  if (running.length > 1 && last !== undefined) await world.stopWriter(last)
  return nothing
}

/** All that can run does; routers rest afterwards. */
export async function mendAll(world: World): Promise<void> {
  for (const link of ['collector-broker', 'writer-broker', 'writer-store'] as const) {
    for (const proxy of world.proxies(link)) proxy.heal()
  }
  await Promise.all(world.cluster.brokers.map((broker) => broker.start()))
  if (world.server.pid === undefined) await world.server.start()
  for (const [number] of world.collectors.entries()) world.startCollector(number)
  if (!world.writers.some(({ running }) => running)) world.writers[0]!.start()
}
