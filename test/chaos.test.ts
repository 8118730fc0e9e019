/** `npm run chaos`, short: processes, brokers, store and networks fail at random, and every event is stored once. */
import { afterEach, describe, expect, test } from 'vitest'
import type { ChaosOptions } from './chaos/run.ts'
import { chaos } from './chaos/run.ts'
import { kafkaMissing } from './kafka/broker.ts'
import { SEED } from './setup/seed.ts'

const missing = kafkaMissing()
if (missing !== undefined) console.log(`tests with Kafka skip: ${missing}`)

let said: string[] = []
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.log(said.join('\n'))
  said = []
})

const run = (options: Partial<ChaosOptions>) =>
  chaos({
    ...{ rounds: 0, seed: SEED, routers: 8, peers: 4, routes: 10, paceMs: 40 },
    ...{ collectors: 2, writers: 2, brokers: 1, partitions: 4, plants: [] },
    say: (line) => said.push(line),
    ...options,
  })

describe.skipIf(missing !== undefined)('chaos', { timeout: 600_000 }, () => {
  test(`every event is stored once, whatever dies (RIBSCOPE_TEST_SEED=${SEED})`, async () => {
    console.log(`RIBSCOPE_TEST_SEED=${SEED}`)
    const result = await run({
      rounds: 2,
      first: [
        [
          { mishap: { what: 'kill', part: 'store', number: 0 }, atMs: 0, forMs: 1000 },
          { mishap: { what: 'kill', part: 'writer', number: 0 }, atMs: 500, forMs: 1000 },
        ],
        [
          { mishap: { what: 'kill', part: 'collector', number: 1 }, atMs: 0, forMs: 500 },
          { mishap: { what: 'kill', part: 'broker', number: 0 }, atMs: 300, forMs: 500 },
        ],
      ],
    })
    expect(result.differences).toEqual([])
    expect(result.whole).toBeGreaterThan(4)
    expect(result.cut).toBeGreaterThan(0)
    expect(result.links).toBeGreaterThan(100)
  })

  test('a writer that commits before it inserts, and one that repeats without token, are found', async () => {
    const { differences } = await run({
      plants: ['commit-before-insert', 'insert-without-token'],
      first: [
        // While both writers are at work: answers that are lost are of both.
        [{ mishap: { what: 'cut', link: 'writer-store', how: 'deaf' }, atMs: 0, forMs: 2000 }],
        [
          { mishap: { what: 'kill', part: 'store', number: 0 }, atMs: 0, forMs: 4000 },
          { mishap: { what: 'kill', part: 'writer', number: 0 }, atMs: 3500, forMs: 100 },
        ],
      ],
    })
    expect(differences).toContainEqual(
      expect.stringMatching(/are missing|are stored, the next|nothing of it is stored/),
    )
    expect(differences).toContainEqual(expect.stringMatching(/are there already/))
  })
})
