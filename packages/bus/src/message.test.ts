import { describe, expect, test } from 'vitest'
import { BadMessage, decodeHeaders, encodeHeaders } from './message.ts'

const HEADERS = {
  table: 'route_log',
  columns: ['addr', 'bits'],
  format: 'native',
  router: "tor1 'x'\n",
  bmpSession: 1_795_328_521_000_000,
  firstSeq: 1,
  lastSeq: 70_000,
  rows: 70_000,
} as const

describe('headers', () => {
  test('there and back, as text and as octets', () => {
    const wire = encodeHeaders(HEADERS)
    expect(decodeHeaders(wire)).toEqual(HEADERS)
    const octets = Object.fromEntries(
      Object.entries(wire).map(([name, value]) => [name, Buffer.from(value)]),
    )
    expect(decodeHeaders(octets)).toEqual(HEADERS)
  })

  test.each([
    ['table', 'route_log; DROP TABLE x', /header table/],
    ['table', 'a.b', /header table/],
    ['columns', 'addr,bits)', /header columns/],
    ['columns', '', /header columns/],
    ['columns', new Array(201).fill('a').join(), /header columns/],
    ['format', 'csv', /expected native or json/],
    ['rows', '-1', /header rows: "-1", expected a whole number/],
    ['last_seq', '9007199254740993', /header last_seq/],
    ['schema', '2', /schema 2, this program knows 1/],
    ['router', undefined, /no header router/],
    ['table', ['a', 'b'], /header table more than once/],
  ])('%s %j is no message', (name, value, message) => {
    const wire = { ...encodeHeaders(HEADERS), [name]: value }
    expect(() => decodeHeaders(wire)).toThrow(BadMessage)
    expect(() => decodeHeaders(wire)).toThrow(message)
  })
})
