import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecodeError } from '../errors.ts'
import { bmp, hex, rejection } from '../testing/bytes.ts'
import { encodeObmpHeader, stampObmpHeader } from './encode.ts'
import { decodeObmp, isWholeBmp, ObmpReader, type ObmpFrame } from './openbmp.ts'

/** From RouteViews' stream, as bgpkit-parser's test of its header decoder has it. */
const ROUTEVIEWS = hex(`
  4f424d50 01 07 0064 00000033      ; OBMP, 1.7, header of 100 octets, message of 51
  80 0c 6184b9c2 000c602c           ; about a router, BMP_RAW, 2021-11-05T04:57:38.811052Z
  bf4f072f3ae149d23486024bc3dadfc4  ; collector hash
  000a 69732d63632d626d7031         ; is-cc-bmp1
  c677060bdd020a9e92be000200de2e31  ; router hash
  80df3369 000000000000000000000000 ; 128.223.51.105
  000c 726f7574652d766965777335     ; route-views5
  00000001
  03 00000033 02 00 00 0000000000000000 000000000000000000000000 3fda060e
  00000da3 00000000 61523c36 000c0e1c 02 00 0a`)

const ROUTER_HASH = 'c677060bdd020a9e92be000200de2e31'

const INITIATION = bmp(4, hex('0002 0004 746f7231'))

const text = (header: string, message: Uint8Array): Uint8Array =>
  Uint8Array.from([...new TextEncoder().encode(header), ...message])
const TEXT = text(
  `V: 1.7\nC_HASH_ID: 5dfec2c2adb3fc6c1db5e8ba7a5b1fa4\nR_HASH: 0cafebabe0\nR_IP: 192.0.2.7\nL: ${INITIATION.length}\n\n`,
  INITIATION,
)

describe('binary header 1.7', () => {
  test('every field of a real one', () => {
    expect(decodeObmp(ROUTEVIEWS)).toEqual({
      form: 'binary',
      version: '1.7',
      collectorHash: 'bf4f072f3ae149d23486024bc3dadfc4',
      adminId: 'is-cc-bmp1',
      routerHash: 'c677060bdd020a9e92be000200de2e31',
      routerIp: '128.223.51.105',
      routerGroup: 'route-views5',
      objectType: 12,
      timeUs: 1636088258811052,
      headerOctets: 100,
      messageAt: 100,
      messageEnd: 151,
    })
  })
  test('written as it is read: that real one again; an IPv6 router; none', () => {
    const header = {
      collectorHash: hex('bf4f072f3ae149d23486024bc3dadfc4'),
      adminId: 'is-cc-bmp1',
      routerHash: hex('c677060bdd020a9e92be000200de2e31'),
      routerIp: hex('0000000000000000 0000ffff 80df3369'),
      routerGroup: 'route-views5',
    }
    const bytes = encodeObmpHeader(header)
    stampObmpHeader(bytes, 0, 51, 1636088258811052)
    expect(bytes).toEqual(ROUTEVIEWS.slice(0, 100))
    const routerIp = hex('20010db8000000000000000000000007')
    const six = encodeObmpHeader({ ...header, routerIp, routerGroup: '', adminId: 'é' })
    expect(decodeObmp(six)).toMatchObject({
      routerIp: '2001:db8::7',
      routerGroup: '',
      adminId: 'é',
      headerOctets: 80,
    })
    const none = encodeObmpHeader({ ...header, routerIp: undefined })
    expect(decodeObmp(none)).toMatchObject({ routerIp: '', routerHash: ROUTER_HASH })
  })
  test('an IPv6 router; hashes and addresses of zeros are unknown', () => {
    const bytes = ROUTEVIEWS.slice()
    bytes[12] = 0xc0
    bytes.set(hex('20010db8000000000000000000000007'), 66)
    expect(decodeObmp(bytes).routerIp).toBe('2001:db8::7')
    bytes.fill(0, 22, 38)
    bytes.fill(0, 50, 82)
    expect(decodeObmp(bytes)).toMatchObject({ collectorHash: '', routerHash: '', routerIp: '' })
  })
  test('what a later minor version adds to the header is passed over', () => {
    const bytes = Uint8Array.from([...ROUTEVIEWS.slice(0, 100), 9, 9, 9, ...ROUTEVIEWS.slice(100)])
    bytes[5] = 8
    bytes[7] = 103
    expect(decodeObmp(bytes)).toMatchObject({ version: '1.8', messageAt: 103, messageEnd: 154 })
  })
  test.each([
    [4, 2, 'version 2.7, expected 1.7'],
    [7, 77, 'header of 77 octets, expected 78 or more'],
    [8, 1, 'message of 16777267 octets, expected at most 1048576'],
    [38, 1, 'admin id of 266 octets in a header of 100'],
    [82, 1, 'router group of 268 octets in a header of 100'],
  ])('octet %i as %i: %s', (at, value, detail) => {
    const bytes = ROUTEVIEWS.slice()
    bytes[at] = value
    expect(rejection(() => decodeObmp(bytes))).toMatchObject({ code: 'FRAMING', detail })
  })
  test('cut anywhere: TRUNCATED', () => {
    for (let end = 0; end < ROUTEVIEWS.length; end++) {
      expect(rejection(() => decodeObmp(ROUTEVIEWS, 0, end))).toMatchObject({ code: 'TRUNCATED' })
    }
  })
})

