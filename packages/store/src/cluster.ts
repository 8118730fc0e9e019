/**
 * The schema of a cluster, made of the same statements as that of one node (docs/adr/0007-cluster-schema.md).
 *
 * Sharded by router: table X becomes X_local (Replicated, its materialized views beside it) and a Distributed X over all shards.
 * Everywhere: what views and materialized views look up (fabric_ tables, parameters, findings) has all its rows on every node.
 * Views are the same text over the same names; IN and JOIN become GLOBAL, so that their right side is computed once, from all
 * shards, as on one node.
 *
 * A statement of a form that is not known here is an error, not a guess.
 */
import { migrations } from './sql.ts'
import type { SqlFile } from './sql.ts'
import { isWord, joined, tokens } from './sql-tokens.ts'
import type { Token } from './sql-tokens.ts'
import { StoreError } from './store.ts'

/** Of the layout of paths in Keeper: another one can stand beside it. */
const PATH_VERSION = 'v1'
const DATABASE = 'ribscope'

const CLUSTER_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/

/** Small, written by the analyst or by migrate, read by views on every shard. Beside them: all fabric_ tables. */
const EVERYWHERE = new Set([
  'analyst_lease',
  'detector_params',
  'edge_log',
  'findings_log',
  'findings_offered',
  'incidents_log',
  'incidents_offered',
  'schema_migrations',
  'since_watermark',
])

/** Tables without a router: rows lie where the rows that they come from lie. */
const WITHOUT_ROUTER = new Set(['tracked_changes'])

/**
 * Views that give a column of the log another form under the same name. What is sent to a shard has the expression of an ALIAS
 * column under that name too, and two meanings of a name are an error there: they read the columns of a sub-query instead.
 */
const RENDERING = new Set(['10_route_events'])

const isEverywhere = (table: string): boolean =>
  table.startsWith('fabric_') || EVERYWHERE.has(table)

/** What a router is, all its rows are on one shard: state, FINAL and sets of sequence numbers need no other. */
const shardingKey = (table: string): string =>
  WITHOUT_ROUTER.has(table) ? 'rand()' : 'cityHash64(router)'

/** @throws StoreError unless it is a name that needs no care anywhere */
export function checkClusterName(name: string): string {
  if (!CLUSTER_NAME.test(name)) {
    throw new StoreError(
      `not a cluster name: ${JSON.stringify(name)} (letters, digits, _ . - and at most 64 of them)`,
    )
  }
  return name
}

/**
 * One file of the schema as statements for a cluster, in order.
 *
 * @throws StoreError when the name of the cluster is none, or the statement has no known form
 */
export function clusterStatements(file: SqlFile, cluster: string): string[] {
  return new Rewriter(file, checkClusterName(cluster)).statements()
}

class Rewriter {
  readonly #file: SqlFile
  readonly #cluster: string
  readonly #all: Token[]

