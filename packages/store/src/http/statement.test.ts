import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { insertHead, outputOf } from './statement.ts'

describe('the head of an insert', () => {
  test.each([
    ['INSERT INTO t FORMAT Native\n\n\nx', 'INSERT INTO t', 'Native', '\n\nx'],
    ['insert into t format TSV 1', 'insert into t', 'TSV', '1'],
    ['INSERT INTO t (a, b) FORMAT CSV', 'INSERT INTO t (a, b)', 'CSV', ''],
    [
      'INSERT INTO t(`FORMAT`, "x y") VALUES (1)',
      'INSERT INTO t(`FORMAT`, "x y")',
      'Values',
      ' (1)',
    ],
    ['INSERT INTO t (* EXCEPT(a)) FORMAT CSV\n1', 'INSERT INTO t (* EXCEPT(a))', 'CSV', '1'],
    ['-- SELECT\nINSERT /* FORMAT a */ INTO t FORMAT JSON\r\n{}', 'INSERT INTO t', 'JSON', '{}'],
    ['INSERT INTO FUNCTION null() FORMAT TSV 1', 'INSERT INTO FUNCTION null()', 'TSV', '1'],
    ['INSERT INTO t', 'INSERT INTO t', undefined, ''],
  ])('%j', (text, into, format, data) => {
    const head = insertHead(text)
    expect(head).toMatchObject({ into, format })
    expect(text.slice(head?.dataAt)).toBe(data)
  })

  test('its settings', () => {
    expect(
      insertHead("INSERT INTO t (a) SETTINGS a = 1, b = 'FORMAT x' FORMAT CSV 1"),
    ).toMatchObject({
      into: 'INSERT INTO t (a)',
      settings: "SETTINGS a = 1, b = 'FORMAT x'",
    })
  })

  test.each([
    '',
    '  \n',
    'SELECT 1 FORMAT CSV',
    'INSERT INTO t SELECT 1',
    'INSERT INTO t (a) WITH 1 AS x SELECT x',
    "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
    "INSERT INTO t ('open",
    'INSERT INTO t; SELECT 1',
    'CREATE TABLE t (a UInt8)',
    'WITH 1 AS x INSERT INTO t SELECT x',
  ])('none: %j', (text) => {
    expect(insertHead(text)).toBeUndefined()
  })

  test('whatever the text is, an answer', () => {
    fc.assert(fc.property(fc.string(), (text) => void insertHead(`INSERT ${text}`)))
  })
})

describe('clauses at the end of a query', () => {
  test.each([
    ['SELECT 1', 'SELECT 1', undefined, {}],
    ['SELECT 1;', 'SELECT 1;', undefined, {}],
    ['SELECT 1 FORMAT CSV', 'SELECT 1', 'CSV', {}],
    ['SELECT 1 FORMAT CSV ; \n-- end', 'SELECT 1', 'CSV', {}],
    [
      "SELECT 1 FORMAT CSV SETTINGS a = 1, b='x', c = true",
      'SELECT 1',
      'CSV',
      { a: '1', b: 'x', c: 'true' },
    ],
    ['SELECT 1 SETTINGS a=1 FORMAT CSV', 'SELECT 1', 'CSV', { a: '1' }],
    ['SELECT a FROM x settings a=10', 'SELECT a FROM x', undefined, { a: '10' }],
    // Not plain, or not at the end: it stays, and whoever reads the text sees it.
    ["SELECT 1 SETTINGS a={'t':'x'}", "SELECT 1 SETTINGS a={'t':'x'}", undefined, {}],
    ["SELECT 1 SETTINGS a='it''s'", "SELECT 1 SETTINGS a='it''s'", undefined, {}],
    ['SELECT (SELECT 1 SETTINGS a=1)', 'SELECT (SELECT 1 SETTINGS a=1)', undefined, {}],
    ["SELECT ' FORMAT CSV'", "SELECT ' FORMAT CSV'", undefined, {}],
    ['SELECT 1 -- FORMAT CSV', 'SELECT 1 -- FORMAT CSV', undefined, {}],
    ['SELECT format FROM t', 'SELECT format FROM t', undefined, {}],
    ["SELECT 'open FORMAT CSV", "SELECT 'open FORMAT CSV", undefined, {}],
  ])('%j', (sql, text, format, settings) => {
    const output = outputOf(sql)
    expect({ ...output, settings: Object.fromEntries(output.settings) }).toEqual({
      text,
      format,
      settings,
    })
  })
})
