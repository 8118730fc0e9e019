/** Test helper: one of the distributed services as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { until } from '../lab/machine.ts'

const BIN = fileURLToPath(new URL('../../bin/ribscope.js', import.meta.url))
const START_MS = 60_000

interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [key: string]: unknown
}

export type ServiceName = 'collector' | 'writer' | 'analyst' | 'api'

export class Service {
  readonly name: ServiceName
  readonly logs: LogLine[] = []
  /** What is no line of the log. */
  other = ''
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>
  /** Of `/metrics`, or of the API itself. */
  url = ''
  /** Of a collector. */
  bmpPort = 0
  readonly #child: ChildProcess

  private constructor(name: ServiceName, env: Readonly<Record<string, string>>) {
    this.name = name
    const { PATH, HOME, NODE_EXTRA_CA_CERTS } = process.env
    const own =
      name === 'api' ? { RIBSCOPE_HTTP: '127.0.0.1:0' } : { RIBSCOPE_METRICS: '127.0.0.1:0' }
    const bmp = name === 'collector' ? { RIBSCOPE_BMP: '127.0.0.1:0' } : {}
    this.#child = spawn(process.execPath, [BIN, name], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Nothing of the environment of the tests but what a process needs.
      env: { PATH, HOME, NODE_EXTRA_CA_CERTS, ...own, ...bmp, ...env },
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

  /** @param env  the service's own variables, RIBSCOPE_... */
  static spawn(name: ServiceName, env: Readonly<Record<string, string>>): Service {
    return new Service(name, env)
  }

  /** @returns once it says that it is up and `/readyz` says so too */
  static async start(name: ServiceName, env: Readonly<Record<string, string>>): Promise<Service> {
    const service = new Service(name, env)
    try {
      await service.up()
      return service
    } catch (error) {
      service.kill('SIGKILL')
      throw new Error(`ribscope ${name}: ${service.text()}`, { cause: error })
    }
  }

  async up(): Promise<void> {
    await until(
      `${this.name} up`,
      () => this.#child.exitCode !== null || this.#read(),
      START_MS,
      50,
    )
    if (this.#child.exitCode !== null) throw new Error('it ended')
    await until(
      `${this.name} ready`,
      async () => (await fetch(`${this.url}/readyz`)).status === 200,
      START_MS,
    )
  }

  #read(): boolean {
    const line = this.logs.find(({ msg }) => msg.startsWith(`${this.name} is up`))
    if (line === undefined) return false
    const { host, port } = (line['metrics'] ?? {}) as { host?: string; port?: number }
    this.url = port === undefined ? String(line['http']) : `http://${String(host)}:${port}`
    const { bmp } = line
    this.bmpPort = typeof bmp === 'string' ? Number(bmp.split(':').at(-1)) : 0
    return true
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

  /** SIGTERM. @returns the exit code */
  async stop(): Promise<number | null> {
    this.kill('SIGTERM')
    return (await this.exit)[0]
  }

  /** The value of a metric, summed over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line.split(/[ {]/)[0] === name)
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  /** `NAME TYPE` of each metric that is Ribscope's own. */
  async ownMetrics(token: string): Promise<string[]> {
    const headers = { authorization: `Bearer ${token}` }
    const text = await (await fetch(`${this.url}/metrics`, { headers })).text()
    return [...text.matchAll(/^# TYPE (ribscope_\w+ \w+)$/gm)].map(([, each = '']) => each).sort()
  }
}
