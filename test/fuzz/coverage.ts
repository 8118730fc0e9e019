import { Session, type Profiler } from 'node:inspector'

/** V8's block coverage of the packages under test, as octets of their sources that have run. */
export class Coverage {
  coveredOctets = 0
  readonly #session = new Session()
  readonly #covered = new Map<string, Uint8Array>()

  static async start(): Promise<Coverage> {
    const coverage = new Coverage()
    coverage.#session.connect()
    await coverage.#post('Profiler.enable')
    await coverage.#startCounting()
    return coverage
  }

  /** Adds what has run since the last time. @returns octets that never ran before */
  async take(): Promise<number> {
    return this.#add(await this.#scripts(), this.#covered)
  }

  /**
   * Which of the inputs reach what only this batch has reached: each is run again alone, on coverage that
   * the whole batch is not part of. Costs one take per input, and is rare.
   */
  async which(
    batch: readonly Uint8Array[],
    run: (bytes: Uint8Array) => boolean,
  ): Promise<Uint8Array[]> {
    const found: Uint8Array[] = []
    for (const bytes of batch) {
      if ((bytes as Uint8Array | undefined) === undefined) continue
      run(bytes)
      if (this.#lately(await this.#scripts())) found.push(bytes)
      if (found.length >= 4) break
    }
    this.#recent.clear()
    return found
  }

  async stop(): Promise<void> {
    await this.#post('Profiler.stopPreciseCoverage')
    this.#session.disconnect()
  }

  /** Octets that the last `take` added, until an input is found that reaches them. */
  readonly #recent = new Map<string, Set<number>>()

  async #startCounting(): Promise<void> {
    await this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  async #scripts(): Promise<Profiler.ScriptCoverage[]> {
    const { result } = await this.#post<{ result: Profiler.ScriptCoverage[] }>(
      'Profiler.takePreciseCoverage',
    )
    return result.filter(({ url }) => /\/packages\/(wire|events)\/dist\//.test(url))
  }

  #add(scripts: readonly Profiler.ScriptCoverage[], covered: Map<string, Uint8Array>): number {
    let fresh = 0
    this.#recent.clear()
    for (const script of scripts) {
      const now = ran(script)
      const known = covered.get(script.url)
      const next =
        known === undefined || known.length < now.length ? new Uint8Array(now.length) : known
      if (known !== undefined && next !== known) next.set(known)
      for (let i = 0; i < now.length; i++) {
        if (now[i] === 0 || next[i] === 1) continue
        next[i] = 1
        fresh++
        const recent = this.#recent.get(script.url) ?? new Set()
        this.#recent.set(script.url, recent.add(i))
      }
      covered.set(script.url, next)
    }
    this.coveredOctets += fresh
    return fresh
  }

  /** Does this run reach what was reached lately? Takes it off the list. */
  #lately(scripts: readonly Profiler.ScriptCoverage[]): boolean {
    let any = false
    for (const script of scripts) {
      const recent = this.#recent.get(script.url)
      if (recent === undefined || recent.size === 0) continue
      const now = ran(script)
      for (const i of recent) {
        if (now[i] !== 1) continue
        recent.delete(i)
        any = true
      }
    }
    return any
  }

  #post<T>(method: string, parameters?: object): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, parameters, (error, result) => {
        if (error === null) resolve(result as T)
        else reject(error)
      })
    })
  }
}

/** 1 for each octet of the source that ran; ranges are nested, the innermost says it. */
function ran(script: Profiler.ScriptCoverage): Uint8Array {
  let end = 0
  for (const { ranges } of script.functions) end = Math.max(end, ranges[0]?.endOffset ?? 0)
  const octets = new Uint8Array(end)
  for (const { ranges } of script.functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      octets.fill(count > 0 ? 1 : 0, startOffset, endOffset)
    }
  }
  return octets
}
