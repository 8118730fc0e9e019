/**
 * `@ribscope/wire` as others get it: what is in the tarball, that it installs without anything else,
 * runs on every Node there is, has types that work however a project resolves modules, and is of use in a
 * browser.
 *
 *   npm run check:wire-package
 *   RIBSCOPE_NODES=/a/node:/b/node  further Nodes to run it with
 *   RIBSCOPE_CHROMIUM=/a/chromium   the browser; by default what is on PATH
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PACKAGE = join(ROOT, 'packages/wire')
const EXAMPLES = ['parse-pcap', 'follow-socket', 'decode-update'] as const
const STREAM = readFileSync(join(ROOT, 'test/fixtures/lab/bmp-configured/tor1.bmp'))

/** Octets that the tarball may have. Larger is a decision, not an accident. */
const MAX_PACKED_OCTETS = 200_000

const folder = mkdtempSync(join(tmpdir(), 'ribscope-wire-'))
const project = join(folder, 'project')
const installed = join(project, 'node_modules/@ribscope/wire')

interface Packed {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string }[]
}
let packed: Packed

function npm(cwd: string, ...args: readonly string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

beforeAll(() => {
  const list = npm(PACKAGE, 'pack', '--json', '--pack-destination', folder)
  packed = (JSON.parse(list) as Packed[])[0]!
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{"name":"user","private":true,"type":"module"}')
  const tarball = join(folder, packed.filename)
  npm(project, 'install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball)
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

describe('npm pack', () => {
  test('code, types, examples, licence, README: no tests, no sources, nothing of the build', () => {
    const paths = packed.files.map(({ path }) => path)
    const extensions = new Set(paths.map((path) => path.replace(/^.*?(\.d\.ts|\.[^.]*)$/, '$1')))
    expect([...extensions].sort()).toEqual(['.d.ts', '.js', '.json', '.md', '.mjs', 'LICENSE'])
    expect(paths.filter((path) => /test|fixture|tsbuildinfo|\.map$/.test(path))).toEqual([])
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts'],
        ...EXAMPLES.map((name) => `examples/${name}.mjs`),
      ]),
    )
    for (const path of paths.filter((each) => each.endsWith('.js'))) {
      expect(paths).toContain(path.replace(/js$/, 'd.ts'))
    }
  })
  test('every file of dist has its source: nothing stale is published', () => {
    const stale = packed.files
      .map(({ path }) => /^dist\/(.*)\.js$/.exec(path)?.[1])
      .filter((path) => path !== undefined && !existsSync(join(PACKAGE, `src/${path}.ts`)))
    expect(stale).toEqual([])
  })
  test('size', () => {
    console.log(
      `@ribscope/wire: ${packed.size} octets packed, ${packed.unpackedSize} unpacked, ${packed.files.length} files`,
    )
    expect(packed.size).toBeLessThan(MAX_PACKED_OCTETS)
  })
  test('no dependency of any kind; what the manifest names is there', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<
      string,
      unknown
    >
    expect(Object.keys(manifest).filter((key) => /dependencies/i.test(key))).toEqual([])
    expect(manifest).toMatchObject({
      type: 'module',
      sideEffects: false,
      license: 'Apache-2.0',
      description: expect.any(String),
      keywords: expect.arrayContaining(['bmp', 'bgp', 'evpn']),
      engines: { node: '>=20.19' },
    })
    const { '.': entry } = manifest['exports'] as { '.': Record<string, string> }
    // TypeScript takes the first condition that fits.
    expect(Object.keys(entry)).toEqual(['types', 'default'])
    for (const path of Object.values(entry)) expect(existsSync(join(installed, path))).toBe(true)
    expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toBe(
      readFileSync(join(ROOT, 'LICENSE'), 'utf8'),
    )
  })
  test('imports nothing but its own files', () => {
    const foreign = packed.files
      .filter(({ path }) => path.startsWith('dist/') && path.endsWith('.js'))
      .flatMap(({ path }) => {
        const text = readFileSync(join(installed, path), 'utf8')
        return ts
          .preProcessFile(text)
          .importedFiles.map(({ fileName }) => fileName)
          .filter((from) => !/^\.{1,2}\/.*\.js$/.test(from))
          .map((from) => `${path}: ${from}`)
      })
    expect(foreign).toEqual([])
  })
})

