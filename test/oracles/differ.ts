/** `npm run differ -- ...`: mutated streams, decoded by us, tshark and bgpkit-parser; what differs and why. */
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { differential } from './differential.ts'
import { list, table } from './report.ts'

const USAGE = `usage: npm run differ -- [--messages N] [--seed S] [--vectors DIR] [--all] [--hex]

Route Monitoring messages of the fixtures and of DIR (../shared/vectors), as they are and mutated, through
\`ribscope decode --rows\`, the installed tshark and bgpkit-parser (built with cargo when it is there). Each
message stands alone. Exit 1 when a difference has no rule that explains it.
`

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
    vectors: { type: 'string', default: '../shared/vectors' },
    all: { type: 'boolean', default: false },
    hex: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) process.stdout.write(USAGE)
else {
  process.chdir(ROOT)
  const { tally, messages, missing } = differential({
    root: ROOT,
    folders: ['test/fixtures', values.vectors],
    messages: Number(values.messages),
    seed: Number(values.seed),
  })
  for (const line of missing) console.log(line)
  const unexplained = list(tally, values.all, values.hex ? messages : [])
  console.log(`\n${table(tally)}\n\n${messages.length} messages`)
  process.exitCode = unexplained > 0 ? 1 : 0
}
