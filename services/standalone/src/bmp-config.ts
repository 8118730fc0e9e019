/** How BMP comes in, from fabric.yaml and from flags: the same for `up` and `collector`. */
import type { BmpServerConfig, BmpTlsConfig, DialTarget } from '@ribscope/collector'
import type { FabricConfig } from '@ribscope/fabric'
import { UsageError, type Context, type Flags } from './command.ts'
import { hostPort, text, v4Tlvs } from './values.ts'

export const BMP: Flags = {
  usage: `  --bmp HOST:PORT      where routers connect (default 0.0.0.0:11019)
  --bmp-v4 TABLE       code points of TLVs in BMP version 4 (default auto; see ribscope decode --help)
  --bmp-tls HOST:PORT  where routers connect with BMP over TLS (default: nowhere)
  --bmp-tls-cert FILE  certificate of this collector, PEM, and --bmp-tls-key FILE
  --bmp-tls-ca FILE    authority of the routers: they have to show a certificate then
  --bmp-dial HOST:PORT  a router in passive mode, to connect to (tls://HOST:PORT: with TLS); repeatable`,
  options: {
    bmp: { type: 'string', default: '0.0.0.0:11019' },
    'bmp-v4': { type: 'string' },
    'bmp-tls': { type: 'string' },
    'bmp-tls-cert': { type: 'string' },
    'bmp-tls-key': { type: 'string' },
    'bmp-tls-ca': { type: 'string' },
    'bmp-dial': { type: 'string', multiple: true },
  },
  env: {
    bmp: 'RIBSCOPE_BMP',
    'bmp-v4': 'RIBSCOPE_BMP_V4',
    'bmp-tls': 'RIBSCOPE_BMP_TLS',
    'bmp-tls-cert': 'RIBSCOPE_BMP_TLS_CERT',
    'bmp-tls-key': 'RIBSCOPE_BMP_TLS_KEY',
    'bmp-tls-ca': 'RIBSCOPE_BMP_TLS_CA',
    'bmp-dial': 'RIBSCOPE_BMP_DIAL',
  },
}

type FromFile = Omit<BmpServerConfig, 'host' | 'port' | 'collector' | 'tls' | 'dial'> &
  Required<Pick<BmpServerConfig, 'maxTotalOctets' | 'routerAddresses'>>

const MIB = 1 << 20

/** What fabric.yaml says. */
export function bmpOf({ bmp, routers }: FabricConfig): FromFile {
  return {
    // A table that arrives fast goes into few large inserts: those of 64,000 rows cost the store twice as much.
    maxSessionOctets: (bmp.session_buffer_mib ?? 64) * MIB,
    maxTotalOctets: (bmp.buffer_mib ?? 256) * MIB,
    routerAddresses: new Map(
      routers.flatMap(({ name, address }) =>
        address === undefined ? [] : [[name, address] as const],
      ),
    ),
    ...given({
      allow: bmp.allow,
      maxSessions: bmp.max_sessions,
      maxSessionsPerSource: bmp.max_sessions_per_source,
      maxUnidentified: bmp.max_unidentified,
      identifyTimeoutMs: ms(bmp.identify_timeout_s),
      silenceTimeoutMs: ms(bmp.idle_timeout_s),
      keepAliveMs: ms(bmp.keepalive_s),
    }),
  }
}

/** How routers come in, and what they are understood by: flags and fabric.yaml; a flag wins. */
export async function listenersOf(
  ctx: Context,
  config: FabricConfig,
): Promise<Pick<BmpServerConfig, 'host' | 'port' | 'v4Tlvs' | 'tls' | 'dial'>> {
  return {
    ...hostPort('--bmp', ctx.values['bmp'], '0.0.0.0'),
    v4Tlvs: await v4Tlvs(ctx.values, config.bmp.v4_tlvs),
    ...(await linksOf(ctx, config)),
  }
}

/**
 * The TLS listener and the routers to dial, of flags and fabric.yaml; a flag wins.
 *
 * @throws UsageError; TlsFileError for a file that is not there or of no use
 */
export async function linksOf(
  { values }: Context,
  { bmp }: FabricConfig,
): Promise<Pick<BmpServerConfig, 'tls' | 'dial'>> {
  const { listen: configured, client_auth: clientAuth, ...files } = bmp.tls ?? {}
  const flagged = text(values, 'bmp-tls')
  const tls: BmpTlsConfig = {
    listen: flagged === undefined ? configured : hostPort('--bmp-tls', flagged, '0.0.0.0'),
    cert: text(values, 'bmp-tls-cert') ?? files.cert,
    key: text(values, 'bmp-tls-key') ?? files.key,
    ca: text(values, 'bmp-tls-ca') ?? files.ca,
    clientAuth,
  }
  const named = [tls.cert, tls.key, tls.ca].some((file) => file !== undefined)
  if (tls.listen !== undefined && (tls.cert === undefined || tls.key === undefined)) {
    throw new UsageError('--bmp-tls needs --bmp-tls-cert and --bmp-tls-key')
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new UsageError('--bmp-tls-cert and --bmp-tls-key go together')
  }
  const flags = values['bmp-dial']
  const dial = Array.isArray(flags) ? flags.map(target) : (bmp.dial ?? [])
  if (named) {
    const { readTlsFiles } = await import('@ribscope/collector')
    readTlsFiles(tls)
  }
  return { ...(named ? { tls } : {}), ...(dial.length > 0 ? { dial } : {}) }
}

function target(flag: string | boolean): DialTarget {
  const [, scheme, rest] = /^(tls:\/\/)?(.*)$/.exec(String(flag)) ?? []
  return { ...hostPort('--bmp-dial', rest), ...(scheme === undefined ? {} : { tls: true }) }
}

const ms = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Math.round(seconds * 1000)

/** Without what is undefined. */
function given<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
