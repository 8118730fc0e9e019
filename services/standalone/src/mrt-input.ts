/** MRT files: as lines of their own, or as the BMP that they amount to. */
import { DecodeError, MrtDecoder, MrtReader, MrtToBmp, mrtTypeName } from '@ribscope/wire'
import type { InputEvent } from './input.ts'

const MAX_TOLD = 10

/**
 * @param name of the input, for messages
 * @param asBmp sessions of BMP octets; else an event per record
 */
export async function* mrtEvents(
  name: string,
  octets: AsyncIterable<Uint8Array>,
  asBmp: boolean,
): AsyncGenerator<InputEvent> {
  let events: InputEvent[] = []
  let id = -1
  let us = 0
  let errors = 0
  const others = new Map<string, number>()
  const endSession = (): void => {
    if (id >= 0) events.push({ kind: 'end', id, how: 'stop', us, gap: false })
  }
  const bmp = new MrtToBmp({
    onOpen: ({ address, openedUs }) => {
      endSession()
      id++
      us = openedUs
      events.push({ kind: 'open', id, name, source: address, openedUs })
    },
    onData: (bytes, timeUs) => {
      us = timeUs
      // The adapter uses its memory again.
      events.push({ kind: 'data', id, chunk: new Uint8Array(bytes), rxUs: timeUs })
    },
    onError: (error) => {
      // Not a row: no BMP message is wrong. Records around it count.
      if (++errors <= MAX_TOLD) events.push(note(`${name}: ${error.message}`))
    },
    onOther: ({ type, subtype }) => {
      const what = `${mrtTypeName(type)} subtype ${subtype}`
      if (others.size < MAX_TOLD || others.has(what)) others.set(what, (others.get(what) ?? 0) + 1)
    },
  })
  const decoder = new MrtDecoder()
  const reader = new MrtReader((header, bytes, offset) => {
    if (asBmp) bmp.record(header, bytes, offset)
    else events.push({ kind: 'line', value: decoder.decode(header, bytes) })
  })
  let failure = ''
  try {
    for await (const chunk of octets) {
      reader.push(chunk)
      bmp.flush()
      yield* events
      events = []
    }
    const { pending, offset } = reader
    if (pending > 0) {
      failure = `ends inside the record at octet ${offset}, of which ${pending} octets are there`
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    failure = `framing lost at octet ${error.offset}: ${error.detail}`
  }
  bmp.flush()
  endSession()
  events.push({ kind: 'total', messages: reader.count, octets: reader.offset, errors })
  yield* events
  if (errors > MAX_TOLD) yield note(`${name}: ${errors - MAX_TOLD} more records like these`)
  for (const [what, count] of others) yield note(`${name}: ${count} records ${what} passed over`)
  if (failure !== '') yield { kind: 'problem', text: `${name}: ${failure}` }
}

function note(text: string): InputEvent {
  return { kind: 'note', text }
}
