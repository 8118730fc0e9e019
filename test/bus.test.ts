import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import {
  BusError,
  checkAccess,
  connectKafka,
  ensureTopic,
  GroupConsumer,
  KafkaPublisher,
  type BusLog,
  type Group,
  type KafkaConnection,
} from '@ribscope/bus'
import { Authority } from '../services/collector/src/testing/certificates.ts'
import { kafkaMissing, startKafka, type Cluster } from './kafka/broker.ts'
import { until } from './lab/machine.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)

const said: string[] = []
const say =
  (level: string) =>
  (facts: object, text: string): void => {
    said.push(`${level} ${text} ${JSON.stringify(facts)}`)
  }
const log: BusLog = {
  debug: () => undefined,
  info: say('info'),
  warn: say('warn'),
  error: say('error'),
}

let cluster: Cluster
let authority: Authority
const USER = { username: 'alice', password: 'correct horse' }
beforeAll(async () => {
  if (missing !== undefined) return
  authority = new Authority('test')
  const secure = { ca: authority.ca, user: USER.username, password: USER.password }
  cluster = await startKafka(1, {}, { ...secure, ...authority.issue('broker') })
}, 60_000)
afterAll(async () => {
  if (missing !== undefined) return
  await cluster.close()
  authority.remove()
})

const connect = () => connectKafka({ brokers: cluster.addresses.split(','), clientId: 'test' }, log)

let topics = 0
async function newTopic(partitions: number): Promise<string> {
  const topic = `t${++topics}`
  const made = await ensureTopic(connect(), {
    topic,
    create: true,
    partitions,
    replication: 1,
    retentionMs: 3_600_000,
    maxMessageOctets: 900 << 10,
  })
  expect(made.partitions).toBe(partitions)
  return topic
}

/** What a store that knows tokens would have: groups by their name, the first of each. */
class Store {
  readonly groups = new Map<string, string[]>()
  repeated = 0

  insert(group: Group): void {
    const token = `${group.topic}-${group.partition}-${group.first}`
    const values = group.messages.map(({ value }) => Buffer.from(value).toString())
    const before = this.groups.get(token)
    if (before === undefined) this.groups.set(token, values)
    else {
      this.repeated++
      expect(values).toEqual(before)
    }
  }

  get values(): string[] {
    return [...this.groups.values()].flat()
  }
}

async function produce(topic: string, keys: number, each: number): Promise<string[]> {
  const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
  const sent: string[] = []
  const promises: Promise<void>[] = []
  for (let i = 0; i < each; i++) {
    for (let k = 0; k < keys; k++) {
      const value = `r${k} ${i}`
      sent.push(value)
      promises.push(publisher.send(`r${k}`, Buffer.from(value), {}))
    }
  }
  await Promise.all(promises)
  await publisher.stop(5_000)
  return sent
}

const consumerOptions = (topic: string, groupId: string) => ({
  kafka: connect(),
  groupId,
  topic,
  log,
  maxOctets: 1 << 20,
  maxMessages: 37,
  maxWaitMs: 200,
  concurrency: 4,
  sessionTimeoutMs: 6_000,
})

