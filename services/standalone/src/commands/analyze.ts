/** `ribscope analyze`: recordings in, findings out. */
import { defaultFabric, loadFabric } from '@ribscope/fabric'
import { UsageError, type Command } from '../command.ts'
import { number, text } from '../values.ts'

export const command: Command = {
  name: 'analyze',
  summary: 'analyse recordings offline: findings as JSON',
  usage: `ribscope analyze PATH... [flags]

  PATH               folders or .bmp files, all of one fabric
  --config FILE      fabric.yaml
  --tail SECONDS     virtual time that passes after the last byte (default 120)
  --format FORMAT    json (default) or text`,
  options: {
    config: { type: 'string' },
    tail: { type: 'string', default: '120' },
    format: { type: 'string', default: 'json' },
  },
  env: { config: 'RIBSCOPE_CONFIG' },
  async run(ctx) {
    if (ctx.positionals.length === 0) throw new UsageError('analyze: expected PATH...')
    const format = text(ctx.values, 'format') ?? 'json'
    if (format !== 'json' && format !== 'text') {
      throw new UsageError(`--format: ${JSON.stringify(format)} is neither json nor text`)
    }
    const tail = number(ctx.values, 'tail', { min: 0, max: 30 * 86_400 }) ?? 120
    const path = text(ctx.values, 'config')
    let config = defaultFabric()
    if (path !== undefined) {
      const loaded = loadFabric(path)
      config = loaded.fabric
      for (const warning of loaded.warnings) {
        ctx.stderr.write(`${path}:${String(warning.line)}: ${warning.message}\n`)
      }
    }
    const { analyze } = await import('../offline.ts')
    const { stderr } = ctx
    const isTTY = 'isTTY' in stderr && stderr.isTTY === true
    const started = Date.now()
    const analysis = await analyze({
      paths: ctx.positionals,
      config,
      tailSeconds: tail,
      signal: ctx.signal,
      ...(isTTY
        ? {
            onProgress(at: number, end: number): void {
              const left = Math.max(0, (end - at) / 1e6)
              stderr.write(`\r\u001b[Kanalysing, ${left.toFixed(0)} s of recording left`)
            },
          }
        : {}),
    })
    if (isTTY) {
      stderr.write(`\r\u001b[Kanalysed in ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
    }
    if (ctx.signal.aborted) return 1
    ctx.stdout.write(
      format === 'json' ? `${JSON.stringify(analysis, null, 2)}\n` : render(analysis),
    )
    return 0
  },
}

function render(analysis: { findings: readonly object[]; incidents: readonly object[] }): string {
  const findings = analysis.findings as {
    severity: string
    status: string
    kind: string
    first_seen: string
    explanation: string
  }[]
  if (findings.length === 0) return 'no findings\n'
  return findings
    .map(
      (each) =>
        `${each.first_seen}  ${each.severity.padEnd(8)}  ${each.status.padEnd(10)}  ${each.kind}\n    ${each.explanation}\n`,
    )
    .join('')
}
