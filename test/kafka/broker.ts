/**
 * Real Kafka brokers (KRaft, one process each) on free ports of the loopback, started by tests and gone with them.
 * The log of a broker is kept when the test run that started it fails (see `keepLog`).
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until } from '../lab/machine.ts'

/** The top of the repository, also for who bundled this file. */
function top(folder = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : top(dirname(folder))
}

const LIB = join(top(), '.cache/kafka/lib')
const START_LIMIT_MS = 60_000

/** Why tests with a broker skip; undefined when they run. */
export function kafkaMissing(): string | undefined {
  if (!existsSync(LIB))
    return 'no Kafka in .cache/kafka (node test/setup/kafka.mjs; wants java, mvn)'
  if (spawnSync('java', ['-version'], { stdio: 'ignore' }).status !== 0) return 'no java'
  return undefined
}

export interface Broker {
  readonly address: string
  readonly pid: number | undefined
  /** As a power cut would: SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM: it hands its partitions over first. */
  stop(): Promise<void>
  /** On the same port and data. */
  start(): Promise<void>
  readonly running: boolean
}

export interface Cluster {
  /** `HOST:PORT,...` */
  readonly addresses: string
  /** The same with TLS and SASL, when asked for. */
  readonly secureAddresses: string
  readonly brokers: readonly Broker[]
  /** What the brokers said; for a test that fails. */
  log(): string
  close(): Promise<void>
}

/** Of server.properties, of each broker by its ports. */
export type SettingsOf = (i: number, port: number, controller: number) => Record<string, string>

const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg'

/** A second listener of each broker: TLS, and a name with its password by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
export interface Secure {
  /** PEM files. */
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly user: string
  readonly password: string
}

function secureSettings({ ca, cert, key, user, password }: Secure): Record<string, string> {
  const modules = 'org.apache.kafka.common.security'
  const text = (file: string): string => readFileSync(file, 'utf8').trim().replaceAll('\n', '\\n')
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `${modules}.plain.PlainLoginModule required user_${user}="${password}";`,
    'listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${modules}.scram.ScramLoginModule required;`,
    'listener.name.sasl_ssl.ssl.keystore.type': 'PEM',
    'listener.name.sasl_ssl.ssl.keystore.certificate.chain': text(cert),
    'listener.name.sasl_ssl.ssl.keystore.key': text(key),
    'listener.name.sasl_ssl.ssl.truststore.type': 'PEM',
    'listener.name.sasl_ssl.ssl.truststore.certificates': text(ca),
  }
}

/** SCRAM's secrets are part of what a broker is formatted with. */
const formatOf = ({ user, password }: Secure): string[] =>
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${user},password=${password}]`,
  ])

/**
 * @param count  brokers; each is controller too
 * @param settings  of server.properties, over what is set here
 */
export async function startKafka(
  count = 1,
  settings: Readonly<Record<string, string>> | SettingsOf = {},
  secure?: Secure,
): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'ribscope-kafka-'))
  const ports = await freePorts(3 * count)
  const voters = Array.from({ length: count }, (_, i) => `${i + 1}@127.0.0.1:${ports[count + i]!}`)
  const replicas = String(Math.min(3, count))
  const safe = (i: number): string =>
    secure === undefined ? '' : `,SASL_SSL://127.0.0.1:${ports[2 * count + i]!}`
  const brokers = Array.from({ length: count }, (_, i) =>
    broker(
      join(folder, `broker${i + 1}`),
      ports[i]!,
      secure === undefined ? [] : formatOf(secure),
      {
        'process.roles': 'broker,controller',
        'node.id': String(i + 1),
        'controller.quorum.voters': voters.join(),
        listeners: `PLAINTEXT://127.0.0.1:${ports[i]!},CONTROLLER://127.0.0.1:${ports[count + i]!}${safe(i)}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports[i]!}${safe(i)}`,
        'listener.security.protocol.map':
          'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
        ...(secure === undefined ? {} : secureSettings(secure)),
        'controller.listener.names': 'CONTROLLER',
        'inter.broker.listener.name': 'PLAINTEXT',
        'offsets.topic.replication.factor': replicas,
        'offsets.topic.num.partitions': '4',
        'transaction.state.log.replication.factor': replicas,
        'transaction.state.log.min.isr': '1',
        'group.initial.rebalance.delay.ms': '0',
        'auto.create.topics.enable': 'false',
        ...(typeof settings === 'function' ? settings(i, ports[i]!, ports[count + i]!) : settings),
      },
    ),
  )
  const cluster: Cluster = {
    addresses: brokers.map(({ address }) => address).join(),
    secureAddresses: brokers.map((_, i) => `127.0.0.1:${ports[2 * count + i]!}`).join(),
    brokers,
    log: () => brokers.map((each) => `${each.address}:\n${each.log()}`).join('\n'),
    async close() {
      await Promise.all(brokers.map((each) => each.kill()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
  try {
    await Promise.all(brokers.map((each) => each.start()))
  } catch (error) {
    const said = cluster.log().slice(-4000)
    await cluster.close()
    throw new Error(`Kafka did not start: ${(error as Error).message}\n${said}`, { cause: error })
  }
  return cluster
}

function broker(
  folder: string,
  port: number,
  formatting: readonly string[],
  settings: Readonly<Record<string, string>>,
): Broker & { log(): string } {
  const file = join(folder, 'server.properties')
  const logFile = join(folder, 'broker.log')
  mkdirSync(folder, { recursive: true })
  const lines = Object.entries({ ...settings, 'log.dirs': join(folder, 'data') })
  writeFileSync(file, lines.map(([key, value]) => `${key}=${value}\n`).join(''))
  let child: ChildProcess | undefined
  let ended: Promise<unknown> = Promise.resolve()

  const java = (...args: string[]): string[] => ['-cp', `${LIB}/*`, ...args]

  async function end(signal: NodeJS.Signals): Promise<void> {
    child?.kill(signal)
    await ended
  }

  return {
    address: `127.0.0.1:${port}`,
    get pid() {
      return child?.pid
    },
    get running() {
      return child !== undefined
    },
    async start() {
      if (child !== undefined) return
      const format = ['format', '-t', CLUSTER_ID, '-c', file, '--ignore-formatted', ...formatting]
      const formatted = spawnSync('java', java('kafka.tools.StorageTool', ...format), {
        encoding: 'utf8',
      })
      if (formatted.status !== 0) throw new Error(`format: ${formatted.stdout}${formatted.stderr}`)
      const out = openSync(logFile, 'a')
      // Small: several of them share a machine with the tests.
      const memory = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
      const started = spawn('java', [...memory, ...java('kafka.Kafka', file)], {
        stdio: ['ignore', out, out],
      })
      closeSync(out)
      child = started
      ended = new Promise((done) => {
        started.on('exit', () => {
          child = undefined
          done(undefined)
        })
      })
      const up = `broker on port ${port}`
      await until(up, () => child === undefined || answers(port), START_LIMIT_MS)
      if (child === undefined) throw new Error(`${up} ended at once`)
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.on('error', () => {
      done(false)
    })
  })
}

/** All at once, so that no two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((done, fail) => {
          const server = createServer()
          server.on('error', fail)
          server.listen(0, '127.0.0.1', () => {
            done(server)
          })
        }),
    ),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}
