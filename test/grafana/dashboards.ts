/** The dashboards of grafana/dashboards, with the parts of Grafana's model that tests read. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const GRAFANA = fileURLToPath(new URL('../../grafana', import.meta.url))

export interface DataSource {
  readonly type: string
  readonly uid: string
}

export interface Target {
  readonly refId: string
  readonly datasource: DataSource
  readonly editorType: string
  readonly queryType: string
  /** 0: time series, 1: table. */
  readonly format: number
  readonly rawSql: string
}

interface Property {
  readonly id: string
  readonly value: unknown
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly interval?: string
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly datasource?: DataSource
  readonly fieldConfig?: {
    readonly defaults: Readonly<Record<string, unknown>>
    readonly overrides: readonly {
      readonly matcher: { readonly id: string; readonly options: string }
      readonly properties: readonly Property[]
    }[]
  }
  readonly transformations?: readonly {
    readonly id: string
    readonly options: Readonly<Record<string, string>>
  }[]
  readonly targets?: readonly Target[]
}

export interface VariableModel {
  readonly name: string
  readonly type: string
  readonly multi: boolean
  readonly includeAll: boolean
  readonly allValue?: string
  readonly datasource: DataSource
  readonly definition: string
  readonly query: Omit<Target, 'datasource'>
}

export interface Annotation {
  readonly name: string
  readonly enable: boolean
  readonly builtIn?: number
  readonly datasource: DataSource
  readonly target?: Target
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly tags: readonly string[]
  readonly refresh: string
  readonly links: readonly { readonly url: string }[]
  readonly annotations: { readonly list: readonly Annotation[] }
  readonly templating: { readonly list: readonly VariableModel[] }
  readonly panels: readonly Panel[]
}

export const dashboards: readonly Dashboard[] = readdirSync(join(GRAFANA, 'dashboards'))
  .sort()
  .map((name) => JSON.parse(readFileSync(join(GRAFANA, 'dashboards', name), 'utf8')) as Dashboard)
