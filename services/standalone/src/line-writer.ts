/** Lines to a stream, as fast as its reader takes them and no faster. */
const BLOCK_OCTETS = 1 << 16

/**
 * What comes at once is written in blocks; what is there when nothing more comes is written then, so that the reader of a
 * pipe that goes on slowly does not wait.
 */
export class LineWriter {
  readonly #stream: NodeJS.WritableStream
  readonly #signal: AbortSignal
  #blocks: { readonly lines: Uint8Array | string; readonly written: (() => void) | undefined }[] =
    []
  #size = 0
  #scheduled: NodeJS.Immediate | undefined
  #full = false

  constructor(stream: NodeJS.WritableStream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
  }

  /** Without its line end. */
  line(text: string): void {
    this.#add(`${text}\n`, undefined)
  }

  /** Whole lines as octets. @param written called when they are no longer needed */
  write(lines: Uint8Array, written: () => void): void {
    this.#add(lines, written)
  }

  /** Waits until there is room for more. */
  async drained(): Promise<void> {
    if (!this.#full || this.#signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#stream.removeListener('drain', done)
        this.#stream.removeListener('close', done)
        this.#signal.removeEventListener('abort', done)
        resolve()
      }
      this.#stream.on('drain', done)
      this.#stream.on('close', done)
      this.#signal.addEventListener('abort', done)
    })
  }

  /** Sends what is there, and waits until there is room for more. */
  async flushed(): Promise<void> {
    this.#flush()
    await this.drained()
  }

  #add(lines: Uint8Array | string, written: (() => void) | undefined): void {
    this.#blocks.push({ lines, written })
    this.#size += lines.length
    if (this.#size >= BLOCK_OCTETS) return this.#flush()
    this.#scheduled ??= setImmediate(() => {
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    const blocks = this.#blocks
    const [first] = blocks
    if (first === undefined) return
    this.#blocks = []
    this.#size = 0
    const all = blocks.map(({ lines }) => (typeof lines === 'string' ? Buffer.from(lines) : lines))
    const joined = blocks.length === 1 ? first.lines : Buffer.concat(all)
    const written = (): void => {
      for (const block of blocks) block.written?.()
    }
    if (this.#stream.write(joined, written) || this.#full) return
    this.#full = true
    // It may have room again long before somebody asks.
    this.#stream.once('drain', () => {
      this.#full = false
    })
  }
}