describe('text header', () => {
  test('1.7', () => {
    expect(decodeObmp(TEXT)).toMatchObject({
      form: 'text',
      version: '1.7',
      collectorHash: '5dfec2c2adb3fc6c1db5e8ba7a5b1fa4',
      routerHash: '0cafebabe0',
      routerIp: '192.0.2.7',
      timeUs: 0,
      messageEnd: TEXT.length,
    })
  })
  test('1.1 as the documents have it', () => {
    const old = text('V: 1.1\nC_HASH_ID: c\nR_HASH_ID: r\nL: 2\n\n', hex('0304'))
    expect(decodeObmp(old)).toMatchObject({ version: '1.1', routerHash: 'r', routerIp: '' })
  })
  test.each([
    ['V: 1.7\nT: unicast_prefix\nL: 2\nR: 1\n\n', 'a parsed message (T: unicast_prefix)'],
    ['V: 1.7\n\n', 'L: "", expected the octets of the message'],
    ['V: 1.7\nL: -1\n\n', 'L: "-1"'],
    ['V: 1.7\nL: 99999999\n\n', 'message of 99999999 octets'],
    ['V: 1.7\nnonsense\n\n', 'header line "nonsense" without a colon'],
    [`V: ${'7'.repeat(5000)}`, 'no end of the header within 4096 octets'],
  ])('%j', (header, detail) => {
    const error = rejection(() => decodeObmp(text(header, hex('0000'))))
    expect(error).toMatchObject({ code: 'FRAMING', detail: expect.stringContaining(detail) })
  })
  test('cut anywhere: TRUNCATED', () => {
    for (let end = 0; end < TEXT.length; end++) {
      expect(rejection(() => decodeObmp(TEXT, 0, end))).toMatchObject({ code: 'TRUNCATED' })
    }
  })
})

describe('one after the other', () => {
  const STREAM = Uint8Array.from([...ROUTEVIEWS, ...TEXT, 10, ...ROUTEVIEWS, 10, ...TEXT])

  test('any chunking, both forms, newlines between', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), (size) => {
        const found: (readonly [string, number, number])[] = []
        const reader = new ObmpReader((frame, bytes, offset) => {
          found.push([frame.form, offset, frame.messageEnd - frame.messageAt])
          expect(isWholeBmp(bytes, frame.messageAt, frame.messageEnd)).toBe(true)
        })
        for (let at = 0; at < STREAM.length; at += size) {
          reader.push(STREAM.subarray(at, at + size))
        }
        const second = ROUTEVIEWS.length
        const third = second + TEXT.length + 1
        const fourth = third + ROUTEVIEWS.length + 1
        expect(found).toEqual([
          ['binary', 0, 51],
          ['text', second, INITIATION.length],
          ['binary', third, 51],
          ['text', fourth, INITIATION.length],
        ])
        expect(reader).toMatchObject({ pending: 0, offset: STREAM.length })
      }),
    )
  })
  test('lost framing names the place, and stays lost', () => {
    const frames: ObmpFrame[] = []
    const reader = new ObmpReader((frame) => frames.push(frame))
    const bad = Uint8Array.from([...ROUTEVIEWS, ...hex('03000000')])
    const lost = { code: 'FRAMING', offset: ROUTEVIEWS.length }
    expect(rejection(() => reader.push(bad))).toMatchObject(lost)
    expect(rejection(() => reader.push(ROUTEVIEWS))).toMatchObject(lost)
    expect(frames).toHaveLength(1)
  })
  test('an end inside a frame', () => {
    const reader = new ObmpReader(() => undefined)
    reader.push(STREAM.subarray(0, ROUTEVIEWS.length + 30))
    expect(reader).toMatchObject({ pending: 30, offset: ROUTEVIEWS.length })
  })
  test('any bytes are framed or rejected with a DecodeError', () => {
    const start = fc.constantFrom(ROUTEVIEWS, TEXT)
    const edits = fc.array(fc.tuple(fc.nat(160), fc.nat(255)), { maxLength: 5 })
    fc.assert(
      fc.property(start, edits, fc.uint8Array({ maxLength: 40 }), (good, changes, noise) => {
        const bytes = Uint8Array.from([...good, ...noise])
        for (const [at, octet] of changes) if (at < bytes.length) bytes[at] = octet
        try {
          new ObmpReader(() => undefined).push(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test('whole BMP messages', () => {
  const two = Uint8Array.from([...INITIATION, ...INITIATION])
  expect(isWholeBmp(two, 0, two.length)).toBe(true)
  expect(isWholeBmp(two, 0, two.length - 1)).toBe(false)
  expect(isWholeBmp(two, 1, two.length)).toBe(false)
  expect(isWholeBmp(two, 5, 5)).toBe(false)
})
