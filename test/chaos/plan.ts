/** What goes wrong in which round: chosen by the seed alone. */
import type { Random } from '../../packages/simulator/src/model/random.ts'
import { CUTS, type Cut } from './proxy.ts'

export type Part = 'collector' | 'writer' | 'broker' | 'store'
export type Link = 'collector-broker' | 'writer-broker' | 'writer-store'

export type Mishap =
  | { readonly what: 'kill' | 'stop' | 'freeze'; readonly part: Part; readonly number: number }
  | { readonly what: 'cut'; readonly link: Link; readonly how: Cut }
  | { readonly what: 'writers'; readonly more: boolean }
  | { readonly what: 'move' }

export interface Planned {
  readonly mishap: Mishap
  /** milliseconds after the round began, and for how long */
  readonly atMs: number
  readonly forMs: number
}

export interface Size {
  readonly collectors: number
  readonly writers: number
  readonly brokers: number
}

const WEIGHTS: readonly (readonly [weight: number, of: (random: Random, size: Size) => Mishap])[] =
  [
    [2, (random, { collectors }) => process('kill', 'collector', random, collectors)],
    [2, (random, { collectors }) => process('stop', 'collector', random, collectors)],
    [1, (random, { collectors }) => process('freeze', 'collector', random, collectors)],
    [5, (random, { writers }) => process('kill', 'writer', random, writers)],
    [3, (random, { writers }) => process('stop', 'writer', random, writers)],
    [2, (random, { writers }) => process('freeze', 'writer', random, writers)],
    [2, (random, { brokers }) => process('kill', 'broker', random, brokers)],
    [1, (random, { brokers }) => process('stop', 'broker', random, brokers)],
    [1, (random, { brokers }) => process('freeze', 'broker', random, brokers)],
    [4, (random) => process('kill', 'store', random, 1)],
    [1, (random) => process('freeze', 'store', random, 1)],
    [2, (random) => cut('collector-broker', random)],
    [3, (random) => cut('writer-broker', random)],
    [3, (random) => cut('writer-store', random)],
    [3, (random) => ({ what: 'writers', more: random.next() < 0.5 })],
    [3, () => ({ what: 'move' })],
  ]

function process(
  what: 'kill' | 'stop' | 'freeze',
  part: Part,
  random: Random,
  count: number,
): Mishap {
  return { what, part, number: random.between(0, count - 1) }
}

const cut = (link: Link, random: Random): Mishap => ({
  ...{ what: 'cut', link },
  how: CUTS[random.between(0, CUTS.length - 1)]!,
})

/** Longer than the group's patience now and then: whoever comes back is no member any more. */
const PATIENCE_MS = 9_000

export function planRound(random: Random, size: Size): Planned[] {
  const round: Planned[] = []
  const taken = new Set<string>()
  for (let n = random.between(1, 3); n > 0; n--) {
    const mishap = choose(random, size)
    const atMs = random.between(0, 1500)
    const hangs = mishap.what === 'freeze' || (mishap.what === 'cut' && mishap.how === 'hang')
    const long = hangs && random.next() < 0.5
    const forMs = long ? PATIENCE_MS + random.between(0, 2000) : random.between(200, 3000)
    // Nothing fails twice at a time.
    if (taken.has(placeOf(mishap))) continue
    taken.add(placeOf(mishap))
    round.push({ mishap, atMs, forMs })
  }
  return round
}

function choose(random: Random, size: Size): Mishap {
  let left = random.between(
    1,
    WEIGHTS.reduce((sum, [weight]) => sum + weight, 0),
  )
  for (const [weight, of] of WEIGHTS) {
    left -= weight
    if (left <= 0) return of(random, size)
  }
  return { what: 'move' }
}

function placeOf(mishap: Mishap): string {
  if ('part' in mishap) return `${mishap.part} ${mishap.number}`
  return mishap.what === 'cut' ? mishap.link : mishap.what
}

export function describe({ mishap, atMs, forMs }: Planned): string {
  const seconds = `${(atMs / 1000).toFixed(1)}+${(forMs / 1000).toFixed(1)}`
  if ('part' in mishap) return `${mishap.what} ${mishap.part} ${mishap.number + 1} (${seconds})`
  switch (mishap.what) {
    case 'cut':
      return `cut ${mishap.link} ${mishap.how} (${seconds})`
    case 'writers':
      return mishap.more ? 'one more writer' : 'one writer less'
    case 'move':
      return 'all routers reconnect'
  }
}
