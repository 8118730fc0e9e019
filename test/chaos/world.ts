/** Everything that runs in a chaos run: brokers, store, collectors, writers, and proxies on the links between them. */
import { join } from 'node:path'
import process from 'node:process'
import { connectKafka, type BusLog } from '@ribscope/bus'
import { detectorViews } from '@ribscope/detectors'
import { migrate, openServerStore, type Store, type StoreSession } from '@ribscope/store'
import { startClickHouse, type ClickHouseProcess } from '@ribscope/store/testing'
import { freePorts, startKafka, type Cluster, type SettingsOf } from '../kafka/broker.ts'
import { doublesIn, TOPIC, type TopicDoubles } from './topic.ts'
import type { Link } from './plan.ts'
import { PLANTS, type Plant } from './plants.ts'
import { Service } from './process.ts'
import { Proxy } from './proxy.ts'
import type { Door } from './router.ts'
import type { Life } from './truth.ts'

export interface WorldOptions {
  readonly folder: string
  readonly collectors: number
  readonly writers: number
  readonly brokers: number
  readonly partitions: number
  /** Names; the first writer has the first, the second the second, and so on. */
  readonly plants: readonly string[]
}

const GROUP = 'ribscope-writer'

/** A member of the group that is silent for so long is taken for dead; brokers allow no less. There is no flag for it. */
const SHORT_SESSIONS: Plant = {
  of: 'writer',
  file: 'packages/bus/dist/kafka/group-consumer.js',
  right: 'sessionTimeoutMs ?? 30_000',
  wrong: 'sessionTimeoutMs ?? 6_000',
}
const QUIET: BusLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const STOP_LIMIT_MS = 60_000
/** A collector gives up draining after 20 s, which its exit code does not tell. */
const DRAIN_MS = 18_000

/** A merge would take away rows that were stored twice before they are counted. */
const NO_MERGES = `max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1,
  parts_to_delay_insert = 100000, parts_to_throw_insert = 100000`

export interface Collector {
  readonly service: Service
  readonly port: number
  life: Life
}

export interface World {
  readonly cluster: Cluster
  readonly server: ClickHouseProcess
  readonly store: Store
  readonly db: StoreSession
  readonly collectors: readonly Collector[]
  readonly writers: readonly Service[]
  /** What ended though nobody had ended it. */
  readonly deaths: readonly string[]
  /** What was done to it, with times; for the logs. */
  readonly journal: string[]
  readonly doors: () => readonly Door[]
  proxies(link: Link): readonly Proxy[]
  startCollector(number: number): void
  killCollector(number: number): Promise<void>
  stopCollector(number: number): Promise<void>
  stopWriter(writer: Service): Promise<void>
  addWriter(): Service
  /** Messages that are in the topic and not stored. */
  lag(): Promise<number>
  /** Writers that have partitions, when the group is settled. */
  members(): Promise<number>
  deadLetters(): Promise<number>
  /** Batches that are in the topic more than once: collectors said them again. */
  doublesInTopic(): Promise<TopicDoubles>
  logs(): string
  close(): Promise<void>
}

const at = ([name, port]: readonly [name: string, port: number]): string =>
  `${name}://127.0.0.1:${port}`

