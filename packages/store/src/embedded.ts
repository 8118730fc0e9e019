/**
 * The embedded store: chDB (ClickHouse in this process) on a data directory, queried through `@clickhouse/client`.
 *
 * Inserts never carry data in a statement: chDB ends inline data at the first blank line and executes the rest as SQL, so
 * the bytes 0A 0A in a community would be enough for a router to run statements. Blocks are written to a private file on
 * tmpfs and read with FROM INFILE.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ClickHouseClient, createClient as CreateClient } from '@clickhouse/client'
import { checkNames, ClientSession, firstLine, SESSION_SETTINGS } from './client-session.ts'
import { insertsOver, type InsertSettings } from './inserts.ts'
import { StoreError } from './store.ts'
import type { Store, StoreSession } from './store.ts'

type ClientConnection = NonNullable<NonNullable<Parameters<typeof CreateClient>[0]>['connection']>

const SETTING = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Below this much free space on tmpfs (a container's default is 64 MB) blocks go through the data directory. */
const TMPFS_MIN_OCTETS = 1024 * 1024 * 1024

export interface EmbeddedStore extends Store {
  /** A session with the engine's own settings and those given, one step after the other, instead of ours. */
  plainSession(
    name: string,
    ...steps: readonly Readonly<Record<string, string | number>>[]
  ): Promise<StoreSession>
}

/**
 * Opens (or creates) the data directory.
 *
 * @throws StoreError when another process holds the directory, or it can't be written
 */
export async function openEmbeddedStore(options: { dataDir: string }): Promise<EmbeddedStore> {
  const [{ createClient }, { createChdbConnection }] = await Promise.all([
    import('@clickhouse/client'),
    import('chdb/connection'),
  ])
  const root = resolve(options.dataDir)
  mkdirSync(root, { recursive: true, mode: 0o750 })
  const path = join(root, 'clickhouse')
  // The engine would say it too, but first in a line of its own on stderr.
  if (isLockedByOther(path)) throw openError(root, path, undefined)

  const connect = (): ClickHouseClient => {
    try {
      // The two packages compile the same interface with and without exactOptionalPropertyTypes.
      const connection = createChdbConnection({ path }) as unknown as ClientConnection
      return createClient({ connection })
    } catch (cause) {
      throw openError(root, path, cause)
    }
  }

  const sessions = new Set<ClientSession>()

  async function plainSession(
    name: string,
    ...steps: readonly Readonly<Record<string, string | number>>[]
  ): Promise<StoreSession> {
    const created: ClientSession = new ClientSession(name, connect(), () => {
      sessions.delete(created)
    })
    sessions.add(created)
    try {
      for (const settings of steps) {
        if (Object.keys(settings).length > 0) await created.command(`SET ${assignments(settings)}`)
      }
    } catch (error) {
      await created.close()
      throw error
    }
    return created
  }

  const session: Store['session'] = async (name, settings = {}, access = {}) => {
    const created = await plainSession(name, { ...SESSION_SETTINGS, ...settings })
    try {
      if (access.database !== undefined) {
        checkNames(access.database, [])
        await created.command(`USE ${access.database}`)
      }
      // Last: from here on no statement changes a setting, this one included.
      if (access.readonly === true) await created.command('SET readonly = 1')
    } catch (error) {
      await created.close()
      throw error
    }
    return created
  }

  const writer = await session('writer', { max_threads: 2, max_insert_threads: 1 }).catch(
    (cause: unknown) => {
      throw openError(root, path, cause)
    },
  )
  // Only who holds the data directory may clear what the process before left: the engine's lock comes first.
  const spool = spoolFolder(root)
  let files = 0

  async function fromFile(
    into: string,
    format: 'Native' | 'JSONEachRow',
    bodies: readonly (Uint8Array | string)[],
    settings: InsertSettings,
  ): Promise<void> {
    const file = join(spool, `${String(++files)}.insert`)
    const handle = await open(file, 'wx', 0o600)
    try {
      try {
        for (const body of bodies) await handle.writeFile(body)
      } finally {
        await handle.close()
      }
      await writer.command(
        `INSERT INTO ${into} FROM INFILE ${quoted(file)} SETTINGS ${assignments(settings)} FORMAT ${format}`,
      )
    } finally {
      await unlink(file)
    }
  }

  return {
    session,
    plainSession,
    ...insertsOver(fromFile, (sql) => writer.command(sql)),
    async close(): Promise<void> {
      // Merges go on while any session is open: the folder is nobody's only when all are closed.
      await Promise.all([...sessions].map((each) => each.close()))
      removeSpool(root)
    },
  }
}

