/** Test helper: one of the distributed services as a process of its own. */
import { until } from '../lab/machine.ts'
import { Program } from '../program.ts'

const START_MS = 60_000

export type ServiceName = 'collector' | 'writer' | 'analyst' | 'api'

export class Service extends Program {
  readonly name: ServiceName
  /** Of a collector. */
  bmpPort = 0

  private constructor(name: ServiceName, env: Readonly<Record<string, string>>) {
    const { PATH, HOME, NODE_EXTRA_CA_CERTS } = process.env
    const own =
      name === 'api' ? { RIBSCOPE_HTTP: '127.0.0.1:0' } : { RIBSCOPE_METRICS: '127.0.0.1:0' }
    const bmp = name === 'collector' ? { RIBSCOPE_BMP: '127.0.0.1:0' } : {}
    // Nothing of the environment of the tests but what a process needs.
    super([name], { PATH, HOME, NODE_EXTRA_CA_CERTS, ...own, ...bmp, ...env })
    this.name = name
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
    await until(`${this.name} up`, () => !this.running || this.#read(), START_MS, 50)
    if (!this.running) throw new Error('it ended')
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

  /** SIGTERM. @returns the exit code */
  async stop(): Promise<number | null> {
    this.kill('SIGTERM')
    return (await this.exit)[0]
  }

  /** `NAME TYPE` of each metric that is Ribscope's own. */
  async ownMetrics(token: string): Promise<string[]> {
    const headers = { authorization: `Bearer ${token}` }
    const text = await (await fetch(`${this.url}/metrics`, { headers })).text()
    return [...text.matchAll(/^# TYPE (ribscope_\w+ \w+)$/gm)].map(([, each = '']) => each).sort()
  }
}
