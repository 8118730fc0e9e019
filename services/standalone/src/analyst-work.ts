/** The analyst at work, in whichever process: rounds, housekeeping, and changes of findings in the log and in metrics. */
import { Analyst } from '@ribscope/analyst'
import type { AnalystOptions, Work } from '@ribscope/analyst'
import type { Finding } from '@ribscope/detectors'
import type { Retention } from '@ribscope/store'
import type { Logger } from 'pino'
import { startKeeper } from './keeper.ts'
import { startRounds } from './rounds.ts'
import type { AnalystTelemetry } from './telemetry.ts'

export interface AnalystWorkOptions extends Omit<AnalystOptions, 'sizes' | 'onChange'> {
  readonly retention: Retention
  readonly log: Logger
  readonly counted: AnalystTelemetry
  /** Called after each round that did not fail. */
  readonly onRound: () => void
  /** Called for every change, after it is stored. */
  readonly onFinding?: (finding: Finding) => void
}

/** What is returned ends a last round when it is stopped, unless nothing may be written any more. */
export async function startAnalystWork(options: AnalystWorkOptions): Promise<Work> {
  const { retention, log, counted, onRound, onFinding, ...own } = options
  const analyst = await Analyst.create({
    ...own,
    sizes: true,
    onChange(finding, change) {
      const { kind, scope, explanation } = finding
      const { status, severity } = change
      log.info({ part: 'analyst', kind, status, severity, scope }, explanation)
      counted.finding(finding, change)
      onFinding?.(finding)
    },
  })
  try {
    const keeper = await startKeeper(own.store, retention, log.child({ part: 'keeper' }))
    const rounds = startRounds(analyst, log, (seconds) => {
      counted.round(seconds)
      onRound()
    })
    return {
      async stop(held) {
        await keeper.stop()
        await rounds.stop(held)
        await analyst.close()
      },
    }
  } catch (error) {
    await analyst.close()
    throw error
  }
}