/** @throws StoreError unless the names are names; values are quoted */
function assignments(settings: InsertSettings): string {
  return Object.entries(settings)
    .map(([key, value]) => {
      if (!SETTING.test(key)) throw new StoreError(`not the name of a setting: ${key}`)
      return `${key} = ${typeof value === 'number' ? String(value) : quoted(value)}`
    })
    .join(', ')
}

function openError(root: string, path: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const holder = holderOf(path)
  return holder === undefined
    ? new StoreError(`can't open data directory ${root}: ${firstLine(cause)}`, { cause })
    : new StoreError(`data directory ${root} is in use by another process (PID ${holder})`, {
        cause,
      })
}

/** The engine says who has its directory in a file, and why it can't open one only on stderr. */
function holderOf(path: string): number | undefined {
  const status = join(path, 'status')
  if (!existsSync(status)) return undefined
  const pid = Number(/^PID: (\d+)$/m.exec(readFileSync(status, 'utf8'))?.[1] ?? 0)
  if (pid === 0) return undefined
  try {
    process.kill(pid, 0)
    return pid
  } catch (error) {
    // ESRCH: it was killed. EPERM: it is there and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? pid : undefined
  }
}

/** Whether the process that the engine's file names is another one and has that file locked, where the system tells (Linux). */
function isLockedByOther(path: string): boolean {
  const holder = holderOf(path)
  if (holder === undefined || holder === process.pid) return false
  try {
    const { ino } = statSync(join(path, 'status'), { bigint: true })
    // `1: FLOCK  ADVISORY  WRITE 4711 fe:00:10166884 0 EOF`
    const lock = new RegExp(` ${String(holder)} [0-9a-f]+:[0-9a-f]+:${String(ino)} `)
    return lock.test(readFileSync('/proc/locks', 'utf8'))
  } catch {
    return false
  }
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

/** Names the insert folder of the process that has the data directory: on tmpfs nobody else would know that it is left over. */
const SPOOL_NOTE = 'spool-folder'
const TMPFS_SPOOL = /^\/dev\/shm\/ribscope-[A-Za-z0-9]{6}$/

/**
 * A private folder for insert files. What a killed process left in its own is removed.
 *
 * INFILE expands patterns (`*`, `{a,b}`): a data directory with such a name can't hold the folder.
 */
function spoolFolder(root: string): string {
  removeSpool(root)
  const inData = join(root, 'spool')
  const plain = !/[*?{}[\]]/.test(inData)
  if (!plain || freeOctets('/dev/shm') >= TMPFS_MIN_OCTETS) {
    const folder = mkdtempSync('/dev/shm/ribscope-')
    writeFileSync(join(root, SPOOL_NOTE), folder, { mode: 0o600 })
    return folder
  }
  mkdirSync(inData, { mode: 0o700 })
  return inData
}

function removeSpool(root: string): void {
  rmSync(join(root, 'spool'), { recursive: true, force: true })
  const note = join(root, SPOOL_NOTE)
  if (!existsSync(note)) return
  const folder = readFileSync(note, 'utf8')
  if (TMPFS_SPOOL.test(folder)) rmSync(folder, { recursive: true, force: true })
  rmSync(note)
}

function freeOctets(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    // There is no tmpfs here: the data directory does.
    return 0
  }
}