/** What a consumer writes; each line is a promise of the types. */
const TYPED = `
import { BmpFramer, CaptureReader, DecodeError, MrtDecoder, MrtReader, PeerCodec, PeerHeader, UpdateIndex,
  decodeBmpMessage, detectInput, parseBgpMessage, walkNlri } from '@ribscope/wire'
import type { Attribute, BgpMessage, BmpMessage, Capability, DecodeErrorReport, MrtRecord, NlriField,
  NlriSink, Route } from '@ribscope/wire'

const bytes = new Uint8Array(0)
export const message = decodeBmpMessage(bytes)

// Unions narrow by their discriminant, and a switch over one can be exhaustive.
export function peer(m: BmpMessage): string {
  switch (m.kind) {
    case 'route_monitoring':
      return m.update === null ? m.peer.address : m.update.announced.map((group) => group.family).join()
    case 'peer_up':
      return m.sentOpen?.bgpId ?? m.localAddress
    case 'peer_down':
    case 'statistics':
    case 'route_mirroring':
      return m.peer.bgpId
    case 'initiation':
      return m.sysName
    case 'termination':
      return m.text
    case 'unknown':
      return m.raw
  }
}
export function path(attribute: Attribute): readonly number[] {
  return attribute.kind === 'as_path' ? attribute.segments.flatMap((segment) => segment.asns) : []
}
export function addPath(capability: Capability): number {
  if (capability.kind !== 'add_path') return capability.code
  return capability.families[0]?.sendReceive ?? 0
}
export function mac(route: Route): string {
  return route.kind === 'evpn' && route.routeType === 2 && 'mac' in route ? route.mac : ''
}
export function text(m: BgpMessage): string {
  return m.type === 'notification' ? String(m.code) : m.type
}
export function record(r: MrtRecord): number {
  return r.kind === 'rib' ? r.entries.length : r.kind === 'bgp4mp_message' ? r.peerAsn : 0
}
export const { message: bgp, errors }: { message: BgpMessage | null; errors: DecodeErrorReport[] } =
  parseBgpMessage(bytes)

class Sink implements NlriSink {
  count = 0
  prefix(_bytes: Uint8Array, _at: number, bits: number, pathId: number): void {
    this.count += bits + pathId
  }
  evpn(_bytes: Uint8Array, routeType: number, start: number, end: number): void {
    this.count += routeType + end - start
  }
  opaque(): void {
    this.count++
  }
  family(): void {
    this.count++
  }
}
export function hot(framer: BmpFramer, codec: PeerCodec, header: PeerHeader): number {
  const index = new UpdateIndex()
  const sink = new Sink()
  index.read(bytes, framer.view, 0, 0, codec, header)
  for (const field of index.fields.slice(0, index.fieldCount) as NlriField[]) walkNlri(index, field, sink)
  return sink.count
}
export const reader = new CaptureReader({ onData: (stream, data) => [stream.source, data.length] })
export const mrt = new MrtReader((header, data) => new MrtDecoder().decode(header, data))
export const kind: string | undefined = detectInput(bytes)
export function failed(error: unknown): string {
  return error instanceof DecodeError ? error.spec : ''
}

// What must not compile.
// @ts-expect-error a message of any kind has no peer
message.peer
// @ts-expect-error results are read-only
message.version = 3
// @ts-expect-error there is no such kind
message.kind === 'peer_sideways'
`

