import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { compare, extText, NO_FACTS, rdText, Tally, type Route } from './model.ts'
import { table } from './report.ts'
import { explain, RULES } from './rules.ts'
import { tsharkMissing } from './run-tshark.ts'
import { agree } from './vectors.ts'

const folder = fileURLToPath(new URL('../../../shared/vectors/', import.meta.url))
const missing = existsSync(folder) ? undefined : `no vectors in ${folder}`

describe.skipIf(missing !== undefined)(`rows and oracles${missing ? `: ${missing}` : ''}`, () => {
  test('every field of every route agrees, or a rule says why not', () => {
    const tshark = tsharkMissing()
    if (tshark !== undefined) console.log(`hex vectors are not compared with tshark: ${tshark}`)
    const { tally, streams } = agree(folder, { tshark: tshark === undefined })
    console.log(table(tally))
    const unexplained = tally.differences.filter((difference) => explain(difference) === undefined)
    expect(unexplained.slice(0, 5)).toEqual([])
    expect(streams).toBeGreaterThan(100)
    const compared = (oracle: string, field: string): number =>
      tally.counts.get(`${oracle}\t${field}`)?.equal ?? 0
    expect(compared('TShark', 'route')).toBeGreaterThan(10_000)
    expect(compared('NetGauze', 'as_path')).toBeGreaterThan(4000)
    expect(compared('pmacct', 'labels')).toBeGreaterThan(2000)
    expect(compared('ExaBGP', 'prefix')).toBeGreaterThan(100)
    expect(compared('TShark', 'mac')).toBeGreaterThan(50)
  })
})

describe('the comparison', () => {
  const route = (texts: Route['texts']): Route => ({ action: 'announce', afi: 1, safi: 1, texts })
  const place = { oracle: 'TShark', stream: 'x', message: 0, facts: NO_FACTS }

  test('finds a field that differs, a route that is missing and one too many', () => {
    const tally = new Tally()
    compare(
      tally,
      place,
      [
        route({ prefix: '10.0.0.0/8', med: '1' }),
        route({ prefix: '10.1.0.0/16' }),
        route({ prefix: '10.3.0.0/16', med: '' }),
      ],
      [route({ prefix: '10.3.0.0/16' }), route({ prefix: '10.0.0.0/8', med: '2' })],
    )
    expect(tally.differences.map(({ field, ours, theirs }) => [field, ours, theirs])).toEqual([
      ['med', '1', '2'],
      ['route', '10.1.0.0/16', ''],
    ])
    expect(tally.counts.get('TShark\tmed')).toEqual({ compared: 1, equal: 0, different: 1 })
    expect(tally.differences.map(explain)).toEqual([undefined, undefined])
  })

  test('an order of routes is no difference, a text is', () => {
    const tally = new Tally()
    const [a, b] = [route({ prefix: '1.0.0.0/8' }), route({ prefix: '2.0.0.0/8' })]
    compare(tally, place, [a, b], [b, a])
    expect(tally.differences).toEqual([])
    compare(tally, place, [a], [b])
    expect(tally.differences).toHaveLength(1)
  })

  test('rules have names of their own', () => {
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length)
  })

  test('texts of its own', () => {
    expect(extText('0002fde800000064')).toBe('rt:65000:100')
    expect(extText('01020a0000010064')).toBe('rt:10.0.0.1:100')
    expect(extText('0603aabbccddeeff')).toBe('rmac:aa:bb:cc:dd:ee:ff')
    expect(extText('030c000000000008')).toBe('encap:8')
    expect(extText('8006000041200000')).toBe('0x8006:000041200000')
    expect(rdText('0001ac1540110002')).toBe('172.21.64.17:2')
    expect(rdText('0002fa56ea000064')).toBe('4200000000:100')
  })
})
