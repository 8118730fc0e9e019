/** BMP out of OpenBMP messages, as payloads of a Kafka topic have them: routers take turns, a session each. */
import { DecodeError, isWholeBmp, OBMP_BMP_RAW, ObmpReader, type ObmpFrame } from '@ribscope/wire'
import type { InputEvent } from './input.ts'

/** Routers at a time; more is a hostile file. */
const MAX_ROUTERS = 16_384
/** Frames of a router kept until one of them says what time it is. */
const MAX_HELD_FRAMES = 64
const MAX_TOLD = 10
const YEAR_2000_US = 946_684_800_000_000

const TERMINATION = 5

interface Router {
  readonly id: number
  readonly name: string
  readonly source: string
  /** undefined until a frame, or a per-peer header in one, has said it. */
  clockUs: number | undefined
  held: { readonly chunk: Uint8Array; readonly about: OpenBmpFacts }[]
}

/** What the header says, beside the message of that router. */
export interface OpenBmpFacts {
  readonly collectorHash: string
  readonly adminId: string
  readonly routerHash: string
  readonly routerIp: string
  readonly routerGroup: string
  /** When the collector received it, RFC 3339; null where it isn't said. */
  readonly received: string | null
}

/** @param name of the input, for messages */
export async function* obmpEvents(
  name: string,
  octets: AsyncIterable<Uint8Array>,
): AsyncGenerator<InputEvent> {
  const routers = new Map<string, Router>()
  let events: InputEvent[] = []
  let nextId = 0
  let others = 0
  let broken = 0

  const data = (router: Router, chunk: Uint8Array, about: OpenBmpFacts): void => {
    events.push({ kind: 'data', id: router.id, chunk, rxUs: router.clockUs ?? YEAR_2000_US, about })
  }
  const open = (router: Router, us: number): void => {
    const { id, source, held } = router
    router.clockUs = us
    events.push({ kind: 'open', id, name: router.name, source, openedUs: us })
    for (const { chunk, about } of held) data(router, chunk, about)
    router.held = []
  }
  const end = (router: Router, how: 'fin' | 'stop'): void => {
    if (router.clockUs === undefined) open(router, YEAR_2000_US)
    const us = router.clockUs ?? YEAR_2000_US
    events.push({ kind: 'end', id: router.id, how, us, gap: false })
  }

  const onFrame = (frame: ObmpFrame, bytes: Uint8Array, offset: number): void => {
    const { messageAt, messageEnd, routerHash, routerIp } = frame
    if (frame.objectType !== OBMP_BMP_RAW) {
      others++
      return
    }
    if (!isWholeBmp(bytes, messageAt, messageEnd)) {
      // Where the next one begins is known all the same.
      if (++broken <= MAX_TOLD) {
        const where = `${name}: octet ${offset + frame.headerOctets}`
        events.push(problem(`${where}: no whole BMP message in the OpenBMP message`))
      }
      return
    }
    const key = `${routerHash} ${routerIp}`
    let router = routers.get(key)
    if (router === undefined) {
      if (routers.size === MAX_ROUTERS) {
        if (++broken <= MAX_TOLD) events.push(problem(`${name}: more than ${MAX_ROUTERS} routers`))
        return
      }
      const called = `${name}: router ${routerIp === '' ? routerHash : routerIp}`
      router = {
        id: nextId++,
        name: called,
        source: routerIp === '' ? '0.0.0.0' : routerIp,
        clockUs: undefined,
        held: [],
      }
      routers.set(key, router)
    }
    const us = frame.timeUs === 0 ? bmpTimeUs(bytes, messageAt, messageEnd) : frame.timeUs
    // Not slice(): of a Buffer that is a view, and the reader uses its memory again.
    const chunk = new Uint8Array(bytes.subarray(messageAt, messageEnd))
    const about = factsOf(frame)
    if (router.clockUs === undefined && us === 0 && router.held.length < MAX_HELD_FRAMES) {
      router.held.push({ chunk, about })
    } else {
      if (router.clockUs === undefined) open(router, us === 0 ? YEAR_2000_US : us)
      else router.clockUs = Math.max(router.clockUs, us)
      data(router, chunk, about)
    }
    if (chunk[5] === TERMINATION) {
      // What comes from this router after it is another BMP session.
      end(router, 'fin')
      routers.delete(key)
    }
  }

  const reader = new ObmpReader(onFrame)
  let failure = ''
  try {
    for await (const chunk of octets) {
      reader.push(chunk)
      yield* events
      events = []
    }
    const { pending, offset } = reader
    if (pending > 0) {
      failure = `ends inside the OpenBMP message at octet ${offset}, of which ${pending} octets are there`
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    failure = `framing lost at octet ${error.offset}: ${error.detail}`
  }
  for (const router of routers.values()) end(router, 'stop')
  yield* events
  if (broken > MAX_TOLD) yield problem(`${name}: ${broken - MAX_TOLD} more like these`)
  if (others > 0) yield note(`${name}: ${others} messages other than raw BMP passed over`)
  if (failure !== '') yield problem(`${name}: ${failure}`)
}

/** Of the per-peer header of the first message; 0 where it has none or doesn't say. */
function bmpTimeUs(bytes: Uint8Array, at: number, end: number): number {
  const type = bytes[at + 5]
  if (end - at < 48 || type === 4 || type === TERMINATION) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset + at + 40, 8)
  return view.getUint32(0) * 1e6 + view.getUint32(4)
}

/** What of the header is worth showing. */
export function factsOf(frame: ObmpFrame): OpenBmpFacts {
  const { collectorHash, adminId, routerHash, routerIp, routerGroup, timeUs } = frame
  const rest = String(timeUs % 1e6).padStart(6, '0')
  const received =
    timeUs === 0
      ? null
      : `${new Date(Math.floor(timeUs / 1e3)).toISOString().slice(0, 19)}.${rest}Z`
  return { collectorHash, adminId, routerHash, routerIp, routerGroup, received }
}

function problem(text: string): InputEvent {
  return { kind: 'problem', text }
}

function note(text: string): InputEvent {
  return { kind: 'note', text }
}
