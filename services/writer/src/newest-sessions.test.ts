import { pino } from 'pino'
import { expect, test } from 'vitest'
import { NewestSessions } from './newest-sessions.ts'

test('rows of an older session are told of once, when they go on for longer than a flush', () => {
  const lines: string[] = []
  const sessions = new NewestSessions(pino({}, { write: (line: string) => void lines.push(line) }))
  sessions.saw('r', 100, 5, 0)
  sessions.saw('r', 200, 5, 1_000)
  sessions.saw('other', 100, 5, 1_000)
  sessions.saw('r', 100, 5, 30_000)
  sessions.saw('r', 200, 5, 90_000)
  sessions.saw('other', 100, 5, 90_000)
  expect([sessions.supersededRows, lines.length]).toEqual([0, 0])
  sessions.saw('r', 100, 5, 90_000)
  sessions.saw('r', 100, 7, 91_000)
  expect(sessions.supersededRows).toBe(12)
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 40, router: 'r', bmpSession: 100, newest: 200 },
  ])
  // A third is the newest now; the second has its minute.
  sessions.saw('r', 300, 5, 100_000)
  sessions.saw('r', 200, 5, 120_000)
  expect(lines).toHaveLength(1)
  sessions.saw('r', 200, 5, 170_000)
  expect(lines).toHaveLength(2)
})
