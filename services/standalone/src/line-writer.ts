/** Lines to a stream, as fast as its reader takes them and no faster. */
const BLOCK_CHARACTERS = 1 << 16

export class LineWriter {
  readonly #stream: NodeJS.WritableStream
  readonly #signal: AbortSignal
  #text = ''
  #full = false

  constructor(stream: NodeJS.WritableStream, signal: AbortSignal) {
    this.#stream = stream
    this.#signal = signal
  }

  /** Without its line end. */
  line(text: string): void {
    this.#text += `${text}\n`
    if (this.#text.length > BLOCK_CHARACTERS) this.#flush()
  }

  /** Whole lines as octets. @param written called when they are no longer needed */
  write(lines: Uint8Array, written: () => void): void {
    this.#full = !this.#stream.write(lines, written)
  }

  /** Sends what is there and waits until there is room for more. */
  async drained(): Promise<void> {
    this.#flush()
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
    this.#full = false
  }

  #flush(): void {
    if (this.#text === '') return
    this.#full = !this.#stream.write(this.#text)
    this.#text = ''
  }
}
