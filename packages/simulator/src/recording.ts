import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { concat } from './encode/bytes.ts'
import { makeFolder } from './folder.ts'
import type { BmpSink, SessionEnd } from './model/bmp-feed.ts'

/** One BMP session as it was received. Times are microseconds since 1970. */
export interface RecordedSession {
  readonly router: string
  /** 1 for a router's first BMP session. */
  readonly number: number
  readonly source: string
  readonly openedUs: number
  readonly chunks: { readonly us: number; readonly bytes: Uint8Array }[]
  endUs: number
  end: SessionEnd
}

/** Keeps what routers send. */
export class Recorder {
  readonly sessions: RecordedSession[] = []

  sink(router: { name: string; address: string }): BmpSink {
    let current: RecordedSession | undefined
    let count = 0
    return {
      open: (us) => {
        current = {
          router: router.name,
          number: ++count,
          source: router.address,
          openedUs: us,
          chunks: [],
          endUs: us,
          end: 'stop',
        }
        this.sessions.push(current)
      },
      data: (us, bytes) => current?.chunks.push({ us, bytes }),
      close: (us, how) => {
        if (current === undefined) return
        current.endUs = us
        current.end = how
        current = undefined
      },
    }
  }
}

/** NAME.bmp and NAME.times of a session; a second session of a router is NAME.2. */
export function fileName(session: RecordedSession): string {
  return session.number === 1 ? session.router : `${session.router}.${session.number}`
}

export function timesOf(session: RecordedSession): string {
  const { router, number, source, openedUs } = session
  const lines = [
    `# bmp-times 1 router=${router} session=${number} source=${source} opened=${seconds(openedUs)}`,
  ]
  let offset = 0
  for (const { us, bytes } of session.chunks) {
    lines.push(`${offset} ${seconds(us)}`)
    offset += bytes.length
  }
  lines.push(`${offset} ${seconds(session.endUs)} end=${session.end}`)
  return `${lines.join('\n')}\n`
}

export function bytesOf(session: RecordedSession): Uint8Array {
  return concat(session.chunks.map(({ bytes }) => bytes))
}

/** Writes a folder that `analyze`, `replay` and `decode` read. */
export async function writeRecording(
  folder: string,
  sessions: readonly RecordedSession[],
): Promise<void> {
  await makeFolder(folder)
  for (const session of sessions) {
    const path = join(folder, fileName(session))
    await writeFile(`${path}.bmp`, bytesOf(session))
    await writeFile(`${path}.times`, timesOf(session))
  }
}

/** Unix seconds with six decimals, without going through a float. */
function seconds(us: number): string {
  return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`
}