export async function openWorld(options: WorldOptions): Promise<World> {
  const { folder, brokers, partitions, plants } = options
  const proxies = async (): Promise<Proxy[]> =>
    Promise.all(Array.from({ length: brokers }, () => Proxy.open()))
  const links = {
    'collector-broker': await proxies(),
    'writer-broker': await proxies(),
    'writer-store': [await Proxy.open()],
  }
  const listeners = { COLLECTORS: links['collector-broker'], WRITERS: links['writer-broker'] }
  const free = await freePorts(2 * brokers)
  for (const [n, list] of Object.values(listeners).entries()) {
    for (const [i, proxy] of list.entries()) proxy.to(free[n * brokers + i]!)
  }
  /** Each side comes by a listener of its own, and is told the ports of its proxies. */
  const settings: SettingsOf = (i, port, controller) => {
    const own = Object.entries({ PLAINTEXT: port, CONTROLLER: controller }).map(at)
    const names = Object.keys(listeners)
    return {
      listeners: [...own, ...names.map((name, n) => at([name, free[n * brokers + i]!]))].join(),
      'advertised.listeners': [
        at(['PLAINTEXT', port]),
        ...Object.entries(listeners).map(([name, list]) => at([name, list[i]!.port])),
      ].join(),
      'listener.security.protocol.map': ['PLAINTEXT', 'CONTROLLER', ...names]
        .map((name) => `${name}:PLAINTEXT`)
        .join(),
      'group.min.session.timeout.ms': '6000',
      'min.insync.replicas': brokers > 2 ? '2' : '1',
    }
  }
  const [cluster, server] = await Promise.all([
    startKafka(brokers, settings),
    startClickHouse({ dataDir: join(folder, 'store') }),
  ])
  links['writer-store'][0]!.to(Number(new URL(server.url).port))
  const store = openServerStore({ url: server.url })
  const db = await store.session('chaos')
  await migrate(db, detectorViews())
  for (const table of ['route_log', 'session_log', 'error_log', 'stats_log']) {
    await db.command(`ALTER TABLE ribscope.${table} MODIFY SETTING ${NO_MERGES}`)
  }
  const kafka = connectKafka({ brokers: cluster.addresses.split(','), clientId: 'chaos' }, QUIET)

  const deaths: string[] = []
  const journal: string[] = []
  const written: Service[] = []
  const addresses = (link: Link): string =>
    links[link].map(({ port }) => `127.0.0.1:${port}`).join()
  const topic = [
    ...['--partitions', String(partitions), '--replication', String(Math.min(3, brokers))],
    ...['--metrics', '127.0.0.1:0', '--json'],
  ]
  function service(what: Plant['of'], number: number, args: readonly string[]): Service {
    const name = `${what} ${number + 1}`
    const bugs = PLANTS[plants[number % plants.length] ?? ''] ?? []
    const made = new Service({
      ...{ name, args: [what, ...args, ...topic] },
      plants: [...bugs, SHORT_SESSIONS].filter(({ of }) => of === what),
      logFile: join(folder, `${name.replace(' ', '-')}.log`),
      onDeath: (what) => deaths.push(what),
    })
    written.push(made)
    return made
  }

  const ports = await freePorts(options.collectors)
  const collectors = ports.map((port, i): Collector => {
    const args = ['--bmp', `127.0.0.1:${port}`, '--name', `collector${i + 1}`]
    return {
      port,
      life: { collector: i, lost: false, stoppedAt: undefined },
      service: service('collector', i, [...args, '--kafka', addresses('collector-broker')]),
    }
  })
  const writers: Service[] = []
  function addWriter(): Service {
    const url = `http://127.0.0.1:${links['writer-store'][0]!.port}`
    const args = ['--kafka', addresses('writer-broker'), '--url', url]
    const made = service('writer', writers.length, args)
    writers.push(made)
    return made
  }

  function startCollector(number: number): void {
    const collector = collectors[number]!
    if (collector.service.running) return
    collector.life = { collector: number, lost: false, stoppedAt: undefined }
    collector.service.start()
  }

  const endAll = (): void => {
    for (const each of written) void each.kill()
    for (const { pid } of cluster.brokers) if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  process.on('exit', endAll)
  for (const [i] of collectors.entries()) startCollector(i)
  for (let i = 0; i < options.writers; i++) addWriter().start()

  return {
    ...{
      cluster,
      server,
      store,
      db,
      collectors,
      writers,
      deaths,
      journal,
      startCollector,
      addWriter,
    },
    doors: () => collectors.map(({ port, life, service: { frozen } }) => ({ port, life, frozen })),
    proxies: (link) => links[link],
    async killCollector(number) {
      const { service: each, life } = collectors[number]!
      life.lost = true
      await each.kill()
    },
    async stopCollector(number) {
      const { service: each, life } = collectors[number]!
      if (!each.running) return
      const before = performance.now()
      life.stoppedAt = before
      const how = await each.stop(STOP_LIMIT_MS)
      if (how !== 0 && how !== 'SIGTERM') deaths.push(`${each.name} was stopped: ${how}`)
      if (how !== 0 || performance.now() - before > DRAIN_MS) life.lost = true
    },
    async stopWriter(writer) {
      if (!writer.running) return
      const how = await writer.stop(STOP_LIMIT_MS)
      // One that was told before it knew of signals is just gone.
      if (how !== 0 && how !== 'SIGTERM') deaths.push(`${writer.name} was stopped: ${how}`)
    },
    async lag() {
      const admin = kafka.admin()
      await admin.connect()
      try {
        const ends = await admin.fetchTopicOffsets(TOPIC)
        const [done] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] })
        const at = new Map(done?.partitions.map((each) => [each.partition, Number(each.offset)]))
        return ends.reduce(
          (sum, { partition, high }) => sum + Number(high) - Math.max(0, at.get(partition) ?? 0),
          0,
        )
      } finally {
        await admin.disconnect()
      }
    },
    async members() {
      const admin = kafka.admin()
      await admin.connect()
      try {
        const { groups } = await admin.describeGroups([GROUP])
        const [group] = groups
        return group?.state === 'Stable' ? group.members.length : 0
      } finally {
        await admin.disconnect()
      }
    },
    async deadLetters() {
      const admin = kafka.admin()
      await admin.connect()
      try {
        const [end] = await admin.fetchTopicOffsets(`${TOPIC}.dead`)
        return Number(end?.high ?? 0)
      } finally {
        await admin.disconnect()
      }
    },
    doublesInTopic: () => doublesIn(kafka),
    logs: () =>
      [
        ...journal,
        ...written.map(({ name, log }) => `--- ${name}\n${log}`),
        `--- store\n${server.log}`,
        `--- brokers\n${cluster.log()}`,
      ].join('\n'),
    async close() {
      process.off('exit', endAll)
      await Promise.all(written.map((each) => each.kill()))
      await store.close()
      await Promise.all([server.kill(), cluster.close()])
      await Promise.all(
        Object.values(links)
          .flat()
          .map((each) => each.close()),
      )
    },
  }
}
