import { spawn } from 'node:child_process'
import { copyFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { pino } from 'pino'
import { announce, initiation, peerUp } from '../../../packages/events/src/testing/bytes.ts'
import type { HandPeer } from '../../../packages/events/src/testing/bytes.ts'
import type { BmpServerConfig, BmpTlsConfig } from './config.ts'
import { Authority } from './testing/certificates.ts'
import type { Pair } from './testing/certificates.ts'
import { Harness, closed, send, until } from './testing/harness.ts'
import { createTlsDoor } from './tls-door.ts'
import { readTlsFiles, TlsFileError } from './tls-files.ts'

const A: HandPeer = { address: '192.0.2.1', asn: 64501, id: '192.0.2.1' }
const LOOPBACK = { host: '127.0.0.1', port: 0 }

let ours: Authority
let others: Authority
let server: Pair
let router: Pair
let stranger: Pair
beforeAll(() => {
  ours = new Authority('ours')
  others = new Authority('others')
  server = ours.issue('collector')
  router = ours.issue('tor1')
  stranger = others.issue('stranger')
})
afterAll(() => {
  ours.remove()
  others.remove()
})

let harness: Harness | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await harness?.stop()
  harness = undefined
})

async function start(
  tls: Partial<BmpTlsConfig> = {},
  config: Partial<BmpServerConfig> = {},
): Promise<Harness> {
  harness = await Harness.start({
    tls: { listen: LOOPBACK, ...server, ca: ours.ca, ...tls },
    ...config,
  })
  return harness
}

/** A router that speaks TLS; it trusts the collector's authority. */
function dial(h: Harness, pair?: Pair, trusts = ours.ca): Socket & { failure?: string } {
  const socket: Socket & { failure?: string } = connect({
    ...{ host: '127.0.0.1', port: h.server.tlsAddress!.port, ca: readFileSync(trusts) },
    ...(pair && { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }),
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    socket.failure ??= error.code ?? error.message
  })
  socket.resume()
  sockets.push(socket)
  return socket
}

describe('bmp over tls', () => {
  test('both listeners at once: a router with a certificate, one without tls', async () => {
    const h = await start()
    send(dial(h, router), initiation('tor1'), peerUp(A), announce(A, '10.0.0.0/24'))
    send(await h.client('127.0.0.2'), initiation('tor2'), peerUp(A), announce(A, '10.0.1.0/24'))
    await until('both', () => h.rows('route_log', 'tor1') + h.rows('route_log', 'tor2') === 2)
    expect(
      h.server
        .sessions()
        .map(({ router: name, via }) => `${name} ${via}`)
        .sort(),
    ).toEqual(['tor1 tls', 'tor2 tcp'])
    expect(h.server.refused()).toEqual({})
  })

  test('backpressure and the end of a session are as without tls', async () => {
    const h = await start({}, { maxSessionOctets: 1000 })
    h.held = true
    const socket = dial(h, router)
    send(socket, initiation('tor1'), peerUp(A), announce(A, '10.0.0.0/24', '10.0.1.0/24'))
    await until('paused', () => h.server.sessions()[0]?.paused === true)
    h.let()
    send(socket, announce(A, '10.0.2.0/24'))
    await until('the rest', () => h.rows('route_log') === 3)
    socket.end()
    await until('ended', () => h.log('bmp session ended').length === 1)
    expect(h.log('bmp session ended')).toMatchObject([{ router: 'tor1', reason: 'fin' }])
  })

  test.each([
    ['no certificate', undefined, 'router shows no certificate'],
    ['a certificate of others', 'stranger', 'router shows a certificate that is not trusted'],
  ])('required: %s is refused', async (_, who, reason) => {
    const h = await start()
    const socket = dial(h, who === undefined ? undefined : stranger)
    send(socket, initiation('tor1'))
    await until('counted', () => h.server.refused()[reason] === 1)
    await closed(socket)
    expect(h.server.sessions()).toEqual([])
    expect(h.batches).toEqual([])
  })

  test('optional: none is as good as a trusted one, another is refused', async () => {
    const h = await start({ clientAuth: 'optional' })
    send(dial(h), initiation('tor1'))
    send(dial(h, router), initiation('tor2'))
    await until('both up', () => h.log('bmp session up').length === 2)
    send(dial(h, stranger), initiation('tor3'))
    const reason = 'router shows a certificate that is not trusted'
    await until('counted', () => h.server.refused()[reason] === 1)
    expect(h.log('bmp session up')).toHaveLength(2)
  })

  test('without an authority nobody is asked', async () => {
    harness = await Harness.start({ tls: { listen: LOOPBACK, ...server } })
    send(dial(harness, stranger), initiation('tor1'))
    await until('up', () => harness!.log('bmp session up').length === 1)
  })

  test('a router that does not trust us says so', async () => {
    const h = await start()
    // Node's client does not say why it closes; OpenSSL's does.
    const { port } = h.server.tlsAddress!
    const words = `s_client -connect 127.0.0.1:${port} -verify_return_error`.split(' ')
    const files = ['-CAfile', others.ca, '-cert', router.cert, '-key', router.key]
    const client = spawn('openssl', [...words, ...files], { stdio: 'ignore' })
    await until('counted', () => h.server.refused()['router does not trust our certificate'] === 1)
    await until('ended', () => client.exitCode !== null)
  })

  test('bmp on the tls port, tls on the bmp port: refused, counted', async () => {
    const h = await start()
    const plain = connectTcp(h.server.tlsAddress!.port, '127.0.0.1')
    plain.on('error', () => undefined).resume()
    sockets.push(plain)
    send(plain, initiation('tor1'), peerUp(A))
    await until('counted', () => h.server.refused()['no tls on the tls port'] === 1)
    await closed(plain)
    const secure = connect({ host: '127.0.0.1', port: h.server.address!.port })
    secure.on('error', () => undefined)
    sockets.push(secure)
    await closed(secure)
    await until('said', () => h.log('framing lost').length === 1)
    expect(h.log('framing lost')).toMatchObject([{ hint: 'this is tls, on the port without' }])
    expect(h.server.sessions()).toEqual([])
  })

  test('a handshake that does not end has a place in the lobby, and little time', async () => {
    const h = await start({}, { handshakeTimeoutMs: 50, maxUnidentified: 2 })
    const silent = await Promise.all(
      [1, 2, 3].map(async () => {
        const socket = connectTcp(h.server.tlsAddress!.port, '127.0.0.1')
        socket.on('error', () => undefined).resume()
        sockets.push(socket)
        return socket
      }),
    )
    await Promise.all(silent.map(closed))
    expect(h.server.refused()).toEqual({
      'said nothing while others waited': 1,
      'tls handshake not in time': 2,
    })
  })

  test('who is not allowed does not even shake hands', async () => {
    const h = await start({}, { allow: ['192.0.2.0/24'] })
    const socket = dial(h, router)
    await closed(socket)
    expect(h.server.refused()).toEqual({ 'source not in bmp.allow': 1 })
    expect(socket.failure).toBe('ECONNRESET')
  })
})

