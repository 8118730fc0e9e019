/** docker-compose.yml as tests read it, and its variables put in as Compose does. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

export interface Mount {
  readonly type: string
  readonly source: string
  readonly target: string
  readonly read_only?: boolean
  readonly bind?: { readonly create_host_path: boolean }
}

export interface Healthcheck {
  readonly test: readonly string[]
  readonly disable?: boolean
}

export interface Service {
  readonly image: string
  readonly build?: { readonly context: string; readonly target: string }
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number>>
  readonly volumes?: readonly (string | Mount)[]
  readonly secrets?: readonly string[]
  readonly ports?: readonly string[]
  readonly networks: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: Healthcheck
  readonly deploy?: { readonly resources: { readonly limits: { cpus: string; memory: string } } }
  readonly stop_grace_period?: string
  readonly user?: string
  readonly read_only?: boolean
  readonly init?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly logging?: { readonly driver: string; readonly options: object }
  readonly ulimits?: { readonly nofile: { readonly soft: number } }
  readonly restart?: string
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: object
}

/** `NAME=value` lines. */
export const dotenv = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  )

/**
 * `${NAME:-default}` and `${NAME:?word}`, the forms in use.
 *
 * @throws Error with the word for a variable that is missing or empty
 */
export function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$\{(\w+):([-?])([^}]*)\}/g,
    (_, name: string, kind: string, rest: string) => {
      const value = variables[name] ?? ''
      if (value !== '') return value
      if (kind === '?') throw new Error(`${name}: ${rest}`)
      return rest
    },
  )
}

export const text = read('docker-compose.yml')
export const parseCompose = (yaml: string): Compose => parse(yaml, { merge: true }) as Compose
/** With its variables as they stand there. */
export const compose = parseCompose(text)
export const services = Object.entries(compose.services)
/** Those that are made here. */
export const ours = services.filter(([, { build }]) => build !== undefined)
