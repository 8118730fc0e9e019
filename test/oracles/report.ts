import { FIELDS, type Tally } from './model.ts'
import { explain } from './rules.ts'

export function table(tally: Tally): string {
  const oracles = [...new Set([...tally.counts.keys()].map((key) => key.split('\t')[0]!))]
  const explained = new Map<string, number>()
  for (const difference of tally.differences) {
    if (explain(difference) === undefined) continue
    const key = `${difference.oracle}\t${difference.field}`
    explained.set(key, (explained.get(key) ?? 0) + 1)
  }
  const lines = [
    ['oracle', 'field', 'compared', 'equal', 'explained', 'unexplained']
      .map((name, i) => (i < 2 ? name.padEnd(18) : name.padStart(12)))
      .join(''),
  ]
  for (const oracle of oracles) {
    for (const field of FIELDS) {
      const count = tally.counts.get(`${oracle}\t${field}`)
      if (count === undefined) continue
      const known = explained.get(`${oracle}\t${field}`) ?? 0
      const numbers = [count.compared, count.equal, known, count.different - known]
      lines.push(
        oracle.padEnd(18) + field.padEnd(18) + numbers.map((n) => String(n).padStart(12)).join(''),
      )
    }
  }
  return lines.join('\n')
}

/**
 * Prints the differences (explained ones when `all`), what was not compared, and counts.
 *
 * @param messages  those that differences are of, to be shown as hex
 * @returns how many are unexplained
 */
export function list(tally: Tally, all: boolean, messages: readonly Uint8Array[] = []): number {
  let shown = -1

  const rules = new Map<string, number>()
  let unexplained = 0
  for (const difference of tally.differences) {
    const rule = explain(difference)
    if (rule === undefined) unexplained++
    else rules.set(rule.name, (rules.get(rule.name) ?? 0) + 1)
    if (rule !== undefined && !all) continue
    const { oracle, stream, message, field, family, action, nlri, ours, theirs } = difference
    console.log(
      `${rule === undefined ? 'UNEXPLAINED' : rule.name}: ${oracle} ${stream} message ${message}, ` +
        `${action} ${family} ${nlri}, ${field}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`,
    )
    const bytes = messages[message]
    if (bytes !== undefined && shown !== message)
      console.log(`  ${Buffer.from(bytes).toString('hex')}`)
    shown = message
  }
  console.log('Messages that a decoder tells nothing of:')
  for (const [key, n] of tally.untold) console.log(`  ${n} ${key.replace('\t', ': ')}`)
  console.log('Explained differences:')
  for (const [name, n] of rules) console.log(`  ${n} ${name}`)
  console.log(`Unexplained: ${unexplained}`)
  return unexplained
}
