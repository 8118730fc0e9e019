/** A process under test: started, killed, stopped, frozen and started again on the same ports. Its log goes to a file. */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plant } from './plants.ts'

function top(folder = dirname(fileURLToPath(import.meta.url))): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : top(dirname(folder))
}

const PROGRAM = join(top(), 'bin/ribscope.js')
const LOADER = join(top(), 'test/chaos/loader.mjs')

export interface ServiceOptions {
  readonly name: string
  readonly args: readonly string[]
  readonly logFile: string
  readonly plants: readonly Plant[]
  /** It ended, and nobody had told it to. */
  readonly onDeath: (what: string) => void
}

export class Service {
  readonly name: string
  readonly #options: ServiceOptions
  #child: ChildProcess | undefined
  #ended: Promise<number | string> = Promise.resolve(0)
  #told = false
  frozen = false

  constructor(options: ServiceOptions) {
    this.#options = options
    this.name = options.name
  }

  get running(): boolean {
    return this.#child !== undefined
  }

  start(): void {
    if (this.#child !== undefined) return
    const { args, logFile, plants, onDeath } = this.#options
    const out = openSync(logFile, 'a')
    const loader = plants.length > 0 ? ['--import', LOADER] : []
    const child = spawn(process.execPath, [...loader, PROGRAM, ...args], {
      stdio: ['ignore', out, out],
      env: { ...process.env, RIBSCOPE_CHAOS_PLANTS: JSON.stringify(plants) },
    })
    closeSync(out)
    this.#child = child
    this.#told = false
    this.#ended = new Promise((done) => {
      child.once('exit', (code, signal) => {
        this.#child = undefined
        this.frozen = false
        const how = code ?? signal ?? ''
        if (!this.#told) onDeath(`${this.name} ended by itself: ${how}`)
        done(how)
      })
    })
  }

  async kill(): Promise<void> {
    this.#told = true
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** @returns 0, another exit code, or the signal that ended it: SIGTERM before it knew of signals, SIGKILL after the limit */
  async stop(limitMs: number): Promise<number | string> {
    this.#told = true
    this.thaw()
    const child = this.#child
    child?.kill('SIGTERM')
    const timer = setTimeout(() => child?.kill('SIGKILL'), limitMs)
    const how = await this.#ended
    clearTimeout(timer)
    return how
  }

  freeze(): void {
    if (this.#child === undefined) return
    this.frozen = true
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    if (!this.frozen) return
    this.frozen = false
    this.#child?.kill('SIGCONT')
  }

  get log(): string {
    return existsSync(this.#options.logFile) ? readFileSync(this.#options.logFile, 'utf8') : ''
  }
}
