/* eslint-disable no-template-curly-in-string -- Grafana's variables look like that. */
/** The expander against what the plugin's and Grafana's own tests say of the same inputs (pkg/macros/macros_test.go, formatRegistry.test.ts). */
import { describe, expect, test } from 'vitest'
import { expand, type Request } from './expand.ts'

const REQUEST: Request = {
  fromMs: Date.parse('2014-11-12T11:45:26.123Z'),
  toMs: Date.parse('2015-11-12T11:45:26.456Z'),
  intervalMs: 20_000,
  variables: [
    { name: 'one', value: "tor'1" },
    { name: 'many', value: ['foo()bar BAZ', 'test2'] },
    { name: 'all', value: ['$__all'], options: ['a', 'b'] },
  ],
}
const MS_FROM = 'fromUnixTimestamp64Milli(1415792726123)'
const MS_TO = 'fromUnixTimestamp64Milli(1447328726456)'

describe('macros of the plugin', () => {
  test.each([
    ['bar > $__fromTime', 'bar > toDateTime(1415792726)'],
    ['bar < $__toTime', 'bar < toDateTime(1447328726)'],
    ['$__fromTime_ms, $__toTime_ms', `${MS_FROM}, ${MS_TO}`],
    [
      'where $__timeFilter(cast(sth as timestamp) )',
      'where cast(sth as timestamp) >= toDateTime(1415792726) AND cast(sth as timestamp) <= toDateTime(1447328726)',
    ],
    ['where $__timeFilter_ms(t)', `where t >= ${MS_FROM} AND t <= ${MS_TO}`],
    ['( date >= $__fromTime ) x', '( date >= toDateTime(1415792726) ) x'],
    ['$__timeInterval(col)', 'toStartOfInterval(toDateTime(col), INTERVAL 20 second)'],
    [
      '$__timeInterval_ms(col)',
      'toStartOfInterval(toDateTime64(col, 3), INTERVAL 20000 millisecond)',
    ],
    ['INTERVAL $__interval_s second', 'INTERVAL 20 second'],
    ['v(from = $__fromTime, step = $__interval_s)', 'v(from = toDateTime(1415792726), step = 20)'],
  ])('%s', (sql, want) => {
    expect(expand(sql, REQUEST)).toBe(want)
  })

  test.each(['$__timeFilter()', '$__timeFilter(a, b)', '$__nothing'])('%s is an error', (sql) => {
    expect(() => expand(sql, REQUEST)).toThrow()
  })
})

describe('variables', () => {
  test.each([
    ['${one:percentencode}', 'tor%271'],
    ['${many:percentencode}', '%7Bfoo%28%29bar%20BAZ%2Ctest2%7D'],
    ['${all:percentencode}', '%7Ba%2Cb%7D'],
    ['${one:sqlstring}', "'tor''1'"],
    ['${many:singlequote}', "'foo()bar BAZ','test2'"],
    ['$unknown ${unknown:csv}', '$unknown ${unknown:csv}'],
  ])('%s', (sql, want) => {
    expect(expand(sql, REQUEST)).toBe(want)
  })

  test('one that is not quoted is refused', () => {
    expect(() => expand("name = '$one'", REQUEST)).toThrow(/format/)
  })
})

describe('$__conditionalAll', () => {
  test.each([
    ['$__conditionalAll(f(a, b) = 1, $all) AND x', '1=1 AND x'],
    ['$__conditionalAll(f(a, b) = 1, $one) AND x', 'f(a, b) = 1 AND x'],
    ["$__conditionalAll(f('${one:percentencode}') = 1, $one)", "f('tor%271') = 1"],
    ['$__conditionalAll(a, $all) OR $__conditionalAll(b, $one)', '1=1 OR b'],
  ])('%s', (sql, want) => {
    expect(expand(sql, REQUEST)).toBe(want)
  })
})
