type Value =
  string | number | boolean | readonly Value[] | { readonly [key: string]: Value | undefined }
type Entry = Readonly<Record<string, Value | undefined>>

/** fabric.yaml in the making: keys as in the product's configuration reference. */
export class Inventory {
  segments: Entry = {}
  readonly routers: Entry[] = []
  readonly nodes: Entry[] = []
  readonly vips: Entry[] = []
  readonly vrfs: Entry[] = []
  readonly prefixNodes: Entry[] = []
  readonly maintenance: Entry[] = []
  /** Keys that differ from the detectors' defaults. */
  detectors: Entry = {}

  toYaml(title: string): string {
    const lines = [`# ${title}`]
    const map = (key: string, entry: Entry): void => {
      if (Object.keys(entry).length > 0) lines.push(`${key}: ${flow(entry)}`)
    }
    const list = (key: string, entries: readonly Entry[]): void => {
      if (entries.length > 0) lines.push(`${key}:`, ...entries.map((entry) => `  - ${flow(entry)}`))
    }
    map('segments', this.segments)
    list('routers', this.routers)
    list('nodes', this.nodes)
    list('vips', this.vips)
    list('vrfs', this.vrfs)
    list('prefix_nodes', this.prefixNodes)
    list('maintenance', this.maintenance)
    map('detectors', this.detectors)
    return `${lines.join('\n')}\n`
  }
}

/** YAML flow style on one line. Strings that YAML could take for something else are quoted. */
function flow(value: Value): string {
  if (typeof value === 'string') {
    return /^[A-Za-z][A-Za-z0-9_-]*$|^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(value) &&
      !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value)
      ? value
      : JSON.stringify(value)
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (isList(value)) return `[${value.map(flow).join(', ')}]`
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return `{ ${entries.map(([key, item]) => `${key}: ${flow(item as Value)}`).join(', ')} }`
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}
