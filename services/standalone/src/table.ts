/**
 * The commands. Each is imported only when it runs, or when its help is asked for: `decode` must
 * not pay for chDB, pino or fastify.
 */
import type { Command } from './command.ts'

export interface Entry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<{ readonly command: Command }>
}

export const COMMANDS: readonly Entry[] = [
  {
    name: 'up',
    summary: 'run everything in one process: BMP in, findings and HTTP out',
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'collector',
    summary: 'accept BMP from routers, publish what they say to Kafka',
    load: () => import('./commands/collector.ts'),
  },
  {
    name: 'writer',
    summary: 'store in ClickHouse what collectors publish to Kafka',
    load: () => import('./commands/writer.ts'),
  },
  {
    name: 'analyst',
    summary: 'run the detectors over ClickHouse, keep findings and house',
    load: () => import('./commands/analyst.ts'),
  },
  {
    name: 'api',
    summary: 'serve the HTTP API over ClickHouse',
    load: () => import('./commands/api.ts'),
  },
  {
    name: 'decode',
    summary: 'BMP stream, pcap, OpenBMP or MRT to JSON lines',
    load: () => import('./commands/decode.ts'),
  },
  {
    name: 'analyze',
    summary: 'analyse recordings offline: findings as JSON',
    load: () => import('./commands/analyze.ts'),
  },
  {
    name: 'record',
    summary: 'keep what routers send as recordings',
    load: () => import('./commands/record.ts'),
  },
  {
    name: 'replay',
    summary: 'play recordings to a collector',
    load: () => import('./commands/replay.ts'),
  },
  {
    name: 'simulate',
    summary: 'write a simulated scenario as a recording',
    load: () => import('./commands/simulate.ts'),
  },
  {
    name: 'tap',
    summary: 'what is in a Kafka topic of ours, as JSON lines',
    load: () => import('./commands/tap.ts'),
  },
  {
    name: 'migrate',
    summary: 'create or upgrade the ClickHouse schema',
    load: () => import('./commands/migrate.ts'),
  },
  {
    name: 'findings',
    summary: 'findings of a running Ribscope',
    load: () => import('./commands/findings.ts'),
  },
  {
    name: 'vips',
    summary: 'VIPs of a running Ribscope: who announces them, through which ToRs',
    load: () => import('./commands/vips.ts'),
  },
  {
    name: 'rib',
    summary: 'looking glass: routes now or at an instant',
    load: () => import('./commands/rib.ts'),
  },
  {
    name: 'diff',
    summary: 'what changed between two instants, by likely cause',
    load: () => import('./commands/diff.ts'),
  },
]
