import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseFabric } from '@ribscope/fabric'
import { Authority } from '../../collector/src/testing/certificates.ts'
import { BMP, bmpOf, linksOf } from './bmp-config.ts'
import type { Context } from './command.ts'
import { readFlags } from './flags.ts'

const folder = mkdtempSync(join(tmpdir(), 'ribscope-bmp-'))
const authority = new Authority('ours')
const { cert, key } = authority.issue('collector')
const files = ['--bmp-tls-cert', cert, '--bmp-tls-key', key]
afterAll(() => {
  rmSync(folder, { recursive: true })
  authority.remove()
})

const links = async (args: readonly string[], yaml = '', env: NodeJS.ProcessEnv = {}) =>
  linksOf((await readFlags(BMP, args, env)) as Context, parseFabric(yaml).fabric)

describe('tls and passive routers', () => {
  test('nothing unless asked for', async () => {
    expect(await links([])).toEqual({})
  })

  test('by flags, by variables, by the file; a flag wins', async () => {
    const yaml = `bmp: { tls: { listen: '127.0.0.1:1', cert: ${cert}, key: ${key}, ca: ${authority.ca}, client_auth: optional }, dial: ['a:1'] }`
    const tls = { cert, key, ca: authority.ca, clientAuth: 'optional' }
    expect(await links([], yaml)).toEqual({
      tls: { ...tls, listen: { host: '127.0.0.1', port: 1 } },
      dial: [{ host: 'a', port: 1 }],
    })
    const env = { RIBSCOPE_BMP_TLS: '[::1]:2', RIBSCOPE_BMP_DIAL: 'b:2, tls://[::1]:3' }
    const dial = [
      { host: 'b', port: 2 },
      { host: '::1', port: 3, tls: true },
    ]
    expect(await links([], yaml, env)).toEqual({
      tls: { ...tls, listen: { host: '::1', port: 2 } },
      dial,
    })
    const args = ['--bmp-tls', ':4', ...files, '--bmp-dial', 'c:4', '--bmp-dial', 'd:5']
    expect(await links(args, '', env)).toMatchObject({
      tls: { listen: { host: '0.0.0.0', port: 4 }, cert, key },
      dial: [{ host: 'c' }, { host: 'd' }],
    })
  })

  test.each([
    [['--bmp-tls', ':1'], '--bmp-tls needs --bmp-tls-cert and --bmp-tls-key'],
    [['--bmp-tls-cert', cert], '--bmp-tls-cert and --bmp-tls-key go together'],
    [['--bmp-tls', 'x', ...files], '--bmp-tls "x": expected HOST:PORT'],
    [['--bmp-dial', 'tor1'], '--bmp-dial "tor1": expected HOST:PORT'],
    [['--bmp-tls', ':1', ...files, '--bmp-tls-ca', folder], `${folder}: illegal operation`],
    [
      ['--bmp-tls', ':1', ...files.slice(0, 2), '--bmp-tls-key', join(folder, 'no')],
      '/no: no such',
    ],
  ])('%j is refused', async (args, message) => {
    await expect(links(args)).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
      exitCode: 2,
    })
  })

  test('a file that is no certificate is refused', async () => {
    const junk = join(folder, 'junk.pem')
    writeFileSync(junk, 'junk')
    await expect(
      links(['--bmp-tls', ':1', '--bmp-tls-cert', junk, '--bmp-tls-key', key]),
    ).rejects.toThrow(`${junk}: no certificate in PEM`)
  })
})

test('limits of fabric.yaml, in the units of the collector', () => {
  const { fabric } = parseFabric(
    'bmp: { max_sessions: 7, idle_timeout_s: 1.5, keepalive_s: 5, buffer_mib: 32 }',
  )
  expect(bmpOf(fabric)).toEqual({
    ...{ maxSessions: 7, silenceTimeoutMs: 1500, keepAliveMs: 5000 },
    ...{ maxTotalOctets: 32 << 20, maxSessionOctets: 64 << 20, routerAddresses: new Map() },
  })
})
