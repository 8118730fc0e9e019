/** Flags of what the distributed services talk to: Kafka and ClickHouse. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { KafkaConnection, TopicOptions } from '@ribscope/bus'
import type { ServerOptions } from '@ribscope/store'
import { UsageError, type Context, type Flags } from './command.ts'
import { flag, hostPort, number, oneOf, seconds, text } from './values.ts'

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export const KAFKA: Flags = {
  usage: `  --kafka HOST:PORT,...  brokers (default 127.0.0.1:9092)
  --kafka-tls          TLS, with the system's authorities or those of --kafka-ca
  --kafka-ca FILE      PEM; --kafka-cert FILE and --kafka-key FILE when brokers ask for a certificate
  --kafka-sasl MECHANISM  ${MECHANISMS.join(', ')}
  --kafka-user NAME    with --kafka-password TEXT or, better, --kafka-password-file FILE
  --topic NAME         of events (default ribscope.events)`,
  options: {
    kafka: { type: 'string', default: '127.0.0.1:9092' },
    'kafka-tls': { type: 'boolean' },
    'kafka-ca': { type: 'string' },
    'kafka-cert': { type: 'string' },
    'kafka-key': { type: 'string' },
    'kafka-sasl': { type: 'string' },
    'kafka-user': { type: 'string' },
    'kafka-password': { type: 'string' },
    'kafka-password-file': { type: 'string' },
    topic: { type: 'string', default: 'ribscope.events' },
  },
  env: {
    kafka: 'RIBSCOPE_KAFKA_BROKERS',
    'kafka-tls': 'RIBSCOPE_KAFKA_TLS',
    'kafka-ca': 'RIBSCOPE_KAFKA_TLS_CA',
    'kafka-cert': 'RIBSCOPE_KAFKA_TLS_CERT',
    'kafka-key': 'RIBSCOPE_KAFKA_TLS_KEY',
    'kafka-sasl': 'RIBSCOPE_KAFKA_SASL_MECHANISM',
    'kafka-user': 'RIBSCOPE_KAFKA_SASL_USERNAME',
    'kafka-password': 'RIBSCOPE_KAFKA_SASL_PASSWORD',
    'kafka-password-file': 'RIBSCOPE_KAFKA_SASL_PASSWORD_FILE',
    topic: 'RIBSCOPE_TOPIC',
  },
}

/** @throws UsageError that names the flag, or the file and the system's reason */
export function kafkaOf(ctx: Context, service: string): KafkaConnection {
  const { values } = ctx
  const brokers = (text(values, 'kafka') ?? '').split(',').map((each) => {
    const { host, port } = hostPort('--kafka', each.trim())
    return host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`
  })
  return {
    brokers,
    clientId: `ribscope-${service}-${hostname()}`,
    tls: tlsOf(ctx),
    sasl: saslOf(ctx),
  }
}

function tlsOf(ctx: Context): KafkaConnection['tls'] {
  const own = (['ca', 'cert', 'key'] as const).flatMap((part) => {
    const text = pem(ctx, `kafka-${part}`)
    return text === undefined ? [] : [[part, text] as const]
  })
  const [[first] = []] = own
  if (own.some(([part]) => part === 'cert') !== own.some(([part]) => part === 'key')) {
    throw new UsageError('--kafka-cert and --kafka-key go together')
  }
  if (flag(ctx.values, 'kafka-tls')) return first === undefined ? true : Object.fromEntries(own)
  if (first === undefined) return undefined
  throw new UsageError(`--kafka-${first} wants --kafka-tls`)
}

function saslOf(ctx: Context): KafkaConnection['sasl'] {
  const mechanism = oneOf(ctx.values, 'kafka-sasl', MECHANISMS)
  const username = text(ctx.values, 'kafka-user')
  const password = secret(ctx, 'kafka-password')
  if (mechanism === undefined) {
    if (username === undefined) return undefined
    throw new UsageError(`--kafka-user wants --kafka-sasl (${MECHANISMS.join(', ')})`)
  }
  if (username === undefined || password === undefined) {
    throw new UsageError('--kafka-sasl wants --kafka-user and --kafka-password-file')
  }
  return { mechanism, username, password }
}

export const TOPIC: Flags = {
  usage: `  --partitions N       of the topics, when they are made (default 16)
  --replication N      copies of each (default 1; three brokers: 3)
  --topic-retention TIME  how long the topic keeps what may not be stored yet (default 72h)
  --topic-exists       topics are not made here: one that is not there is an error`,
  options: {
    partitions: { type: 'string', default: '16' },
    replication: { type: 'string', default: '1' },
    'topic-retention': { type: 'string', default: '72h' },
    'topic-exists': { type: 'boolean' },
  },
  env: {
    partitions: 'RIBSCOPE_PARTITIONS',
    replication: 'RIBSCOPE_REPLICATION',
    'topic-retention': 'RIBSCOPE_TOPIC_RETENTION',
    'topic-exists': 'RIBSCOPE_TOPIC_EXISTS',
  },
}

/** Signs of life of collectors, and how they come here: the same for both. */
export const LOST: Flags = {
  usage: `  --lost-after SECONDS a router whose collector is silent for so long has lost its feed (default 60); the
                       same for collectors and writers`,
  options: { 'lost-after': { type: 'string', default: '60' } },
  env: { 'lost-after': 'RIBSCOPE_LOST_AFTER' },
}

/** @returns milliseconds. @throws UsageError */
export function lostAfterOf(ctx: Context): number {
  return 1000 * (number(ctx.values, 'lost-after', { min: 1, max: 86_400 }) ?? 60)
}

/** `--kafka-group`: who shares the partitions of topics that are read. */
export const groupFlag = (about: string, name: string): Flags => ({
  usage: `  --kafka-group NAME   ${about} (default ${name})`,
  options: { 'kafka-group': { type: 'string', default: name } },
  env: { 'kafka-group': 'RIBSCOPE_KAFKA_GROUP' },
})

/** @throws UsageError */
export function groupOf(ctx: Context): string {
  const group = text(ctx.values, 'kafka-group') ?? ''
  if (group === '') throw new UsageError('--kafka-group: expected a name')
  return group
}

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,200}$/

/** @throws UsageError */
function topicName(ctx: Context, name = 'topic'): string {
  return topicNameOf(text(ctx.values, name) ?? '', `--${name}`)
}

/** @throws UsageError */
export function topicNameOf(topic: string, what: string): string {
  if (TOPIC_NAME.test(topic)) return topic
  throw new UsageError(
    `${what} ${JSON.stringify(topic)}: expected at most 200 letters, digits, dots, dashes, underscores`,
  )
}

/** A topic that is not used unless it is named. @throws UsageError */
export function optionalTopic(ctx: Context, name: string): string | undefined {
  return text(ctx.values, name) === undefined ? undefined : topicName(ctx, name)
}

/** Several, by commas; undefined when there is none. @throws UsageError */
export function topicNames(ctx: Context, name: string): string[] | undefined {
  const given = text(ctx.values, name)
  if (given === undefined) return undefined
  return [...new Set(given.split(',').map((each) => topicNameOf(each.trim(), `--${name}`)))]
}

/** All but the size of messages, which is not for flags. @throws UsageError */
export function topicOf(ctx: Context): Omit<TopicOptions, 'maxMessageOctets'> {
  const given = text(ctx.values, 'topic-retention') ?? ''
  const retentionMs = 1000 * (seconds(given) ?? NaN)
  if (!Number.isSafeInteger(retentionMs)) {
    throw new UsageError(
      `--topic-retention ${JSON.stringify(given)}: expected a time as 72h, 90m, 7d`,
    )
  }
  return {
    topic: topicName(ctx),
    create: !flag(ctx.values, 'topic-exists'),
    partitions: number(ctx.values, 'partitions', { min: 1, max: 10_000, integer: true }) ?? 16,
    replication: number(ctx.values, 'replication', { min: 1, max: 100, integer: true }) ?? 1,
    retentionMs,
  }
}

export const STORE: Flags = {
  usage: `  --url URL            ClickHouse, http://HOST:8123 or https://HOST:8443 (default http://127.0.0.1:8123)
  --user NAME          user there (default default)
  --password TEXT      its password; better --password-file FILE: everybody can see a command line
  --wait SECONDS       how long the server may be away, or its schema old, at the start (default 60)`,
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8123' },
    user: { type: 'string' },
    password: { type: 'string' },
    'password-file': { type: 'string' },
    wait: { type: 'string', default: '60' },
  },
  env: {
    url: 'RIBSCOPE_CLICKHOUSE_URL',
    user: 'RIBSCOPE_CLICKHOUSE_USER',
    password: 'RIBSCOPE_CLICKHOUSE_PASSWORD',
    'password-file': 'RIBSCOPE_CLICKHOUSE_PASSWORD_FILE',
    wait: 'RIBSCOPE_WAIT',
  },
}

/** @throws UsageError for a password file that can't be read */
export function serverOf(ctx: Context): ServerOptions {
  return {
    url: text(ctx.values, 'url') ?? '',
    user: text(ctx.values, 'user'),
    password: secret(ctx, 'password'),
  }
}

/** Milliseconds. @throws UsageError */
export function waitOf(ctx: Context): number {
  return 1000 * (number(ctx.values, 'wait', { min: 0, max: 86_400 }) ?? 60)
}

export const METRICS: Flags = {
  usage: `  --metrics HOST:PORT  /metrics, /healthz, /readyz (default 127.0.0.1:9464)`,
  options: {
    metrics: { type: 'string', default: '127.0.0.1:9464' },
  },
  env: { metrics: 'RIBSCOPE_METRICS' },
}

/** `--NAME`, or what is in the file of `--NAME-file`, without the line end that editors leave. */
function secret(ctx: Context, name: string): string | undefined {
  const path = text(ctx.values, `${name}-file`)
  if (path === undefined) return text(ctx.values, name)
  if (text(ctx.values, name) !== undefined) {
    throw new UsageError(`--${name} and --${name}-file: one of them`)
  }
  return read(`--${name}-file`, path).replace(/\r?\n$/, '')
}

function pem(ctx: Context, name: string): string | undefined {
  const path = text(ctx.values, name)
  if (path === undefined) return undefined
  const found = read(`--${name}`, path)
  if (found.includes('-----BEGIN ')) return found
  throw new UsageError(`--${name} ${path}: not PEM`)
}

function read(what: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${what}: ${(error as Error).message}`)
  }
}
