/**
 * docker-compose.yml without a container engine: what a container of ours would be started with, at the addresses and in the folders of
 * this machine.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AccessFiles } from '@ribscope/store/testing'
import { accessFiles, users } from './access.ts'
import { dotenv, interpolate, parseCompose, ROOT, text, type Service } from './model.ts'

export interface ByHand {
  /** ClickHouse's users, with the passwords that were made. */
  readonly access: AccessFiles
  secret(name: string): string
  service(name: string): Service
  /** The variables of a service; it listens on free ports of the loopback. */
  environment(
    name: string,
    at: { readonly kafka: string; readonly clickhouse: string },
  ): Record<string, string>
  /** Runs the health check of a service as Docker would. @param url  where it really listens */
  healthy(name: string, url: string): Promise<boolean>
  /** Milliseconds. */
  grace(name: string): number
}

/**
 * Does what docs/compose.md says before `docker compose up`.
 *
 * @param folder  in place of the repository's
 * @param fabric  in place of the empty fabric.yaml
 */
export function byHand(folder: string, fabric: string): ByHand {
  copyFileSync(join(ROOT, '.env.example'), join(folder, '.env.example'))
  copyFileSync(fabric, join(folder, 'fabric.yaml'))
  execFileSync('sh', [join(ROOT, 'deploy/setup.sh'), folder])
  const variables = dotenv(readFileSync(join(folder, '.env'), 'utf8'))
  const { services } = parseCompose(interpolate(text, variables))
  const secret = (name: string): string => readFileSync(join(folder, 'secrets', name), 'utf8')
  const passwords = users.map(({ name }) => [name, secret(`clickhouse_${name}_password`)])
  const service = (name: string): Service => {
    const found = services[name]
    if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
    return found
  }
  return {
    access: accessFiles(join(folder, 'access'), Object.fromEntries(passwords)),
    secret,
    service,
    environment(name, { kafka, clickhouse }) {
      const placed = (value: string): string =>
        value
          .replace('kafka:9092', kafka)
          .replace('http://clickhouse:8123', clickhouse)
          .replace('/run/secrets/', `${join(folder, 'secrets')}/`)
          .replace('/etc/ribscope/', `${folder}/`)
          .replace(/^0\.0\.0\.0:\d+$/, '127.0.0.1:0')
      return Object.fromEntries(
        Object.entries(service(name).environment ?? {}).map(([key, value]) => [
          key,
          placed(String(value)),
        ]),
      )
    },
    async healthy(name, url) {
      const [kind, program, ...args] = service(name).healthcheck?.test ?? []
      if (kind !== 'CMD' || program !== 'node') throw new Error(`${name}: not a check by node`)
      const placed = args.map((each) => each.replace(/http:\/\/127\.0\.0\.1:\d+/, url))
      const check = spawn(process.execPath, placed, { stdio: 'ignore' })
      const [code] = (await once(check, 'close')) as [number | null]
      return code === 0
    },
    grace(name) {
      const seconds = /^(\d+)s$/.exec(service(name).stop_grace_period ?? '')?.[1]
      if (seconds === undefined)
        throw new Error(`${name}: stop_grace_period is no number of seconds`)
      return 1000 * Number(seconds)
    },
  }
}
