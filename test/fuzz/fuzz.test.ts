import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Features } from './features.ts'
import { crashKey, fuzz, type Crash } from './fuzzer.ts'
import { Random } from './random.ts'
import { readSeeds } from './seeds.ts'
import { TARGETS, type Target } from './targets.ts'
import { bgpTree, bmpTree, cutBgp, cutBmp, serialise } from './tree.ts'

const folder = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** RIBSCOPE_FUZZ_SECONDS makes it longer; the seed is printed by a failure. */
const SECONDS = Number(process.env['RIBSCOPE_FUZZ_SECONDS'] ?? 60)
const SEED = Number(process.env['RIBSCOPE_FUZZ_SEED'] ?? 20_261_122)

describe('inputs that once crashed', () => {
  const crashes = folder('test/fixtures/fuzz')
  const files = existsSync(crashes) ? readdirSync(crashes).filter((f) => f.endsWith('.bin')) : []

  test('are kept', () => {
    expect(files.length).toBeGreaterThan(0)
  })

  test.each(files)('%s', (file) => {
    const target = TARGETS.find(({ name }) => file.startsWith(`${name}-`))
    expect(target, `${file} begins with the name of a target`).toBeDefined()
    target?.run(new Uint8Array(readFileSync(`${crashes}/${file}`)), new Features())
  })
})

describe('the fuzzer itself', () => {
  const seeds = readSeeds(
    [folder('test/fixtures/lab/vm-move'), folder('test/fixtures/lab/steady')],
    () => undefined,
  )

  test('trees give back the octets they are made of', () => {
    let messages = 0
    for (const { kind, bytes } of seeds) {
      const [cut, tree] = kind === 'bmp' ? [cutBmp, bmpTree] : [cutBgp, bgpTree]
      if (kind !== 'bmp' && kind !== 'bgp') continue
      for (const message of cut(bytes)) {
        expect(serialise(tree(message))).toEqual(new Uint8Array(message))
        messages++
      }
    }
    expect(messages).toBeGreaterThan(500)
  })

  test('finds a decoder that reads one octet too far, and one that throws', async () => {
    const careless: Target = {
      name: 'careless',
      seeds: TARGETS[0]!.seeds,
      mutate: TARGETS[0]!.mutate,
      run(bytes, features) {
        // A length in the message is believed: the classic.
        const length = bytes.length > 50 ? (bytes[48 + 16]! << 8) | bytes[48 + 17]! : 0
        features.add(String(Math.log2(length + 1) | 0))
        if (48 + length > bytes.length + 4000) throw new RangeError(`offset ${length} out of range`)
      },
    }
    const crashes: Crash[] = []
    await fuzz({
      seconds: 10,
      seed: 1,
      targets: [careless],
      seeds,
      maxCrashes: 1,
      onCrash: (crash) => crashes.push(crash),
    })
    expect(crashes.map(({ key }) => key)).toEqual([expect.stringContaining('RangeError: offset N')])
  })

  test('the same seed mutates the same', () => {
    const message = cutBmp(seeds.find(({ kind }) => kind === 'bmp')!.bytes)[3]!
    const run = (): Uint8Array[] => {
      const random = new Random(7)
      return Array.from({ length: 50 }, () => TARGETS[0]!.mutate(message, [message], random))
    }
    expect(run()).toEqual(run())
  })
})

test(
  `${SECONDS} s of mutated streams: every decoder keeps its word`,
  async () => {
    const crashes: Crash[] = []
    // Beside the repository, and part of it only in the daemons' recordings.
    const folders = [folder('test/fixtures'), folder('../shared/vectors')]
    const seeds = readSeeds(folders, console.log).filter(({ bytes }) => bytes.length < 80_000)
    const report = await fuzz({
      seconds: SECONDS,
      seed: SEED,
      targets: TARGETS,
      seeds,
      onCrash: (crash) => crashes.push(crash),
    })
    console.log(
      `seed ${SEED}: ${report.executions} executions, ${report.perSecond}/s, corpus ${report.corpus}, ${report.features} features`,
    )
    const found = crashes.map(
      ({ target, bytes, error }) => `${target}: ${error}\n${Buffer.from(bytes).toString('hex')}`,
    )
    expect(found).toEqual([])
    expect(report.executions).toBeGreaterThan(100)
    expect(crashKey(new RangeError('at 12'))).toContain('RangeError: at N')
  },
  (SECONDS + 120) * 1000,
)