describe('files', () => {
  test('what is wrong with them is one line with the name of the file', () => {
    const junk = join(ours.folder, 'junk.pem')
    writeFileSync(junk, 'junk')
    const broken = join(ours.folder, 'broken.pem')
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    const absent = join(ours.folder, 'absent.pem')
    for (const [files, message] of [
      [{ ...server, cert: absent }, `${absent}: no such file or directory`],
      [{ ...server, key: junk }, `${junk}: no key in PEM`],
      [{ ...server, cert: broken }, `${broken}: `],
      [{ ...server, ca: ours.folder }, `${ours.folder}: illegal operation on a directory`],
      [{ ...server, key: router.key }, `${router.key}: the key is not that of the certificate`],
    ] as const) {
      expect(() => readTlsFiles(files)).toThrow(TlsFileError)
      expect(() => readTlsFiles(files)).toThrow(message)
    }
    expect(() => readTlsFiles({ ...server, ca: ours.ca })).not.toThrow()
  })

  test('new ones are taken when they come; bad ones are not', async () => {
    const files = { cert: join(ours.folder, 'live.pem'), key: join(ours.folder, 'live.key') }
    const put = (pair: Pair, seconds: number): void => {
      copyFileSync(pair.cert, files.cert)
      copyFileSync(pair.key, files.key)
      utimesSync(files.cert, seconds, seconds)
    }
    put(server, 1_700_000_000)
    const logged: string[] = []
    const log = pino({}, { write: (line: string) => void logged.push(line) })
    const { createServer } = await import('node:net')
    const door = createTlsDoor({ ...files, handshakeTimeoutMs: 1000 }, log)
    const listener = createServer((socket) => {
      door.handshake(socket, { secure: (secured) => secured.end(), failed: () => undefined })
    })
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done))
    const { port } = listener.address() as { port: number }
    const shown = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
          resolve(String(socket.getPeerCertificate().subject.CN))
          socket.destroy()
        })
        socket.once('error', reject)
      })
    expect(await shown()).toBe('collector')
    put(router, 1_700_000_001)
    door.look()
    expect(await shown()).toBe('tor1')
    writeFileSync(files.cert, 'junk')
    door.look()
    door.look()
    expect(await shown()).toBe('tor1')
    expect(logged.filter((line) => line.includes('of no use'))).toHaveLength(1)
    door.stop()
    await new Promise((done) => listener.close(done))
  })
})
