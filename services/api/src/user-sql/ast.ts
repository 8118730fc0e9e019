/**
 * Second gate: the syntax tree as ClickHouse itself reads the statement (EXPLAIN AST, one node a line, indented by depth). Node
 * kinds, functions and tables are on lists; whatever is new or cannot be read here is refused.
 */
import { mayCallIn, systemTables, TABLE_FUNCTIONS, type Vocabulary } from './functions.ts'
import { RefusedSql } from './tokens.ts'

const KINDS = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'ExpressionList',
  'Identifier',
  'TableIdentifier',
  'Function',
  'Literal',
  'QueryParameter',
  'Asterisk',
  'QualifiedAsterisk',
  'ColumnsRegexpMatcher',
  'QualifiedColumnsRegexpMatcher',
  'ColumnsListMatcher',
  'QualifiedColumnsListMatcher',
  'ColumnsTransformerList',
  'ColumnsExceptTransformer',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'TableExpression',
  'TableJoin',
  'ArrayJoin',
  'Subquery',
  'OrderByElement',
  'WithElement',
  'WindowDefinition',
  'WindowListElement',
  'InterpolateElement',
  'SampleRatio',
  'DataType',
])

const ROOTS = new Set([
  'SelectWithUnionQuery',
  'SelectIntersectExceptQuery',
  'DescribeQuery',
  'Explain',
])

const EXPLAINS = /^EXPLAIN(?: AST| SYNTAX| QUERY TREE| PIPELINE| ESTIMATE)?$/

/** Databases that exist beside ours; a first part of another name is an alias or a column. */
const OTHER_DATABASES = new Set([
  'system',
  'information_schema',
  'default',
  '_temporary_and_external_tables',
])

interface Node {
  readonly depth: number
  readonly kind: string
  readonly rest: string
}

/**
 * @param tree what EXPLAIN AST printed
 * @throws RefusedSql
 */
export function checkTree(tree: string, known: Vocabulary): void {
  const nodes = tree
    .split('\n')
    .filter((line) => line !== '')
    .map(nodeOf)
  const path: Node[] = []
  for (const node of nodes) {
    path.length = node.depth
    const parent = path.at(-1)
    path.push(node)
    if (parent === undefined) checkRoot(node)
    else checkNode(node, parent, known)
  }
  if (nodes.length === 0) throw new RefusedSql('the statement has no syntax tree')
}

/** Lines may come quoted as CSV; what follows is the kind, its name and "(alias x)" or "(children n)". */
function nodeOf(line: string): Node {
  const plain = line.startsWith('"') ? line.slice(1, -1).replaceAll('""', '"') : line
  const match = /^( *)([A-Za-z:]+)(?: (.*))?$/s.exec(plain)
  if (!match) throw new RefusedSql('the syntax tree has a part that is not understood')
  return {
    depth: match[1]?.length ?? 0,
    kind: match[2] ?? '',
    rest: (match[3] ?? '').replace(/ ?\(children \d+\)$/, '').replace(/ ?\(alias .*\)$/s, ''),
  }
}

function checkRoot({ kind, rest }: Node): void {
  if (!ROOTS.has(kind)) throw new RefusedSql(`a ${kind} is not allowed`)
  if (kind === 'Explain' && !EXPLAINS.test(rest)) throw new RefusedSql(`${rest} is not allowed`)
}

function checkNode({ kind, rest, depth }: Node, parent: Node, known: Vocabulary): void {
  // What EXPLAIN is to explain; its own options are harmless.
  if (parent.kind === 'Explain' && depth === 1) {
    if (kind === 'Set' || kind === 'DescribeQuery') return
  }
  if (!KINDS.has(kind)) throw new RefusedSql(`a ${kind} is not allowed`)
  if (kind === 'Function') {
    const inFrom = parent.kind === 'TableExpression'
    const view = rest.replace(/^ribscope\./, '')
    const allowed = inFrom
      ? TABLE_FUNCTIONS.has(rest) || known.views.has(view)
      : mayCallIn(rest, known)
    if (!allowed) {
      throw new RefusedSql(
        `${inFrom ? 'table function' : 'function'} ${JSON.stringify(rest)} is not allowed`,
      )
    }
  }
  if (kind === 'TableIdentifier') checkTable(rest, true, known)
  // `x IN system.users` reads a table too, and looks like a column.
  if (kind === 'Identifier') checkTable(rest, false, known)
}

function checkTable(name: string, isTable: boolean, known: Vocabulary): void {
  const [database = '', table, more] = name.split('.')
  if (table === undefined) return
  const allowed = systemTables(known)
  if (database === 'system' && allowed.has(table)) return
  const foreign = isTable
    ? database !== 'ribscope' || more !== undefined
    : OTHER_DATABASES.has(database.toLowerCase())
  if (foreign) {
    throw new RefusedSql(
      `table ${name} is not allowed: database ribscope, or system.${[...allowed].join(', ')}`,
    )
  }
}