// A compiler from cold, on a machine that is busy with other tests.
describe('types', { timeout: 180_000 }, () => {
  test.each([
    ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
    ['node16', { module: 'node16', moduleResolution: 'node16' }],
    ['bundler', { module: 'preserve', moduleResolution: 'bundler' }],
  ])('a strict project that resolves as %s, without skipLibCheck or Node’s types', (name, how) => {
    const source = join(project, 'typed.ts')
    writeFileSync(source, TYPED)
    const config = join(project, `tsconfig.${name}.json`)
    const compilerOptions = {
      ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
      ...{ target: 'es2022', lib: ['es2022', 'dom'], types: [], skipLibCheck: false },
      ...{ declaration: true, outDir: join(folder, name), ...how },
    }
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [source] }))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', config], {
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
    // Types that were inferred have names that can be written down.
    const emitted = readFileSync(join(folder, name, 'typed.d.ts'), 'utf8')
    expect(emitted).not.toContain('import("')
  })

  test('the index names what it exports: nothing gets out by accident', () => {
    expect(readFileSync(join(PACKAGE, 'src/index.ts'), 'utf8')).not.toMatch(/export (type )?\*/)
  })

  test('every type that an exported one is made of is exported too, and documented', () => {
    const entry = join(installed, 'dist/index.d.ts')
    const options = { module: ts.ModuleKind.NodeNext, types: [] }
    const program = ts.createProgram([entry], {
      ...options,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
    })
    const checker = program.getTypeChecker()
    const resolve = (symbol: ts.Symbol): ts.Symbol =>
      (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol)
    const exported = checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(entry)!)!)
      .map(resolve)
    const names = new Set(exported)
    const hidden = new Set<string>()
    const seen = new Set<ts.Node>()
    const silent: string[] = []
    for (const symbol of exported) {
      for (const declaration of symbol.declarations ?? []) {
        const visit = (node: ts.Node): void => {
          const name = ts.isTypeReferenceNode(node)
            ? node.typeName
            : ts.isExpressionWithTypeArguments(node)
              ? node.expression
              : undefined
          const used = name && checker.getSymbolAtLocation(name)
          const target = used && resolve(used)
          const from = target?.declarations?.[0]
          if (target && from && !names.has(target) && isOurs(from) && !seen.has(from)) {
            seen.add(from)
            // What its module keeps to itself is part of the type's own text: a base, a union's other name.
            if (isExported(from)) hidden.add(`${symbol.name} is made of ${target.name}`)
            else visit(from)
          }
          ts.forEachChild(node, visit)
        }
        visit(declaration)
      }
      const isCode = (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class)) !== 0
      if (isCode && symbol.getDocumentationComment(checker).length === 0) silent.push(symbol.name)
    }
    expect([...hidden].sort()).toEqual([])
    expect(silent.sort()).toEqual([])
  })
})

