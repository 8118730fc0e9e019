import { expect, test } from 'vitest'
import type { BusLog } from '../log.ts'
import { BrokerClock } from './broker-clock.ts'

const said: string[] = []
const log: BusLog = {
  debug: () => undefined,
  info: (facts) => said.push(`info ${JSON.stringify(facts)}`),
  warn: () => undefined,
  error: (facts) => said.push(`error ${JSON.stringify(facts)}`),
}
const answer = (logAppendTime: number) => [
  { topicName: 't', partition: 0, errorCode: 0, logAppendTime: String(logAppendTime) },
]

test('told by the quickest answers, said when it is too much and when it is right again', () => {
  const clock = new BrokerClock(log)
  clock.answered(answer(-1), 0, 10)
  expect(clock.skewMs).toBeUndefined()
  clock.answered(answer(1000), 1000, 1010)
  expect(clock.skewMs).toBe(5)
  // Slow, and far too slow: what is known is better.
  clock.answered(answer(1100), 1100, 1900)
  clock.answered(answer(2000), 2000, 9000)
  expect(clock.skewMs).toBe(5)
  expect(said).toEqual([])
  clock.answered(answer(10_000), 13_000, 13_006)
  clock.answered(answer(11_000), 14_000, 14_006)
  expect(clock.skewMs).toBe(3003)
  expect(said).toEqual(['error {"seconds":3.003}'])
  // A slow answer could also mean that nothing is wrong.
  clock.answered(answer(100_000), 100_200, 101_100)
  expect(said).toHaveLength(2)
  clock.answered(answer(200_000), 200_000, 200_006)
  expect(clock.skewMs).toBe(3)
  expect(said).toEqual(['error {"seconds":3.003}', 'info {"seconds":0.65}'])
})
