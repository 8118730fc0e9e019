import { expect, test } from 'vitest'
import { CountSink } from './count-sink.ts'
import { JsonSink } from './json-sink.ts'
import { NativeSink } from './native-sink.ts'
import { rehearse } from './rehearsal.ts'

test('the rehearsal is flawless, and has every kind of the usual families, whatever the sink', () => {
  const lines: string[] = []
  const json = new JsonSink({ write: (octets) => lines.push(Buffer.from(octets).toString()) })
  for (const out of [new CountSink(), new NativeSink(), json]) {
    const { errors, peerUps, endOfRib, announced, withdrawn } = rehearse(out)
    expect(errors).toBe(0)
    expect(Math.min(peerUps, endOfRib, announced, withdrawn)).toBeGreaterThan(5)
  }
  json.flush()
  const rows = lines.join('').trim().split('\n')
  const kinds = new Set<string>()
  for (const row of rows) {
    const { afi, safi, action, evpn_type } = JSON.parse(row) as Record<string, string | number>
    kinds.add(`${afi}/${safi} ${evpn_type} ${action}`)
  }
  const wanted = ['1/1 0', '2/1 0', ...[1, 2, 3, 4, 5].map((type) => `25/70 ${type}`)]
  expect([...kinds].sort()).toEqual(
    wanted.flatMap((kind) => [`${kind} announce`, `${kind} withdraw`]).sort(),
  )
})
