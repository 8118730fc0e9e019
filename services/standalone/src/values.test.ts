import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { UsageError, type Context } from './command.ts'
import { KAFKA, kafkaOf, TOPIC, topicOf } from './connect.ts'
import { flagsOf, readFlags } from './flags.ts'
import { hostPort, number, oneOf, seconds } from './values.ts'

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

test.each([
  ['90s', 90],
  ['1h30m', 5400],
  ['2d', 172_800],
  ['1w', 604_800],
  ['', undefined],
  ['1', undefined],
  ['1y', undefined],
  ['-1h', undefined],
])('a length of time: %j', (given, length) => {
  expect(seconds(given)).toBe(length)
})

describe('Kafka', () => {
  const flags = flagsOf('ribscope test', KAFKA, TOPIC)
  const context = async (...args: string[]) => (await readFlags(flags, args, {})) as Context
  const noPem = fileURLToPath(new URL('../package.json', import.meta.url))

  test('a time or a file of no use is refused with the flag that was given', async () => {
    const time = await context('--topic-retention', '999999999999w')
    expect(() => topicOf(time)).toThrow('--topic-retention "999999999999w": expected a time')
    expect(topicOf(await context('--topic-retention', '7d')).retentionMs).toBe(604_800_000)
    const file = await context('--kafka-tls', '--kafka-ca', noPem)
    expect(() => kafkaOf(file, 'test')).toThrow(`--kafka-ca ${noPem}: not PEM`)
  })

  test('TLS: by the system, or by files; files without it name the flag', async () => {
    const pem = '-----BEGIN CERTIFICATE-----'
    const file = join(mkdtempSync(join(tmpdir(), 'ribscope-values-')), 'x.pem')
    writeFileSync(file, pem)
    try {
      const own = ['--kafka-cert', file, '--kafka-key', file]
      const tls = async (...args: string[]) => kafkaOf(await context(...args), 'test').tls
      expect(await tls()).toBeUndefined()
      expect(await tls('--kafka-tls')).toBe(true)
      expect(await tls('--kafka-tls', '--kafka-ca', file)).toEqual({ ca: pem })
      expect(await tls('--kafka-tls', ...own)).toEqual({ cert: pem, key: pem })
      await expect(tls('--kafka-ca', file)).rejects.toThrow('--kafka-ca wants --kafka-tls')
      await expect(tls(...own)).rejects.toThrow('--kafka-cert wants --kafka-tls')
      await expect(tls('--kafka-tls', '--kafka-key', file)).rejects.toThrow('go together')
    } finally {
      rmSync(dirname(file), { recursive: true })
    }
  })
})
