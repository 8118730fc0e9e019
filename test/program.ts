/** Test helper: `ribscope` as a process of its own, and what it says. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const BIN = fileURLToPath(new URL('../bin/ribscope.js', import.meta.url))

interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [key: string]: unknown
}

export class Program {
  readonly logs: LogLine[] = []
  /** What is no line of the log. */
  other = ''
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>
  /** Of `/metrics`, or of the API itself. */
  url = ''
  readonly #child: ChildProcess

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(process.execPath, [BIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    })
    this.exit = once(this.#child, 'close') as Promise<[number | null, string | null]>
    let rest = ''
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('{')) this.logs.push(JSON.parse(line) as LogLine)
        else this.other += `${line}\n`
      }
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.other += text))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  text(): string {
    return this.other + this.logs.map((line) => JSON.stringify(line)).join('\n')
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** The value of a metric, summed over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.split(/[ {]/)[0] === name)
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
}
