import { mutateMessage } from '../fuzz/mutate.ts'
import { Random } from '../fuzz/random.ts'
import { readSeeds } from '../fuzz/seeds.ts'
import { cutBmp } from '../fuzz/tree.ts'
import { buildBgpkit, runBgpkit } from './bgpkit.ts'
import { Tally, type Told } from './model.ts'
import { readBmp, type Message } from './ours.ts'
import { BMP_PORT, runTshark, tsharkMissing } from './run-tshark.ts'
import { compareTold } from './told.ts'
import { tsharkTold } from './tshark.ts'

export interface DifferentialOptions {
  readonly root: string
  readonly folders: readonly string[]
  /** Mutated ones, beside as many as they are. */
  readonly messages: number
  readonly seed: number
}

/** TShark takes time and memory for each packet. */
const BATCH = 2000

export function differential(options: DifferentialOptions): {
  tally: Tally
  /** All that were compared; a difference's `message` is an index of it. */
  messages: readonly Uint8Array[]
  /** What was not asked, and why. */
  missing: string[]
} {
  const tally = new Tally()
  const random = new Random(options.seed)
  const originals = routeMonitoring(options.folders, options.messages, random)
  const mutated = Array.from({ length: options.messages }, () =>
    mutateMessage(random.pick(originals), 'bmp', originals, random),
  ).filter(isRouteMonitoring)
  const all = [...originals, ...mutated].map((bytes) => ({ bytes, ours: readBmp(bytes)[0] }))
  const known = all.filter(
    (one): one is { bytes: Uint8Array; ours: Message } => one.ours !== undefined,
  )
  const missing: string[] = []
  const name = (i: number): string => (i < originals.length ? 'original' : 'mutated')

  const built = buildBgpkit(options.root)
  if ('missing' in built) missing.push(`not compared with bgpkit-parser: ${built.missing}`)
  else {
    const told = runBgpkit(
      built.program,
      known.map(({ bytes }) => bytes),
    )
    for (const [i, { ours }] of known.entries()) {
      const place = { oracle: 'bgpkit', stream: name(i), message: i }
      const unicast = ours.routes.every(({ afi, safi }) => afi <= 2 && safi === 1)
      // Its elements don't say of which family they are.
      compareTold(tally, place, ours, unicast ? told[i] : { why: 'other families' })
    }
  }

  const tshark = tsharkMissing()
  if (tshark !== undefined) missing.push(`not compared with tshark: ${tshark}`)
  else {
    for (let from = 0; from < known.length; from += BATCH) {
      const batch = known.slice(from, from + BATCH)
      const decoded = runTshark(batch.map(({ bytes }) => ({ bytes, port: BMP_PORT })))
      for (const [i, { ours }] of batch.entries()) {
        const one: unknown = decoded[i]
        const told: Told | undefined = one === undefined ? undefined : tsharkTold(one)
        const place = { oracle: 'tshark', stream: name(from + i), message: from + i }
        compareTold(tally, place, ours, told)
      }
    }
  }
  return { tally, messages: known.map(({ bytes }) => bytes), missing }
}

function isRouteMonitoring(bytes: Uint8Array): boolean {
  return bytes.length > 48 + 19 && bytes[0] === 3 && bytes[5] === 0 && bytes.length < 60_000
}

/** At most `count`, of all files alike, none twice. */
function routeMonitoring(folders: readonly string[], count: number, random: Random): Uint8Array[] {
  const seen = new Set<string>()
  const messages: Uint8Array[] = []
  const files = readSeeds(folders, console.log).filter(({ kind }) => kind === 'bmp')
  const each = Math.max(4, Math.ceil((2 * count) / Math.max(1, files.length)))
  for (const { bytes } of files) {
    const own = cutBmp(bytes).filter(isRouteMonitoring)
    for (let i = 0; i < each && own.length > 0; i++) {
      const [message] = own.splice(random.below(own.length), 1)
      const key = Buffer.from(message!.subarray(48)).toString('latin1')
      if (seen.has(key)) continue
      seen.add(key)
      messages.push(message!)
    }
  }
  return messages
}
