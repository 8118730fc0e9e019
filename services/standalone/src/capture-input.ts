/** BMP out of packet captures: a stream per direction of a TCP connection that speaks BMP. */
import { CaptureReader, DecodeError } from '@ribscope/wire'
import type { InputEvent } from './input.ts'

/** @param name of the capture, for messages */
export async function* captureEvents(
  name: string,
  octets: AsyncIterable<Uint8Array>,
): AsyncGenerator<InputEvent> {
  let events: InputEvent[] = []
  let found = 0
  const reader = new CaptureReader({
    onOpen: ({ id, source, sourcePort, openedUs }) => {
      found++
      events.push({
        kind: 'open',
        id,
        name: `${name}: ${source} port ${sourcePort}`,
        source,
        openedUs,
      })
    },
    onData: ({ id }, bytes, rxUs) => {
      // The reader uses its memory again.
      events.push({ kind: 'data', id, chunk: new Uint8Array(bytes), rxUs })
    },
    onEnd: ({ id }, end, us) => {
      const how = end === 'fin' || end === 'rst' ? end : 'stop'
      events.push({ kind: 'end', id, how, us, gap: end === 'gap' })
    },
  })
  try {
    for await (const chunk of octets) {
      reader.push(chunk)
      yield* events
      events = []
    }
    const left = reader.end()
    yield* events
    if (left > 0) yield problem(`${name}: ends inside a packet, ${left} octets left over`)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    reader.end()
    yield* events
    yield problem(`${name}: octet ${error.offset}: ${error.detail}`)
    return
  }
  const { broken } = reader.counts
  if (broken > 0) {
    yield { kind: 'note', text: `${name}: ${broken} packets left out whose headers don’t add up` }
  }
  if (found === 0) yield problem(`${name}: no BMP in this capture`)
}

function problem(text: string): InputEvent {
  return { kind: 'problem', text }
}
