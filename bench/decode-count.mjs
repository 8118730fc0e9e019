// `ribscope decode --count FILE` as a whole process beside `md5sum FILE`, in turn: the ratio is what to watch.
//   node bench/decode-count.mjs FILE.bmp... [--runs N]
import { fileURLToPath } from 'node:url'
import { loadavg } from 'node:os'
import { cpuOf, inTurn, median } from './process-cpu.mjs'

const bin = fileURLToPath(new URL('../bin/ribscope.js', import.meta.url))
const args = process.argv.slice(2)
const runsAt = args.indexOf('--runs')
const runs = runsAt < 0 ? 9 : Number(args.splice(runsAt, 2)[1])
if (args.length === 0) {
  console.error('usage: node bench/decode-count.mjs FILE.bmp... [--runs N]')
  process.exit(2)
}
for (const file of args) {
  const all = inTurn(
    {
      md5sum: () => cpuOf('md5sum', file).seconds,
      'decode --count': () => cpuOf(process.execPath, bin, 'decode', '--count', file).seconds,
      'node -e 0': () => cpuOf(process.execPath, '-e', '0').seconds,
    },
    runs,
  )
  const md5 = all.get('md5sum')
  const ratios = all.get('decode --count').map((seconds, run) => seconds / md5[run])
  console.log(`${file}, load ${loadavg()[0].toFixed(1)}, CPU seconds: median (least)`)
  for (const [name, list] of all) {
    console.log(`  ${name.padEnd(15)} ${median(list).toFixed(3)} (${Math.min(...list).toFixed(3)})`)
  }
  console.log(`  decode --count / md5sum, run by run: median ${median(ratios).toFixed(2)}`)
}
