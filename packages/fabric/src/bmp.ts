/** `bmp:` of fabric.yaml: who may connect, how, and how much of it. */
import { resolve } from 'node:path'
import { Section, type Reader, type Spot } from './reader.ts'
import * as read from './readers.ts'

const CLIENT_AUTH = ['required', 'optional', 'none'] as const

/** undefined: not configured, the collector's own default holds. */
export interface BmpConfig {
  /** Sources that may open BMP sessions; undefined: private, link-local and loopback ones. */
  readonly allow: readonly string[] | undefined
  /** Code points of TLVs in BMP version 4: `auto`, the name of a table, or `bgp_pdu=7,...`. */
  readonly v4_tlvs: string | undefined
  readonly max_sessions?: number | undefined
  readonly max_sessions_per_source?: number | undefined
  /** Connections that have not said a whole message. */
  readonly max_unidentified?: number | undefined
  readonly identify_timeout_s?: number | undefined
  /** 0: a session may be silent for ever. */
  readonly idle_timeout_s?: number | undefined
  /** Silence before TCP asks whether the router is there. */
  readonly keepalive_s?: number | undefined
  /** What may wait for the store or the brokers, of all sessions and of one, in MiB. */
  readonly buffer_mib?: number | undefined
  readonly session_buffer_mib?: number | undefined
  readonly tls?: BmpTls | undefined
  readonly dial?: readonly BmpDial[] | undefined
}

/** Absolute paths of files in PEM. */
export interface BmpTls {
  readonly listen?: HostPort | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
  readonly client_auth?: (typeof CLIENT_AUTH)[number] | undefined
}

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** A router in passive mode. */
export interface BmpDial extends HostPort {
  readonly tls?: boolean | undefined
}

export const defaultBmp = (): BmpConfig => ({ allow: undefined, v4_tlvs: undefined })

const NUMBERS = {
  max_sessions: { min: 1, max: 1_000_000, integer: true },
  max_sessions_per_source: { min: 1, max: 1_000_000, integer: true },
  max_unidentified: { min: 1, max: 100_000, integer: true },
  identify_timeout_s: { min: 1, max: 3600 },
  idle_timeout_s: { min: 0, max: 86_400 },
  keepalive_s: { min: 1, max: 7200 },
  buffer_mib: { min: 1, max: 65_536 },
  session_buffer_mib: { min: 1, max: 65_536 },
} as const

const NUMBER_KEYS = Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]

/** @param folder what paths are relative to */
export function readBmp(spot: Spot, folder: string): BmpConfig {
  const section = new Section(spot, ['allow', 'v4_tlvs', ...NUMBER_KEYS, 'tls', 'dial'])
  return {
    allow: section.get('allow', read.list(read.prefix)),
    v4_tlvs: section.get('v4_tlvs', read.word),
    ...Object.fromEntries(
      NUMBER_KEYS.map((key) => [key, section.get(key, read.number(NUMBERS[key]))]),
    ),
    tls: section.get('tls', (at) => readTls(at, folder)),
    dial: section.get('dial', read.list(dial)),
  }
}

function readTls(spot: Spot, folder: string): BmpTls {
  const section = new Section(spot, ['listen', 'cert', 'key', 'ca', 'client_auth'])
  const file: Reader<string> = (at) => {
    const path = read.word(at)
    return path === undefined ? undefined : resolve(folder, path)
  }
  const listen = section.get('listen', read.hostPort)
  const tls = {
    listen,
    // A collector that listens has to show something.
    cert: listen === undefined ? section.get('cert', file) : section.need('cert', file),
    key: listen === undefined ? section.get('key', file) : section.need('key', file),
    ca: section.get('ca', file),
    client_auth: section.get('client_auth', read.oneOf(CLIENT_AUTH)),
  }
  const asks = tls.client_auth === 'required' || tls.client_auth === 'optional'
  if (asks && tls.ca === undefined) {
    section.at('client_auth').problem(`${spot.path}: client_auth ${tls.client_auth} needs ca`)
  }
  return tls
}

/** `{ host: tor1, port: 11019 }`, or `tor1:11019`. */
const dial: Reader<BmpDial> = (spot) => {
  if (spot.text !== undefined) return read.hostPort(spot)
  const section = new Section(spot, ['host', 'port', 'tls'])
  const host = section.need('host', read.word)
  const port = section.need('port', read.number({ min: 1, max: 65_535, integer: true }))
  if (host === undefined || port === undefined) return undefined
  return { host, port, tls: section.get('tls', read.boolean) }
}