  constructor(file: SqlFile, cluster: string) {
    this.#file = file
    this.#cluster = cluster
    this.#all = tokens(file.text)
    // A comment before the statement says what it is for.
    while (this.#all[0]?.kind === 'space') this.#all.shift()
  }

  statements(): string[] {
    const head = this.#words(4)
    const starts = (text: string): boolean => head.startsWith(text)
    if (starts('CREATE DATABASE')) return [this.#onCluster(this.#all, this.#afterExists())]
    if (starts('CREATE TABLE')) return this.#createTable()
    if (starts('CREATE MATERIALIZED VIEW')) return [this.#createMaterializedView()]
    if (starts('CREATE OR REPLACE VIEW')) return [this.#createView()]
    if (starts('DROP VIEW')) return [this.#onCluster(this.#all, this.#table().end)]
    if (starts('DROP TABLE')) return this.#dropTable()
    if (starts('TRUNCATE TABLE')) return [this.#local().text]
    if (starts('RENAME TABLE')) return this.#renameTable()
    if (starts('ALTER TABLE')) return this.#alterTable()
    if (starts('INSERT INTO')) return [this.#insert()]
    throw this.#error(`no form for a cluster of a statement that begins ${head}`)
  }

  #createTable(): string[] {
    const { name, end } = this.#table()
    const engine = this.#all.findIndex(
      (token, i) => i > end && isWord(token, 'ENGINE') && this.#depth(i) === 0,
    )
    if (engine === -1) return this.#createTableLike(name, end)
    const kind = this.#next(this.#next(engine))
    // It keeps nothing: there is nothing to replicate.
    if (this.#text(kind) === 'Null' && isEverywhere(name)) return [this.#onCluster(this.#all, end)]
    if (!/^(Replacing|Aggregating|Summing)?MergeTree$/.test(this.#text(kind))) {
      throw this.#error(`no replicated form of engine ${this.#text(kind)}`)
    }
    if (!isEverywhere(name)) this.#checkHasRouter(name, end, engine)
    const [path, replica] = isEverywhere(name)
      ? [`all/${this.#file.name}`, '{shard}-{replica}']
      : [`{shard}/${this.#file.name}`, '{replica}']
    const given = this.#arguments(kind)
    const args = [
      `'/clickhouse/tables/${DATABASE}/${PATH_VERSION}/${path}'`,
      `'${replica}'`,
      ...(given.text === '' ? [] : [given.text]),
    ].join(', ')
    const list = this.#all.map((token, i): Token => {
      if (i === kind) return word(`Replicated${token.text}(${args})`)
      if (i > kind && i < given.end) return word('')
      return isWord(token, 'NON_REPLICATED_DEDUPLICATION_WINDOW')
        ? word('replicated_deduplication_window')
        : token
    })
    return isEverywhere(name)
      ? [this.#onCluster(list, end)]
      : [
          this.#onCluster(this.#withLocalName(list, end), end),
          this.#distributed('CREATE TABLE IF NOT EXISTS', name),
        ]
  }

  /**
   * `CREATE TABLE X AS Y`: with the place in Keeper that Y has, a copy would be a replica of Y. So Y's own definition, under
   * this name.
   */
  #createTableLike(name: string, end: number): string[] {
    const as = this.#next(end)
    if (!isWord(this.#all[as], 'AS')) throw this.#error('CREATE TABLE without ENGINE')
    const like = this.#table(as).name
    const heads = (text: string, ...statements: readonly string[]): boolean =>
      statements.some((each) => new RegExp(`^${each} ribscope\\.${like}\\b`, 'm').test(text))
    const history = migrations().filter(
      (file) =>
        file.name < this.#file.name &&
        heads(file.text, 'CREATE TABLE IF NOT EXISTS', 'ALTER TABLE', 'RENAME TABLE IF EXISTS'),
    )
    const last = history.at(-1)
    if (last === undefined || !heads(last.text, 'CREATE TABLE IF NOT EXISTS')) {
      throw this.#error(`no definition of ${like} before it`)
    }
    const text = last.text.replace(`ribscope.${like}`, `ribscope.${name}`)
    return new Rewriter({ name: this.#file.name, text }, this.#cluster).statements()
  }

  /** Rows without a router would be anywhere: whoever adds such a table decides where it lives. */
  #checkHasRouter(name: string, from: number, to: number): void {
    if (WITHOUT_ROUTER.has(name)) return
    const has = this.#all.some(
      (token, i) => i > from && i < to && isWord(token, 'ROUTER') && this.#depth(i) === 1,
    )
    if (!has) throw this.#error(`table ${name} has no column router: say where it lives`)
  }

  #createMaterializedView(): string {
    const { end } = this.#table()
    const list = this.#all.map((token, i) => (i > end ? this.#localName(i) : token))
    return this.#onCluster(list, end)
  }

  #createView(): string {
    const { end } = this.#table()
    const text = this.#onCluster(this.#global(this.#all), end)
    if (!RENDERING.has(this.#file.name)) return text
    const found = /FROM (ribscope\.\w+) AS (\w+) FINAL$/.exec(text)
    if (found === null) throw this.#error('expected FROM table AS name FINAL at its end')
    const [clause, table = '', alias = ''] = found
    return `${text.slice(0, -clause.length)}FROM (SELECT * FROM ${table} FINAL SETTINGS asterisk_include_alias_columns = 1) AS ${alias}`
  }

  #dropTable(): string[] {
    const { name, end } = this.#table()
    if (isEverywhere(name)) return [this.#onCluster(this.#all, end)]
    return [this.#onCluster(this.#all, end), this.#local().text]
  }

  #renameTable(): string[] {
    const from = this.#table()
    const to = this.#table(from.end + 1)
    if (isEverywhere(from.name) || isEverywhere(to.name)) {
      throw this.#error('no form for a cluster of a RENAME of a table that is everywhere')
    }
    const list = this.#withLocalName(this.#withLocalName(this.#all, from.end), to.end)
    return [
      // First the one that would lead nowhere.
      `DROP TABLE IF EXISTS ${DATABASE}.${from.name} ${this.#clause()} SYNC`,
      this.#onCluster(list, to.end),
      this.#distributed('CREATE TABLE IF NOT EXISTS', to.name),
    ]
  }

  #alterTable(): string[] {
    const { name, text } = this.#local()
    // Its columns are those of the table under it.
    return isEverywhere(name) ? [text] : [text, this.#distributed('CREATE OR REPLACE TABLE', name)]
  }

  /** Rows that move from table to table go through the shards' one name, and are there when the statement ends. */
  #insert(): string {
    const text = joined(this.#global(this.#all)).trimEnd()
    const has = this.#all.some((token, i) => isWord(token, 'SETTINGS') && this.#depth(i) === 0)
    return `${text}${has ? ',' : '\nSETTINGS'} distributed_foreground_insert = 1`
  }

  /** The statement about the local table. */
  #local(): { name: string; text: string } {
    const { name, end } = this.#table()
    const list = isEverywhere(name) ? this.#all : this.#withLocalName(this.#all, end)
    return { name, text: this.#onCluster(list, end) }
  }

  #distributed(how: string, name: string): string {
    return `${how} ${DATABASE}.${name} ${this.#clause()} AS ${DATABASE}.${name}_local\nENGINE = Distributed('${this.#cluster}', '${DATABASE}', '${name}_local', ${shardingKey(name)})`
  }

  #clause(): string {
    return `ON CLUSTER \`${this.#cluster}\``
  }

  /** @param after index of the token behind which the clause goes */
  #onCluster(list: readonly Token[], after: number): string {
    return joined(
      list.flatMap((token, i) => (i === after ? [token, word(` ${this.#clause()}`)] : [token])),
    ).trimEnd()
  }

  /** The first table named at or after a token, as ribscope.NAME, and the index of NAME. */
  #table(from = 0): { name: string; end: number } {
    for (let i = from; i < this.#all.length; i++) {
      const end = this.#qualified(i)
      if (end !== undefined) return { name: this.#text(end), end }
    }
    throw this.#error(`no ${DATABASE}.NAME in it`)
  }

  /** Index of NAME when `ribscope.NAME` begins at a token. */
  #qualified(at: number): number | undefined {
    if (this.#text(at) !== DATABASE || this.#text(at + 1) !== '.') return undefined
    return this.#all[at + 2]?.kind === 'word' ? at + 2 : undefined
  }

  #afterExists(): number {
    const at = this.#all.findIndex((token) => token.text === DATABASE)
    if (at === -1) throw this.#error(`no ${DATABASE} in it`)
    return at
  }

  #withLocalName(list: readonly Token[], at: number): Token[] {
    return list.map((token, i) => (i === at ? word(`${token.text}_local`) : token))
  }

  /** A table name in the body of a materialized view: what is sharded is read where the row is. */
  #localName(at: number): Token {
    const token = this.#all[at] ?? word('')
    const isTable = this.#qualified(at - 2) === at
    return isTable && !isEverywhere(token.text) ? word(`${token.text}_local`) : token
  }

  /** IN (SELECT ...), IN table and every JOIN but ARRAY JOIN become GLOBAL. */
  #global(list: readonly Token[]): Token[] {
    const before = new Set<number>()
    list.forEach((token, i) => {
      if (isWord(token, 'IN') && this.#readsTable(i)) {
        const previous = this.#previous(i)
        before.add(isWord(list[previous], 'NOT') ? previous : i)
      }
      if (isWord(token, 'JOIN')) {
        let first = i
        while (isWord(list[this.#previous(first)], ...JOIN_WORDS)) first = this.#previous(first)
        if (!isWord(list[this.#previous(i)], 'ARRAY')) before.add(first)
      }
      if (isWord(token, 'GLOBAL')) throw this.#error('GLOBAL is for this program to say')
    })
    return list.flatMap((token, i) => (before.has(i) ? [word('GLOBAL '), token] : [token]))
  }

  /** Whether what follows IN is a query or a table, not a list of values. */
  #readsTable(at: number): boolean {
    const next = this.#next(at)
    if (this.#qualified(next) !== undefined) return true
    return this.#text(next) === '(' && isWord(this.#all[this.#next(next)], 'SELECT', 'WITH')
  }

  /** What stands in the brackets behind a word, and the index behind them. */
  #arguments(at: number): { text: string; end: number } {
    const open = this.#next(at)
    if (this.#text(open) !== '(') return { text: '', end: at + 1 }
    let close = open + 1
    while (close < this.#all.length && this.#depth(close) > this.#depth(open)) close++
    return { text: joined(this.#all.slice(open + 1, close)).trim(), end: close + 1 }
  }

  /** Brackets open at a token; a bracket is at the depth outside of it. */
  #depth(at: number): number {
    this.#depths ??= depths(this.#all)
    return this.#depths[at] ?? 0
  }
  #depths: number[] | undefined

  #next(at: number): number {
    let i = at + 1
    while (this.#all[i]?.kind === 'space') i++
    return i
  }

  #previous(at: number): number {
    let i = at - 1
    while (this.#all[i]?.kind === 'space') i--
    return i
  }

  #text(at: number): string {
    return this.#all[at]?.text ?? ''
  }

  #words(count: number): string {
    const found = this.#all.filter(({ kind }) => kind === 'word').slice(0, count)
    return found.map(({ text }) => text.toUpperCase()).join(' ')
  }

  #error(why: string): StoreError {
    return new StoreError(`${this.#file.name}: ${why}`)
  }
}

const JOIN_WORDS = [
  'LEFT',
  'RIGHT',
  'FULL',
  'INNER',
  'OUTER',
  'CROSS',
  'ANY',
  'ALL',
  'ASOF',
  'SEMI',
  'ANTI',
]

const word = (text: string): Token => ({ kind: 'word', text })

function depths(list: readonly Token[]): number[] {
  let depth = 0
  return list.map(({ kind, text }) => {
    if (kind !== 'sign') return depth
    if (text === '(' || text === '[' || text === '{') return depth++
    if (text === ')' || text === ']' || text === '}') return --depth
    return depth
  })
}
