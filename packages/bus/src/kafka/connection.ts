import type { Kafka, KafkaConfig, LogEntry, SASLOptions } from 'kafkajs'
import type { BusLog } from '../log.ts'
import { loadKafkajs, socketFactory } from './library.ts'

export interface KafkaConnection {
  /** `HOST:PORT` each. */
  readonly brokers: readonly string[]
  readonly clientId: string
  /** TLS; `true` with the system's authorities. */
  readonly tls?:
    | true
    | {
        /** PEM texts. */
        readonly ca?: string
        readonly cert?: string
        readonly key?: string
        readonly serverName?: string
      }
    | undefined
  readonly sasl?:
    | {
        readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
        readonly username: string
        readonly password: string
      }
    | undefined
  /** Default 10 s. */
  readonly connectTimeoutMs?: number
  /** Default 30 s. */
  readonly requestTimeoutMs?: number
}

/** A broker said no, or something it has is not as it must be: the text says what and where. */
export class BusError extends Error {
  override readonly name = 'BusError'
}

const FIRST_RETRY_MS = 200
const MAX_RETRY_MS = 5_000

/** Inert: nothing is sent before a producer, consumer or admin connects. */
export function connectKafka(options: KafkaConnection, log: BusLog): Kafka {
  const { tls, sasl } = options
  const kafkajs = loadKafkajs().library
  const sockets = socketFactory()
  const config: KafkaConfig = {
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: options.connectTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    enforceRequestTimeout: true,
    ...(tls === undefined ? {} : { ssl: tls === true ? true : tlsOptions(tls) }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    ...(sockets === undefined ? {} : { socketFactory: sockets }),
    retry: { initialRetryTime: FIRST_RETRY_MS, maxRetryTime: MAX_RETRY_MS, retries: 8 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => {
      write(log, entry)
    },
  }
  const kafka = new kafkajs.Kafka(config)
  // The library tries a connection again as often as its client says, whoever asks.
  probes.set(kafka, new kafkajs.Kafka({ ...config, retry: { ...config.retry, retries: 1 } }))
  return kafka
}

/** The same connection for whoever can't wait. */
const probes = new WeakMap<Kafka, Kafka>()

function tlsOptions(tls: Exclude<KafkaConnection['tls'], true | undefined>): {
  ca?: string[]
  cert?: string
  key?: string
  servername?: string
} {
  return {
    ...(tls.ca === undefined ? {} : { ca: [tls.ca] }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  }
}

/**
 * What kafkajs calls an error it mostly tries again, and what it does not try again is thrown: its errors are warnings here, its
 * information is for debugging.
 */
function write(log: BusLog, { level, namespace, log: entry }: LogEntry): void {
  const { message, timestamp: _, logger: __, stack: ___, ...facts } = entry
  const all = { kafka: namespace, ...facts }
  if (level <= loadKafkajs().library.logLevel.WARN) log.warn(all, message)
  else log.debug(all, message)
}

/** Of Node's TLS: what does not pass by waiting. */
const TLS_REASONS: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Looks whether brokers let us in at all.
 *
 * @throws BusError for what they will refuse again: a name, a password, a certificate. Another error when none answers
 */
export async function checkAccess(kafka: Kafka): Promise<void> {
  const admin = (probes.get(kafka) ?? kafka).admin()
  try {
    await admin.connect()
    // Who says no name is let in until the first question.
    await admin.describeCluster()
  } catch (error) {
    throw refusalOf(error) ?? error
  } finally {
    await admin.disconnect().catch(() => undefined)
  }
}

/** undefined when waiting may help */
function refusalOf(error: unknown): BusError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { name, message } = at
    const { code, broker } = at as { code?: unknown; broker?: unknown }
    if (name === 'KafkaJSSASLAuthenticationError') {
      return new BusError(`Kafka does not let us in: ${message}`, { cause: error })
    }
    const where = typeof broker === 'string' ? ` at ${broker}` : ''
    const isTls = typeof code === 'string' && (TLS_REASONS.has(code) || code.startsWith('ERR_SSL'))
    if (isTls) return new BusError(`Kafka${where}: TLS: ${message}`, { cause: error })
  }
  return undefined
}