describe.skipIf(missing !== undefined)('the bus on Kafka', { timeout: 240_000 }, () => {
  test('a topic that may not be created, and one that is too small', async () => {
    const options = {
      topic: 'absent',
      create: false,
      partitions: 1,
      replication: 1,
      retentionMs: 60_000,
      maxMessageOctets: 1 << 20,
    }
    await expect(ensureTopic(connect(), options)).rejects.toThrow(BusError)
    await expect(ensureTopic(connect(), options)).rejects.toThrow('topic absent does not exist')
    await expect(
      ensureTopic(connect(), { ...options, create: true, replication: 3 }),
    ).rejects.toThrow(/topic absent can't be created \(1 partitions, 3 copies\)/)
    const topic = await newTopic(1)
    await expect(
      ensureTopic(connect(), { ...options, topic, maxMessageOctets: 8 << 20 }),
    ).rejects.toThrow(/raise its max.message.bytes/)
  })

  test('a message that the topic never takes is refused, and holds up no other', async () => {
    const topic = `t${++topics}`
    const admin = connect().admin()
    await admin.connect()
    const configEntries = [{ name: 'max.message.bytes', value: '20000' }]
    const made = [{ topic, numPartitions: 1, configEntries }]
    // What waits for the leaders here are the publisher's own repetitions.
    await admin.createTopics({ topics: made, waitForLeaders: false })
    const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
    // Headers count too: with them alone these are more than the topic takes at once.
    const headers = { columns: 'c'.repeat(500) }
    const sent = Array.from({ length: 120 }, (_, i) => {
      const value = i === 60 ? Buffer.alloc(30_000) : Buffer.from(String(i))
      return publisher.send('r', value, headers)
    })
    const settled = await Promise.allSettled(sent)
    await publisher.stop(5_000)
    const refused = settled.flatMap((each, i) =>
      each.status === 'rejected' ? [[i, each.reason as Error] as const] : [],
    )
    expect(refused.map(([i]) => i)).toEqual([60])
    expect(refused[0]![1]).toBeInstanceOf(BusError)
    expect(refused[0]![1].message).toMatch(/refuses a message of 30\d+ octets: raise its max.mess/)
    expect((await admin.fetchTopicOffsets(topic))[0]?.high).toBe('119')
    await admin.disconnect()
  })

  test('a topic that is not there: one publisher waits, another says so', async () => {
    const options = { kafka: connect(), topic: 'nowhere', log }
    const impatient = new KafkaPublisher({ ...options, patient: false })
    const patient = new KafkaPublisher(options)
    const waiting = patient.send('r', Buffer.from('x'), {})
    await expect(impatient.send('r', Buffer.from('x'), {})).rejects.toThrow(
      /topic nowhere takes no messages/,
    )
    await until('it knows', () => patient.failingSinceMs !== undefined, 30_000)
    await Promise.all([patient.stop(10), expect(waiting).rejects.toThrow('was stopped')])
    await impatient.stop(10)
  })

  test('answers of brokers tell how far a clock is off', async () => {
    const topic = await newTopic(1)
    for (const [aheadMs, most] of [
      [0, 500],
      [-40_000, 500],
    ] as const) {
      const now = (): number => Date.now() + aheadMs
      const publisher = new KafkaPublisher({ kafka: connect(), topic, log, now })
      for (let i = 0; i < 5; i++) await publisher.send('r', Buffer.from('x'), {})
      expect(Math.abs((publisher.clockSkewMs ?? Infinity) - aheadMs)).toBeLessThan(most)
      await publisher.stop(5_000)
    }
    expect(said.filter((line) => line.includes('not that of the brokers'))).toHaveLength(1)
  })

  test('TLS and SASL: whom the brokers let in, and whom not, in one line', async () => {
    const ca = readFileSync(authority.ca, 'utf8')
    const other = new Authority('another')
    const strange = readFileSync(other.ca, 'utf8')
    other.remove()
    const secure = (
      sasl: KafkaConnection['sasl'],
      tls: KafkaConnection['tls'] = { ca },
    ): ReturnType<typeof connectKafka> =>
      connectKafka({ brokers: [cluster.secureAddresses], clientId: 'test', tls, sasl }, log)
    const topic = await newTopic(1)
    for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
      const kafka = secure({ mechanism, ...USER })
      const publisher = new KafkaPublisher({ kafka, topic, log })
      await publisher.send('r', Buffer.from(mechanism), {})
      await publisher.stop(5_000)
      await checkAccess(kafka)
      const wrong = secure({ mechanism, ...USER, password: 'wrong' })
      const refused = checkAccess(wrong)
      await expect(refused, mechanism).rejects.toBeInstanceOf(BusError)
      await expect(refused, mechanism).rejects.toThrow(
        /^Kafka does not let us in: SASL [A-Z0-9 -]+ authentication failed: [^\n]*$/,
      )
    }
    const store = new Store()
    const consumer = new GroupConsumer({
      ...consumerOptions(topic, 'secure'),
      kafka: secure({ mechanism: 'scram-sha-512', ...USER }),
      handle: (group) => Promise.resolve(store.insert(group)),
    })
    await consumer.start()
    await until('all three', () => store.values.length === 3, 30_000)
    await consumer.stop()
    const right = { mechanism: 'plain', ...USER } as const
    await expect(checkAccess(secure(right, { ca: strange }))).rejects.toThrow(
      /^Kafka at 127.0.0.1:\d+: TLS: .*certificate/,
    )
    // Brokers hang up on who says no name: that could be a broker that ends, too.
    await expect(checkAccess(secure(undefined))).rejects.toThrow()
  })

  test('every message once in effect and in order, though handlers fail', async () => {
    const topic = await newTopic(4)
    const sent = await produce(topic, 20, 100)
    const store = new Store()
    let calls = 0
    const consumer = new GroupConsumer({
      ...consumerOptions(topic, 'fails'),
      handle: async (group) => {
        store.insert(group)
        // After the insert, before the commit: what a crash does.
        if (++calls % 5 === 0) throw new Error('planned')
      },
    })
    await consumer.start()
    await until('all messages', () => store.values.length >= sent.length, 60_000)
    await until('all committed', () => consumer.partitions.every(({ lag }) => lag === 0n), 20_000)
    await consumer.stop()
    expect([...store.values].sort()).toEqual([...sent].sort())
    expect(store.repeated).toBeGreaterThan(0)
    for (let k = 0; k < 20; k++) {
      const mine = store.values.filter((value) => value.startsWith(`r${k} `))
      // Groups of one partition come in order.
      expect(mine).toEqual(sent.filter((value) => value.startsWith(`r${k} `)))
    }
  })

  test('members come and go in the middle of groups: each group is the same whoever has it', async () => {
    const topic = await newTopic(8)
    const store = new Store()
    let open = (): void => undefined
    const gate = new Promise<void>((done) => {
      open = done
    })
    const member = (wait: Promise<void>): GroupConsumer =>
      new GroupConsumer({
        ...consumerOptions(topic, 'moves'),
        handle: async (group) => {
          await wait
          store.insert(group)
        },
      })
    const producing = produce(topic, 40, 50)
    // It has begun groups when the others come, and ends them when they have begun the same.
    const first = member(gate)
    await first.start()
    await until('groups are begun', () => first.counters.groups >= 4, 30_000)
    const [second, third] = [member(Promise.resolve()), member(Promise.resolve())]
    await Promise.all([second.start(), third.start()])
    const others = [second, third]
    await until(
      'the others repeat what it had begun',
      () => others.some(({ counters }) => counters.repeated > 0),
      60_000,
    )
    open()
    const sent = await producing
    await second.stop()
    const more = await produce(topic, 40, 20)
    await until('all messages', () => store.values.length >= sent.length + more.length, 60_000)
    await Promise.all([first.stop(), third.stop()])
    expect([...store.values].sort()).toEqual([...sent, ...more].sort())
    expect(store.repeated).toBeGreaterThan(0)
  })

  test('what the topic drops before it is stored is counted, at the start and on the way', async () => {
    const topic = await newTopic(1)
    const admin = connect().admin()
    await admin.connect()
    const drop = async (before: number): Promise<void> => {
      // kafkajs deletes only from topics that it has asked about before.
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({
        topic,
        partitions: [{ partition: 0, offset: String(before) }],
      })
    }
    const send = async (from: number, to: number): Promise<void> => {
      const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
      const values = Array.from({ length: to - from }, (_, i) => Buffer.alloc(100_000, from + i))
      await Promise.all(values.map((value) => publisher.send('r', value, {})))
      await publisher.stop(10_000)
    }
    const seen: number[] = []
    let handled: (() => void) | undefined
    const member = (wait: Promise<void>): GroupConsumer =>
      new GroupConsumer({
        ...consumerOptions(topic, 'drops'),
        maxOctets: 500_000,
        maxWaitingOctets: 500_000,
        handle: async (group) => {
          handled?.()
          await wait
          seen.push(...group.messages.map(({ offset }) => Number(offset)))
        },
      })
    await send(0, 10)
    const first = member(Promise.resolve())
    await first.start()
    await until('ten', () => first.partitions[0]?.position === 10n, 30_000)
    await first.stop()
    await send(10, 60)
    await drop(15)
    let go = (): void => undefined
    const wait = new Promise<void>((done) => {
      go = done
    })
    const begun = new Promise<void>((done) => {
      handled = done
    })
    const second = member(wait)
    await second.start()
    await begun
    expect(second.counters.lost).toBe(5)
    // What is in memory is stored; what is not even fetched is gone.
    await drop(55)
    go()
    await until('the last', () => second.partitions[0]?.position === 60n, 30_000)
    await second.stop()
    await admin.disconnect()
    const expected = [...Array(60).keys()].filter((i) => i < 10 || i >= 15)
    expect(seen.length + second.counters.lost - 5).toBe(expected.length)
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.slice(-5)).toEqual([55, 56, 57, 58, 59])
    expect(second.counters.lost).toBeGreaterThan(20)
    expect(second.counters.lost).toBeLessThan(45)
  })

  test('the broker is killed and comes back: nothing is lost, a key keeps its order', async () => {
    const topic = await newTopic(4)
    const store = new Store()
    const consumer = new GroupConsumer({
      ...consumerOptions(topic, 'broker'),
      handle: async (group) => {
        store.insert(group)
      },
    })
    await consumer.start()
    const publisher = new KafkaPublisher({ kafka: connect(), topic, log })
    const sent: string[] = []
    const pending: Promise<void>[] = []
    const send = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        const value = `r${i % 10} ${Math.floor(i / 10)}`
        sent.push(value)
        pending.push(publisher.send(`r${i % 10}`, Buffer.from(value), {}))
      }
    }
    send(0, 500)
    await until('some stored', () => store.values.length > 0, 30_000)
    await cluster.brokers[0]!.kill()
    send(500, 1000)
    await until('the publisher notices', () => publisher.waitingOctets > 0, 30_000)
    await cluster.brokers[0]!.start()
    await Promise.all(pending)
    await publisher.stop(5_000)
    const distinct = (): number => new Set(store.values).size
    await until('all messages', () => distinct() >= sent.length, 90_000)
    await consumer.stop()
    expect(new Set(store.values)).toEqual(new Set(sent))
    for (let k = 0; k < 10; k++) {
      // A message may be there twice, but none before its predecessor was.
      const mine = [...new Set(store.values.filter((value) => value.startsWith(`r${k} `)))]
      expect(mine).toEqual(sent.filter((value) => value.startsWith(`r${k} `)))
    }
  })
})
