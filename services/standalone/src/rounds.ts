/** The analyst's clock: rounds a second apart, one at a time. */
import type { Analyst } from '@ribscope/analyst'
import { nowUs } from '@ribscope/events'
import type { Logger } from 'pino'

/** Between two looks of the analyst. */
const ROUND_MS = 1_000

/** A failed round is logged and does not end the next. */
export function startRounds(
  analyst: Analyst,
  log: Logger,
  onRound: (seconds: number) => void,
): { stop(last: boolean): Promise<void> } {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  let failing = false

  const round = async (): Promise<void> => {
    const started = performance.now()
    try {
      await analyst.round(nowUs())
      failing = false
      onRound((performance.now() - started) / 1000)
    } catch (err) {
      if (!failing) log.error({ err }, 'analyst round failed')
      failing = true
    }
    const rest = Math.max(20, ROUND_MS - (performance.now() - started))
    // Closing over `running` keeps the last round awaitable.
    if (!stopped) {
      timer = setTimeout(() => {
        running = round()
      }, rest)
    }
  }
  running = round()
  return {
    async stop(last) {
      stopped = true
      clearTimeout(timer)
      await running
      if (!last) return
      // What was stored while the listener drained still counts.
      await analyst.round(nowUs()).catch((err: unknown) => {
        log.error({ err }, 'last round failed')
      })
    },
  }
}
