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

const entry = (name: string, summary: string): Entry => ({
  name,
  summary,
  load: () => import(`./commands/${name}.ts`) as Promise<{ readonly command: Command }>,
})

export const COMMANDS: readonly Entry[] = [
  entry('up', 'run everything in one process: BMP in, findings, HTTP and console out'),
  entry('decode', 'BMP stream, pcap or pcapng to JSON lines'),
  entry('analyze', 'findings from recordings, offline'),
  entry('record', 'keep what routers send as recordings'),
  entry('replay', 'play recordings to a collector'),
  entry('simulate', 'write a simulated scenario as a recording'),
  entry('migrate', 'create or upgrade the ClickHouse schema'),
  entry('findings', 'findings of a running Ribscope'),
  entry('vips', 'VIPs of a running Ribscope: who announces them, through which ToRs'),
  entry('rib', 'looking glass: routes now or at an instant'),
]
