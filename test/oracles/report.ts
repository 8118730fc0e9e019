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
