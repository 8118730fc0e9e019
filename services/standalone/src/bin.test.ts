/** The program as people start it: the plain JavaScript in front, and the process around a command. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../../../bin/ribscope.js', import.meta.url))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ribscope-bin-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const run = (args: string[], options: { env?: Record<string, string>; input?: Uint8Array } = {}) =>
  spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...options.env },
    ...(options.input ? { input: options.input } : {}),
  })

/** An Initiation with sysName "r", RFC 7854 section 4.3. */
const INITIATION = Uint8Array.from([3, 0, 0, 0, 11, 4, 0, 2, 0, 1, 0x72])

describe('bin/ribscope.js', () => {
  test('runs from the root and from the workspace', () => {
    const { stdout, status } = run(['--version'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/^ribscope \d/)
  })

  test('without a build: one line that says what to do, exit 2', () => {
    const bin = join(folder, 'services/standalone/bin')
    mkdirSync(bin, { recursive: true })
    cpSync(fileURLToPath(new URL('../bin', import.meta.url)), bin, { recursive: true })
    const { stderr, status } = spawnSync(process.execPath, [join(bin, 'ribscope.js')], {
      encoding: 'utf8',
    })
    expect(stderr).toMatch(/^ribscope: not built yet: run `npm install` in [^\n]+\n$/)
    expect(status).toBe(2)
  })

  test('decode loads neither chDB nor a server nor a logger', () => {
    const coverage = join(folder, 'coverage')
    const { status, stdout } = run(['decode', '-'], {
      env: { NODE_V8_COVERAGE: coverage },
      input: INITIATION,
    })
    expect(status).toBe(0)
    expect(stdout).toContain('"r"')
    const loaded = readdirSync(coverage)
      .map((name) => readFileSync(join(coverage, name), 'utf8'))
      .join('')
    expect(loaded).toMatch(/\/dist\/(commands\/decode\.js|decode\.cjs)/)
    expect(loaded).not.toMatch(/node_modules\/(chdb|@chdb|pino|fastify|@clickhouse|yaml|ip-num)\//)
  })

  test('the bundle of decode is taken while no build is newer', () => {
    const root = join(folder, 'bundled')
    const own = join(root, 'services/standalone')
    const wire = join(root, 'packages/wire/dist')
    for (const each of [own, join(own, 'dist'), wire]) mkdirSync(each, { recursive: true })
    cpSync(fileURLToPath(new URL('../bin', import.meta.url)), join(own, 'bin'), { recursive: true })
    const write = (path: string, text: string, seconds: number) => {
      writeFileSync(path, text)
      utimesSync(path, seconds, seconds)
    }
    write(join(own, 'package.json'), '{"type":"module"}', 1000)
    write(join(own, 'dist/index.js'), 'export const main = () => console.log("as built")', 1000)
    write(join(own, 'dist/.tsbuildinfo'), '', 1000)
    write(join(wire, '.tsbuildinfo'), '', 1000)
    const said = (...args: string[]) =>
      spawnSync(process.execPath, [join(own, 'bin/ribscope.js'), ...args], {
        encoding: 'utf8',
      }).stdout
    expect(said('decode')).toBe('as built\n')

    const bundle = join(own, 'dist/decode.cjs')
    write(bundle, 'exports.main = () => console.log("bundle")', 2000)
    // What another V8 left behind is no byte code for this one.
    write(join(own, 'dist/decode.cache'), 'not byte code', 2000)
    expect(said('decode')).toBe('bundle\n')
    expect(said('vips')).toBe('as built\n')

    write(join(wire, '.tsbuildinfo'), '', 3000)
    expect(said('decode')).toBe('as built\n')
  })

  test('what the bundle leaves out is loaded, with and without byte code', () => {
    const root = join(folder, 'outside')
    const own = join(root, 'services/standalone')
    mkdirSync(join(own, 'dist'), { recursive: true })
    cpSync(fileURLToPath(new URL('../bin', import.meta.url)), join(own, 'bin'), { recursive: true })
    writeFileSync(join(own, 'package.json'), '{"type":"module"}')
    writeFileSync(join(own, 'dist/index.js'), 'export const main = () => console.log("as built")')
    writeFileSync(join(own, 'dist/other.js'), 'export const word = "outside"')
    writeFileSync(
      join(own, 'dist/decode.cjs'),
      'exports.main = async () => console.log((await import("./other.js")).word)',
    )
    const keep = `const b = require(${JSON.stringify(join(own, 'bin/bundle.js'))})
      require('node:fs').writeFileSync(b.CACHE, b.compile(undefined).script.createCachedData())`
    const said = () =>
      spawnSync(process.execPath, [join(own, 'bin/ribscope.js'), 'decode'], { encoding: 'utf8' })
        .stdout
    expect(said()).toBe('outside\n')
    expect(spawnSync(process.execPath, ['-e', keep]).status).toBe(0)
    expect(said()).toBe('outside\n')
  })

  test('a reader that goes away is no error', async () => {
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => INITIATION))
    const child = spawn(process.execPath, [BIN, 'decode', '-'], { stdio: 'pipe' })
    child.stdin.on('error', () => undefined)
    child.stdin.end(many)
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = (await once(child, 'close')) as [number | null]
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('an unreadable file is one line and exit 2', () => {
    const { status, stderr } = run(['decode', join(folder, 'none.bmp')])
    expect(stderr).toMatch(/^ribscope decode: [^\n]*none\.bmp: no such file[^\n]*\n$/)
    expect(status).toBe(2)
  })
})
