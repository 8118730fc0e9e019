/** `npm run agree -- DIR`: rows against the decodes of other programs, field by field. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { table } from './report.ts'
import { explain } from './rules.ts'
import { tsharkMissing } from './run-tshark.ts'
import { agree } from './vectors.ts'

const USAGE = `usage: npm run agree -- DIR [--all] [--no-tshark]

Compares the rows of \`ribscope decode --rows\` with the oracles beside the streams of DIR (manifest.json says
which; else those with the same stem): TShark, NetGauze, pmacct, ExaBGP. BGP streams are wrapped into BMP.

  --all         list explained differences too
  --no-tshark   don't run the installed tshark over the hex vectors

Exit 1 when a difference has no rule that explains it.
`

function main(argv: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      'no-tshark': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const folder = positionals[0]
  if (values.help || folder === undefined || !existsSync(folder)) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  const missing = values['no-tshark'] ? '--no-tshark' : tsharkMissing()
  if (missing !== undefined) console.log(`hex vectors are not compared with tshark: ${missing}`)
  const { tally, streams } = agree(folder, { tshark: missing === undefined })
  const rules = new Map<string, number>()
  let unexplained = 0
  for (const difference of tally.differences) {
    const rule = explain(difference)
    if (rule === undefined) unexplained++
    else rules.set(rule.name, (rules.get(rule.name) ?? 0) + 1)
    if (rule !== undefined && !values.all) continue
    const { oracle, stream, message, field, family, action, nlri, ours, theirs } = difference
    console.log(
      `${rule === undefined ? 'UNEXPLAINED' : rule.name}: ${oracle} ${stream} message ${message}, ` +
        `${action} ${family} ${nlri}, ${field}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`,
    )
  }
  console.log(`\n${table(tally)}\n`)
  console.log(`${streams} streams. Messages that an oracle tells nothing of:`)
  for (const [key, n] of tally.untold) console.log(`  ${n} ${key.replace('\t', ': ')}`)
  console.log('Explained differences:')
  for (const [name, n] of rules) console.log(`  ${n} ${name}`)
  console.log(`Unexplained: ${unexplained}`)
  return unexplained > 0 ? 1 : 0
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  console.error(error)
  process.exitCode = 2
}
