/** A process of its own with the engine on a data directory and its HTTP interface: what `startClickHouse` starts. */
import { join } from 'node:path'
import { openEmbeddedStore } from '../embedded.ts'
import { serveEngine } from './serve.ts'
import type { User } from './serve.ts'

interface Arguments {
  readonly dataDir: string
  readonly port: number
  readonly login: string
  readonly users?: Readonly<Record<string, User>>
}

const { dataDir, port, login, users = {} } = JSON.parse(process.argv[2] ?? '{}') as Arguments

const store = await openEmbeddedStore({ dataDir })
const http = await serveEngine(store, {
  port,
  login,
  users,
  spool: join(dataDir, 'http-spool'),
})
process.stdout.write(`${JSON.stringify({ port: http.port })}\n`)

// Standard input is the parent: when it ends, whoever wanted this process is gone.
for await (const _ of process.stdin) continue
await http.close()
await store.close()
