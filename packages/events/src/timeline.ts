import { readRecording } from './recording.ts'
import type { Recording } from './recording.ts'

/**
 * All recordings as one fabric on one virtual clock made of their arrival times.
 * Ties: router, session, offset.
 */
export type TimelineEvent =
  | {
      readonly kind: 'open'
      readonly us: number
      readonly track: number
      readonly bmpSession: number
    }
  | {
      readonly kind: 'chunk'
      readonly us: number
      readonly track: number
      readonly offset: number
      readonly chunk: Uint8Array
    }
  | {
      readonly kind: 'end'
      readonly us: number
      readonly track: number
      readonly how: 'fin' | 'rst' | 'stop'
    }

/**
 * @param recordings `track` of an event is the index into these
 * @returns per recording one open, its chunks, one end; `bmpSession` is `opened=` in microseconds,
 *   moved on by one where a router has two sessions of one instant
 */
export async function* timeline(recordings: readonly Recording[]): AsyncGenerator<TimelineEvent> {
  const order = recordings
    .map((recording, track) => ({ recording, track }))
    .sort(
      (a, b) =>
        compare(a.recording.router, b.recording.router) ||
        a.recording.session - b.recording.session ||
        a.track - b.track,
    )
  const lastSession = new Map<string, number>()
  const heads: { rank: number; event: TimelineEvent; events: AsyncGenerator<TimelineEvent> }[] = []
  try {
    for (const [rank, { recording, track }] of order.entries()) {
      const last = lastSession.get(recording.router) ?? 0
      const bmpSession = Math.max(recording.openedUs, last + 1)
      lastSession.set(recording.router, bmpSession)
      const events = eventsOf(recording, track, bmpSession)
      const first = await events.next()
      if (first.done !== true) push({ rank, event: first.value, events })
    }
    for (let head = heads[0]; head !== undefined; head = heads[0]) {
      yield head.event
      const next = await head.events.next()
      if (next.done === true) pop()
      else {
        head.event = next.value
        sink(0)
      }
    }
  } finally {
    for (const head of heads) await head.events.return(undefined)
  }

  function before(a: number, b: number): boolean {
    const x = heads[a]
    const y = heads[b]
    if (x === undefined || y === undefined) return x !== undefined
    return x.event.us < y.event.us || (x.event.us === y.event.us && x.rank < y.rank)
  }

  function swap(a: number, b: number): void {
    const x = heads[a]
    const y = heads[b]
    if (x === undefined || y === undefined) return
    heads[a] = y
    heads[b] = x
  }

  function push(head: (typeof heads)[number]): void {
    heads.push(head)
    for (let i = heads.length - 1; i > 0;) {
      const parent = (i - 1) >> 1
      if (!before(i, parent)) break
      swap(i, parent)
      i = parent
    }
  }

  function pop(): void {
    const last = heads.pop()
    if (last === undefined || heads.length === 0) return
    heads[0] = last
    sink(0)
  }

  function sink(from: number): void {
    for (let i = from; ;) {
      const left = 2 * i + 1
      const right = left + 1
      let least = i
      if (left < heads.length && before(left, least)) least = left
      if (right < heads.length && before(right, least)) least = right
      if (least === i) return
      swap(i, least)
      i = least
    }
  }
}

async function* eventsOf(
  recording: Recording,
  track: number,
  bmpSession: number,
): AsyncGenerator<TimelineEvent> {
  yield { kind: 'open', us: recording.openedUs, track, bmpSession }
  let us = recording.openedUs
  for await (const { offset, chunk, rxUs } of readRecording(recording)) {
    us = rxUs
    yield { kind: 'chunk', us, track, offset, chunk }
  }
  yield { kind: 'end', us: Math.max(us, recording.endUs), track, how: recording.end }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
