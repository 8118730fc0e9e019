/** Housekeeping of the store: what is derived slowly, and what has been kept long enough. */
import { nowUs } from '@ribscope/events'
import { advanceSince, configureRetention, KEEPER_SETTINGS, retain } from '@ribscope/store'
import type { Retention, Store } from '@ribscope/store'
import type { Logger } from 'pino'

const ADVANCE_MS = 10_000
const RETAIN_MS = 3_600_000
/** The first look at old rows waits until routers have sent their tables. */
const FIRST_RETAIN_MS = 120_000

export interface Keeper {
  stop(): Promise<void>
}

/** One thing at a time, in a session of its own; what fails is logged and tried again. */
export async function startKeeper(
  store: Store,
  retention: Retention,
  log: Logger,
): Promise<Keeper> {
  const session = await store.session('keeper', KEEPER_SETTINGS)
  try {
    await configureRetention(session, retention)
  } catch (error) {
    await session.close()
    throw error
  }
  let retainAt = Date.now() + FIRST_RETAIN_MS
  let timer: NodeJS.Timeout | undefined
  let stopped = false

  const turn = async (): Promise<void> => {
    try {
      await advanceSince(store, session)
      if (Date.now() >= retainAt) {
        retainAt = Date.now() + RETAIN_MS
        const started = performance.now()
        const { days, kept } = await retain(session, retention, nowUs())
        const seconds = Math.round((performance.now() - started) / 1000)
        if (days.length > 0) log.info({ days, kept, seconds }, 'old days of the log dropped')
      }
    } catch (err) {
      if (!stopped) log.error({ err }, 'housekeeping failed')
    }
    if (!stopped) {
      timer = setTimeout(() => {
        running = turn()
      }, ADVANCE_MS)
    }
  }
  let running = turn()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
      await session.close()
    },
  }
}
