import { describe, expect, test } from 'vitest'
import { UsageError } from './command.ts'
import { hostPort, number, oneOf } from './values.ts'

describe('HOST:PORT', () => {
  test.each([
    ['0.0.0.0:11019', '0.0.0.0', 11019],
    ['localhost:0', 'localhost', 0],
    ['[::1]:80', '::1', 80],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    [':8080', '127.0.0.1', 8080],
    ['8080', '127.0.0.1', 8080],
  ])('%s', (given, host, port) => {
    expect(hostPort('--http', given)).toEqual({ host, port })
  })

  test.each(['', 'host', 'host:', 'host:x', 'host:65536', '::1:80', '[::1]', '[x]:1', 'a b:-1'])(
    'refuses %j',
    (given) => {
      expect(() => hostPort('--http', given)).toThrow(UsageError)
    },
  )
})

describe('numbers and words', () => {
  test('a number outside its bounds names the flag and the bounds', () => {
    expect(number({ speed: '2.5' }, 'speed')).toBe(2.5)
    expect(number({}, 'speed')).toBeUndefined()
    expect(() => number({ n: '0' }, 'n', { min: 1, max: 9, integer: true })).toThrow(
      '--n "0": expected a whole number from 1 to 9',
    )
    expect(() => number({ n: '' }, 'n')).toThrow('--n "": expected a number')
  })

  test('a word outside its list names the list', () => {
    expect(oneOf({ format: 'json' }, 'format', ['json', 'text'])).toBe('json')
    expect(() => oneOf({ format: 'xml' }, 'format', ['json', 'text'])).toThrow(
      '--format "xml": expected json, text',
    )
  })
})
