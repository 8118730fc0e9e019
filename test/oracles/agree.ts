/** `npm run agree -- DIR`: rows against the decodes of other programs, field by field. */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { list, table } from './report.ts'
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
  console.log(`${streams} streams\n`)
  const unexplained = list(tally, values.all)
  console.log(`\n${table(tally)}`)
  return unexplained > 0 ? 1 : 0
}

try {
  process.exitCode = main(process.argv.slice(2))
} catch (error) {
  console.error(error)
  process.exitCode = 2
}
