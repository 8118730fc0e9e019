/**
 * What a query of a dashboard is when it reaches ClickHouse: the three steps of Grafana 11/12 and the plugin
 * grafana-clickhouse-datasource 4, written anew from their behaviour. Rules, by where they were read:
 *
 * 1. `$__conditionalAll(phrase, $variable)` (plugin, front end, CHDatasource.applyConditionalAll): innermost last one first; arguments
 *    are cut at commas outside of parentheses, quotes not looked at; the phrase becomes `1=1` when the variable is empty or `$__all`.
 *    It is put in with String.replace, so that `$'`, `$&` and `$1` in a phrase would be patterns.
 * 2. Variables (Grafana, TemplateSrv and scenes' sceneInterpolator): `$name`, `${name}`, `${name:format}`, `[[name]]`; unknown names
 *    stay. All, without a custom value, is every option. Formats: see FORMATS.
 * 3. Macros (plugin, back end, pkg/macros): TimeRange in whole seconds as toDateTime(N), `_ms` ones as fromUnixTimestamp64Milli(N),
 *    intervals of at least a second. macros_test.go has the cases that expand.test.ts repeats.
 */

export interface Variable {
  readonly name: string
  /** `$__all`: everything. */
  readonly value: string | readonly string[]
  /** What All stands for. */
  readonly options?: readonly string[]
}

export interface Request {
  readonly fromMs: number
  readonly toMs: number
  readonly intervalMs: number
  readonly variables: readonly Variable[]
}

const ALL = '$__all'

export function expand(sql: string, request: Request): string {
  return macros(interpolate(conditionalAll(sql, request.variables), request.variables), request)
}

function conditionalAll(sql: string, variables: readonly Variable[]): string {
  const macro = '$__conditionalAll('
  for (let at = sql.lastIndexOf(macro); at >= 0; at = sql.lastIndexOf(macro)) {
    const args = macroArgs(sql, at + macro.length)
    const [phrase, reference] = args
    if (args.length !== 2 || phrase === undefined || reference === undefined) return sql
    const variable = variables.find(({ name }) => name === reference.trim().slice(1))
    const value = variable?.value.toString()
    const all = value === '' || value === ALL
    sql = sql.replace(`${macro}${phrase},${reference})`, all ? '1=1' : phrase)
  }
  return sql
}

function macroArgs(sql: string, start: number): string[] {
  const args: string[] = []
  let depth = 1
  let from = start
  for (let at = start; at < sql.length; at++) {
    const c = sql[at]
    if (c === '(') depth++
    else if (c === ')') depth--
    if ((c === ',' && depth === 1) || depth === 0) {
      args.push(sql.slice(from, at))
      from = at + 1
    }
    if (depth === 0) return args
  }
  return []
}

const strict = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
const each = (value: string | readonly string[], quote: (text: string) => string): string =>
  typeof value === 'string' ? quote(value) : value.map(quote).join(',')

/** @grafana/scenes formatRegistry: `percentencode`, and the two that ClickHouse's backslash breaks out of. */
const FORMATS: Readonly<Record<string, (value: string | readonly string[]) => string>> = {
  percentencode: (value) => strict(typeof value === 'string' ? value : `{${value.join(',')}}`),
  sqlstring: (value) => each(value, (text) => `'${text.replaceAll("'", "''")}'`),
  singlequote: (value) => each(value, (text) => `'${text.replaceAll("'", "\\'")}'`),
}

export function interpolate(sql: string, variables: readonly Variable[]): string {
  return sql.replace(
    /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:}]+)?(?::([^}]+))?\}/g,
    (
      match,
      plain?: string,
      square?: string,
      format2?: string,
      curly?: string,
      format4?: string,
    ) => {
      const variable = variables.find(({ name }) => name === (plain ?? square ?? curly))
      if (variable === undefined) return match
      const { value, options = [] } = variable
      const all = value.toString() === ALL
      const format = FORMATS[format2 ?? format4 ?? '']
      // The plugin's own default would be quotes that are not escaped: no query may rest on it.
      if (format === undefined) throw new Error(`${match}: a format that is not known here`)
      return format(all ? options : value)
    },
  )
}

function macros(sql: string, { fromMs, toMs, intervalMs }: Request): string {
  const seconds = (ms: number): string => `toDateTime(${String(Math.floor(ms / 1000))})`
  const milli = (ms: number): string => `fromUnixTimestamp64Milli(${String(ms)})`
  const step = Math.max(Math.floor(intervalMs / 1000), 1)
  const stepMs = Math.max(intervalMs, 1)
  const between = (column: string, at: (ms: number) => string): string =>
    `${column} >= ${at(fromMs)} AND ${column} <= ${at(toMs)}`
  const one = (name: string, args: readonly string[]): string => {
    const [only] = args
    if (args.length !== 1 || only === undefined || only === '') {
      throw new Error(`$__${name}: expected 1 argument, received ${String(args.length)}`)
    }
    return only
  }
  const MACROS: Readonly<Record<string, (args: readonly string[]) => string>> = {
    fromTime: () => seconds(fromMs),
    toTime: () => seconds(toMs),
    fromTime_ms: () => milli(fromMs),
    toTime_ms: () => milli(toMs),
    timeFilter: (args) => between(one('timeFilter', args), seconds),
    timeFilter_ms: (args) => between(one('timeFilter_ms', args), milli),
    timeInterval: (args) =>
      `toStartOfInterval(toDateTime(${one('timeInterval', args)}), INTERVAL ${String(step)} second)`,
    timeInterval_ms: (args) =>
      `toStartOfInterval(toDateTime64(${one('timeInterval_ms', args)}, 3), INTERVAL ${String(stepMs)} millisecond)`,
    interval_s: () => String(step),
  }
  let out = ''
  let at = 0
  for (const match of sql.matchAll(/\$__(\w+)/g)) {
    if (match.index < at) continue
    const name = match[1] ?? ''
    const macro = MACROS[name]
    if (macro === undefined) throw new Error(`$__${name} is no macro of the plugin`)
    const end = match.index + match[0].length
    const args = sql[end] === '(' ? macroArgs(sql, end + 1) : []
    const close = sql[end] === '(' ? end + args.join(',').length + 2 : end
    out += sql.slice(at, match.index) + macro(args.map((arg) => arg.trim()))
    at = close
  }
  return out + sql.slice(at)
}