const isOurs = (node: ts.Node): boolean => node.getSourceFile().fileName.includes('@ribscope/wire')
const isExported = (node: ts.Declaration): boolean =>
  (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0

const NODES = [
  process.execPath,
  ...(process.env['RIBSCOPE_NODES'] ?? '').split(delimiter).filter((path) => path !== ''),
]

describe.each(NODES)('%s', (node) => {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const capture = join(folder, 'frag.pcap')
  const example = (name: string): string => join(installed, `examples/${name}.mjs`)

  test(`parse-pcap (${version})`, () => {
    const fixture = join(ROOT, 'test/fixtures/captures/frag.pcap.gz')
    writeFileSync(capture, gunzipSync(readFileSync(fixture)))
    const out = execFileSync(node, [example('parse-pcap'), capture], { encoding: 'utf8' })
    expect(out).toContain('BMP from 10.1.0.1 ended: fin, 23309 octets')
    expect(out).toContain('BMP from 10.1.0.1 ended: fin, 25242 octets')
    expect(out).toMatch(/^10\.1\.0\.1 ipv4-unicast 10\.10\.21\.66\/32 via /m)
  })

  test(`decode-update (${version})`, () => {
    const out = execFileSync(node, [example('decode-update')], { encoding: 'utf8' })
    expect(out).toContain("mac: '02:00:00:00:ac:01'")
    expect(out).toContain('AS path 64497')
  })

  test(`follow-socket (${version})`, async () => {
    const child = spawn(node, [example('follow-socket'), '0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    try {
      const [said] = (await once(createInterface({ input: child.stderr }), 'line')) as [string]
      const port = Number(/port (\d+)$/.exec(said)?.[1])
      const kinds: string[] = []
      const lines = createInterface({ input: child.stdout })
      const all = new Promise<void>((resolve) => {
        lines.on('line', (line) => {
          kinds.push((JSON.parse(line) as { kind: string }).kind)
          if (kinds.length === 175) resolve()
        })
      })
      const socket = connect(port, '127.0.0.1')
      socket.end(STREAM)
      await all
      expect(kinds[0]).toBe('initiation')
      expect(new Set(kinds)).toEqual(
        new Set(
          ['initiation', 'peer_up', 'route_monitoring', 'statistics'].filter((k) =>
            kinds.includes(k),
          ),
        ),
      )
      expect(kinds).toContain('route_monitoring')
    } finally {
      child.kill()
    }
  })
})

describe('README.md', () => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8')
  test.each(EXAMPLES)('%s is shown as it is', (name) => {
    const shown = new RegExp(`<!-- examples/${name}\\.mjs -->\\n\\n\`\`\`js\\n([^]*?)\`\`\``).exec(
      readme,
    )
    expect(shown?.[1]).toBe(readFileSync(join(PACKAGE, `examples/${name}.mjs`), 'utf8'))
  })
})

/** In a page: the stream decoded by the friendly face and walked by the hot one. */
const PAGE = `
import { BmpFramer, PeerHeader, UpdateIndex, BMP_HEADER_OCTETS, decodeBmpMessage, updatePduAt, walkNlri }
  from '@ribscope/wire'
const stream = Uint8Array.from(atob(globalThis.STREAM), (c) => c.charCodeAt(0))
const kinds = {}
let routes = 0
const sink = { prefix: () => routes++, evpn: () => routes++, opaque: () => routes++, family: () => routes++ }
const header = new PeerHeader()
const index = new UpdateIndex()
const framer = new BmpFramer((bytes, start, end) => {
  const message = decodeBmpMessage(bytes, start, end, {}, framer.view)
  kinds[message.kind] = (kinds[message.kind] ?? 0) + 1
  if (message.kind !== 'route_monitoring') return
  header.read(bytes, framer.view, start + BMP_HEADER_OCTETS, end)
  index.read(bytes, framer.view, updatePduAt(bytes, framer.view, start, end), end, undefined, header)
  for (let i = 0; i < index.fieldCount; i++) walkNlri(index, index.fields[i], sink)
})
framer.push(stream)
globalThis.RESULT = JSON.stringify({ kinds, routes, process: typeof process, Buffer: typeof Buffer })
`

describe('browser', { timeout: 120_000 }, () => {
  async function bundle(): Promise<string> {
    const { rolldown } = await import('rolldown')
    const input = join(project, 'page.js')
    writeFileSync(input, PAGE)
    const build = await rolldown({ input, platform: 'browser', logLevel: 'silent' })
    const { output } = await build.generate({ format: 'iife', minify: true })
    await build.close()
    expect(output).toHaveLength(1)
    return output[0].code
  }

  test('the bundle has nothing of Node, and only what is used', async () => {
    const whole = await bundle()
    console.log(
      `@ribscope/wire: ${whole.length} octets of minified JavaScript to decode all of BMP`,
    )
    expect(whole).not.toMatch(/\brequire\(|node:|\bBuffer\.from/)
    const { rolldown } = await import('rolldown')
    const input = join(project, 'small.js')
    writeFileSync(
      input,
      "import { formatIPv6 } from '@ribscope/wire'\nconsole.log(formatIPv6(new Uint8Array(16), 0))",
    )
    const build = await rolldown({ input, platform: 'browser', logLevel: 'silent' })
    const { output } = await build.generate({ minify: true })
    await build.close()
    // sideEffects: false keeps its word.
    expect(output[0].code.length).toBeLessThan(4096)
  })

  test('Chromium decodes what Node decodes', async (ctx) => {
    const named = process.env['RIBSCOPE_CHROMIUM']
    const found = (
      named === undefined ? ['/usr/bin/chromium', '/usr/bin/google-chrome'] : [named]
    ).find((path) => existsSync(path))
    if (found === undefined) return ctx.skip('no Chromium here (RIBSCOPE_CHROMIUM names one)')
    const code = await bundle()
    const page = join(folder, 'page.html')
    const stream = `globalThis.STREAM=${JSON.stringify(STREAM.toString('base64'))}`
    const show = 'document.getElementById("out").textContent=globalThis.RESULT'
    writeFileSync(
      page,
      `<!doctype html><pre id="out"></pre><script>${stream}</script><script>${code}</script><script>${show}</script>`,
    )
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking']
    const profile = `--user-data-dir=${join(folder, 'profile')}`
    const { stdout } = spawnSync(found, [...flags, profile, '--dump-dom', `file://${page}`], {
      encoding: 'utf8',
      timeout: 50_000,
    })
    const shown = /<pre id="out">([^<]*)<\/pre>/.exec(stdout)?.[1]
    const { kinds, routes, ...globals } = JSON.parse(shown ?? 'null') as {
      kinds: Record<string, number>
      routes: number
    }
    expect(globals).toEqual({ process: 'undefined', Buffer: 'undefined' })
    expect(Object.values(kinds).reduce((sum, n) => sum + n, 0)).toBe(175)
    expect(kinds['route_monitoring']).toBe(171)
    expect(routes).toBe(155)
  })
})
