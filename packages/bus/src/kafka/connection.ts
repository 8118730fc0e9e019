import type { Kafka, LogEntry, SASLOptions } from 'kafkajs'
import type { BusLog } from '../log.ts'
import { loadKafkajs } from './library.ts'

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
  return new kafkajs.Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: options.connectTimeoutMs ?? 10_000,
    requestTimeout: options.requestTimeoutMs ?? 30_000,
    enforceRequestTimeout: true,
    ...(tls === undefined ? {} : { ssl: tls === true ? true : tlsOptions(tls) }),
    ...(sasl === undefined ? {} : { sasl: sasl as SASLOptions }),
    retry: { initialRetryTime: FIRST_RETRY_MS, maxRetryTime: MAX_RETRY_MS, retries: 8 },
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => {
      write(log, entry)
    },
  })
}

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
