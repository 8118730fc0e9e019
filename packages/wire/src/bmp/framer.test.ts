import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../errors.ts'
import { bmp, hex, rejection } from '../testing/bytes.ts'
import { BmpFramer } from './framer.ts'

function frame(chunks: Uint8Array[], maxMessageOctets?: number) {
  const messages: { at: number; octets: number[] }[] = []
  const framer = new BmpFramer(
    (bytes, start, end, at) => {
      expect(framer.view.byteLength).toBe(bytes.length)
      expect(framer.view.getUint8(start)).toBe(bytes[start])
      messages.push({ at, octets: [...bytes.subarray(start, end)] })
    },
    maxMessageOctets === undefined ? {} : { maxMessageOctets },
  )
  for (const chunk of chunks) framer.push(chunk)
  return { messages, framer }
}

describe('RFC 7854 section 4.1 framing', () => {
  test('any chunking gives the same messages at the same offsets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(3, 4), fc.uint8Array({ maxLength: 9000 })), {
          maxLength: 6,
        }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
        (bodies, cuts) => {
          const whole = bodies.map(([version, body]) => bmp(0, body, version))
          const stream = Uint8Array.from(whole.flatMap((message) => [...message]))
          const chunks: Uint8Array[] = []
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % cuts.length]!
            chunks.push(stream.slice(at, at + size))
            at += size
          }
          const { messages, framer } = frame(chunks)
          expect(messages.map((message) => message.octets)).toEqual(whole.map((m) => [...m]))
          let at = 0
          for (const [i, message] of whole.entries()) {
            expect(messages[i]!.at).toBe(at)
            at += message.length
          }
          expect(framer.pending).toBe(0)
          expect(framer.offset).toBe(stream.length)
        },
      ),
      { numRuns: 200 },
    )
  })

  test('octet by octet, with a chunk that is a window into a larger buffer', () => {
    const pool = Buffer.alloc(100)
    const message = bmp(5, hex('0001 0002 0000'))
    const chunks = [...message].map((octet, i) => {
      pool[i * 2] = octet
      return pool.subarray(i * 2, i * 2 + 1)
    })
    const { messages, framer } = frame([...chunks, hex('03 0000')])
    expect(messages).toEqual([{ at: 0, octets: [...message] }])
    expect(framer.pending).toBe(3)
  })

  test.each([
    ['version 2', '02 00000006 05', 'version 2, expected 3 or 4'],
    ['length below the header', '03 00000005 05', 'length 5, expected 6 to 1048576 octets'],
    ['length above the limit', '03 00100001 05', 'length 1048577, expected 6 to 1048576 octets'],
  ])('%s loses framing after the messages before it', (_, bad, detail) => {
    const good = bmp(5, new Uint8Array(0))
    for (const chunks of [
      [Uint8Array.from([...good, ...hex(bad)])],
      [...good, ...hex(bad)].map((octet) => Uint8Array.of(octet)),
    ]) {
      const delivered: number[] = []
      const framer = new BmpFramer((_bytes, start, end) => delivered.push(end - start))
      const error = rejection(() => {
        for (const chunk of chunks) framer.push(chunk)
      })
      expect(error).toBeInstanceOf(DecodeError)
      expect(error).toMatchObject({ code: 'FRAMING', offset: 6, detail, handling: 'session-reset' })
      expect(delivered).toEqual([6])
      expect(rejection(() => framer.push(good))).toBe(error)
      expect(framer.pending).toBe(0)
    }
  })

  test('the limit is the option, and a claimed length alone takes no memory', () => {
    const framer = new BmpFramer(() => undefined, { maxMessageOctets: 100 })
    expect(rejection(() => framer.push(hex('03 00000065')))).toMatchObject({ code: 'FRAMING' })
    const patient = new BmpFramer(() => undefined)
    patient.push(hex('03 00100000 00'))
    expect(patient.pending).toBe(6)
  })
})
