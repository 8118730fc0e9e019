/**
 * Reads a YAML tree against a schema made of functions, keeping line numbers: a wrong value is a
 * problem, an unknown key a warning. Reading goes on after a problem, so that all are found.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import { didYouMean } from './nearest.ts'

export interface Warning {
  /** 1-based. */
  readonly line: number
  readonly message: string
}

/** The file is wrong: what and where in one line. `exitCode` is what a command line ends with. */
export class FabricError extends Error {
  override readonly name = 'FabricError'
  readonly exitCode = 2
  readonly file: string
  readonly problems: readonly Warning[]

  constructor(file: string, problems: readonly Warning[]) {
    const [first, ...more] = problems
    const place = first && first.line > 0 ? `${file}:${String(first.line)}` : file
    const rest = more.length > 0 ? ` (and ${String(more.length)} more)` : ''
    super(`${place}: ${first?.message ?? 'unreadable'}${rest}`)
    this.file = file
    this.problems = problems
  }
}

/** One value of the file with its place. */
export class Spot {
  readonly #file: FabricFile
  readonly #node: unknown
  readonly line: number
  /** As in `routers[2].asn`. */
  readonly path: string

  constructor(file: FabricFile, node: unknown, line: number, path: string) {
    this.#file = file
    this.#node = node
    this.line = line
    this.path = path
  }

  /** Notes the problem. @returns undefined, so that a reader can end with it */
  wrong(expected: string): undefined {
    const what = this.path === '' ? 'the file' : this.path
    this.#file.problem(this.line, `${what} is ${this.#show()}, expected ${expected}`)
    return undefined
  }

  problem(message: string): undefined {
    this.#file.problem(this.line, message)
    return undefined
  }

  warn(message: string): void {
    this.#file.warnings.push({ line: this.line, message })
  }

  /** The scalar as written (so that `1.10` stays `1.10`), or undefined for lists, maps, null. */
  get text(): string | undefined {
    const node = this.#node
    if (!isScalar(node) || node.value === null) return undefined
    return typeof node.value === 'string' ? node.value : (node.source ?? JSON.stringify(node.value))
  }

  /** The parsed scalar: string, number, boolean. */
  get scalar(): unknown {
    return isScalar(this.#node) ? this.#node.value : undefined
  }

  get isNull(): boolean {
    return this.#node === null || (isScalar(this.#node) && this.#node.value === null)
  }

  items(): Spot[] | undefined {
    if (!isSeq(this.#node)) return undefined
    return this.#node.items.map((item, i) =>
      this.#file.spot(item, `${this.path}[${String(i)}]`, this.line),
    )
  }

  /** Key -> value in file order; merge keys (`<<`) come in beneath the map's own. */
  entries(): Map<string, Spot> | undefined {
    if (!isMap(this.#node)) return undefined
    const own = new Map<string, Spot>()
    const merged = new Map<string, Spot>()
    for (const { key, value } of this.#node.items) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : undefined
      const keySpot = this.#file.spot(key, this.path, this.line)
      if (name === undefined) {
        keySpot.problem(`${this.path === '' ? 'the file' : this.path} has a key that is no word`)
        continue
      }
      if (name === '<<') {
        const source = this.#file.spot(value, this.path, keySpot.line)
        for (const each of source.items() ?? [source]) {
          for (const [k, spot] of each.entries() ?? []) if (!merged.has(k)) merged.set(k, spot)
        }
        continue
      }
      own.set(name, this.#file.spot(value, join(this.path, name), keySpot.line))
    }
    for (const [name, spot] of merged) if (!own.has(name)) own.set(name, spot)
    return own
  }

  #show(): string {
    const node = this.#node
    if (isMap(node)) return 'a map'
    if (isSeq(node)) return 'a list'
    const text = this.text
    return text === undefined
      ? 'empty'
      : JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
  }
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

/** A parsed file, with the problems and warnings found so far. */
export class FabricFile {
  readonly name: string
  readonly warnings: Warning[] = []
  readonly #problems: Warning[] = []
  readonly #lines = new LineCounter()
  readonly #document: Document

  constructor(name: string, text: string) {
    this.name = name
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
    for (const { message, pos } of this.#document.errors) {
      this.problem(this.#lines.linePos(pos[0]).line, message.split('\n')[0] ?? message)
    }
    // A tree with syntax errors has holes: what it seems to lack may only be unread.
    this.check()
    for (const { message, pos } of this.#document.warnings) {
      this.warnings.push({ line: this.#lines.linePos(pos[0]).line, message })
    }
  }

  get root(): Spot {
    return this.spot(this.#document.contents, '', 1)
  }

  problem(line: number, message: string): void {
    this.#problems.push({ line, message })
  }

  /** @throws FabricError when there were problems */
  check(): void {
    if (this.#problems.length > 0) {
      throw new FabricError(
        this.name,
        this.#problems.sort((a, b) => a.line - b.line),
      )
    }
  }

  spot(node: unknown, path: string, fallbackLine: number): Spot {
    const target = isAlias(node) ? node.resolve(this.#document) : node
    const range = (node as { range?: readonly number[] } | null)?.range
    const line = range?.[0] === undefined ? fallbackLine : this.#lines.linePos(range[0]).line
    return new Spot(this, target ?? null, line, path)
  }
}

export type Reader<T> = (spot: Spot) => T | undefined

/** A map with known keys. Null values count as absent; unknown keys are warned about. */
export class Section {
  readonly spot: Spot
  readonly #entries: Map<string, Spot>
  readonly #known: readonly string[]
  readonly #isMap: boolean

  constructor(spot: Spot, known: readonly string[]) {
    this.spot = spot
    this.#known = known
    const entries: Map<string, Spot> | undefined = spot.isNull ? new Map() : spot.entries()
    if (!entries)
      spot.wrong(`a map with ${known.slice(0, 6).join(', ')}${known.length > 6 ? ', ...' : ''}`)
    this.#isMap = entries !== undefined
    this.#entries = entries ?? new Map<string, Spot>()
    for (const [key, value] of this.#entries) {
      if (known.includes(key)) continue
      const where = spot.path === '' ? '' : ` in ${spot.path}`
      value.warn(`unknown key ${key}${where}${didYouMean(key, known)} (ignored)`)
    }
  }

  /** @returns undefined when the key is absent, empty or wrong */
  get<T>(key: string, read: Reader<T>): T | undefined {
    // A key that is read but not declared would be warned about as unknown.
    if (!this.#known.includes(key)) throw new Error(`${key} is not declared`)
    const spot = this.#entries.get(key)
    return spot === undefined || spot.isNull ? undefined : read(spot)
  }

  /** The same for a key that must be there. */
  need<T>(key: string, read: Reader<T>): T | undefined {
    const spot = this.#entries.get(key)
    if (spot !== undefined && !spot.isNull) return read(spot)
    if (!this.#isMap) return undefined
    return this.spot.problem(`${this.spot.path === '' ? 'the file' : this.spot.path} has no ${key}`)
  }

  at(key: string): Spot {
    return this.#entries.get(key) ?? this.spot
  }
}
