/** `ribscope findings`: what a running Ribscope found. */
import { ApiClient, CLIENT_ENV, CLIENT_OPTIONS, CLIENT_USAGE, type Json } from '../client.ts'
import { UsageError, type Command, type Context } from '../command.ts'
import { fields, screenOf, severityPaint, shortTime, shown, table, type Screen } from '../screen.ts'
import { flag, number, text } from '../values.ts'

const FILTERS = [
  'status',
  'severity',
  'kind',
  'vip',
  'node',
  'router',
  'site',
  'vrf',
  'from',
  'to',
] as const

export const command: Command = {
  name: 'findings',
  summary: 'findings of a running Ribscope',
  usage: `ribscope findings [ID] [flags]

Without ID a table, of all statuses: open ones first, the worst first. With ID one finding and its evidence.

  --status LIST      open, resolved, suppressed; several with commas
  --severity LIST    critical, major, minor, info
  --kind LIST        e.g. VIP_FLAP,NODE_DOWN
  --vip PREFIX       of this VIP or prefix
  --node NAME
  --router NAME      router or ToR
  --site NAME
  --vrf NAME
  --from TIME        RFC 3339: none that ended before
  --to TIME          RFC 3339: none that began later
  --limit N          at most so many (default 100)
${CLIENT_USAGE}

Exit 0 whether there are findings or not.`,
  options: {
    ...Object.fromEntries(FILTERS.map((name) => [name, { type: 'string' as const }])),
    limit: { type: 'string' },
    ...CLIENT_OPTIONS,
  },
  env: CLIENT_ENV,
  async run(ctx) {
    const [id, ...more] = ctx.positionals
    if (more.length > 0) throw new UsageError('findings: expected at most one ID')
    const client = new ApiClient(ctx)
    return id === undefined ? all(ctx, client) : one(ctx, client, id)
  },
}

async function all(ctx: Context, client: ApiClient): Promise<number> {
  const limit = number(ctx.values, 'limit', { min: 1, max: 100_000, integer: true }) ?? 100
  const query = Object.fromEntries(FILTERS.map((name) => [name, text(ctx.values, name)]))
  const list = await client.list('/findings', query, limit)
  if (flag(ctx.values, 'json')) {
    ctx.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
    return 0
  }
  const screen = screenOf(ctx.stdout)
  if (list.items.length === 0) ctx.stdout.write('no findings\n')
  else ctx.stdout.write(tableOf(screen, list.items))
  if (list.next !== null) ctx.stderr.write(`there are more than ${String(limit)}: see --limit\n`)
  return 0
}

const STATUS = ['open', 'suppressed', 'resolved']
const SEVERITY = ['critical', 'major', 'minor', 'info']

function tableOf(screen: Screen, items: readonly Json[]): string {
  const rank = (list: readonly string[], value: unknown): number => list.indexOf(String(value))
  const rows = items
    .toSorted(
      (a, b) =>
        rank(STATUS, a['status']) - rank(STATUS, b['status']) ||
        rank(SEVERITY, a['severity']) - rank(SEVERITY, b['severity']),
    )
    .map((item) => {
      const status = String(item['status'])
      const severity = String(item['severity'])
      const dim = status === 'open' ? undefined : screen.dim
      const paint = severityPaint(screen, severity, status)
      return [
        { text: severity, paint },
        { text: status, paint: dim },
        { text: String(item['kind']), paint },
        { text: scopeText(item['scope']), paint: dim },
        { text: shortTime(item['first_seen']), paint: dim },
        { text: String(item['id']), paint: screen.dim },
        { text: String(item['explanation']), paint: dim },
      ]
    })
  return table(screen, ['SEVERITY', 'STATUS', 'KIND', 'SCOPE', 'SINCE', 'ID', 'EXPLANATION'], rows)
}

/** vip=10.10.21.66/32 node=node1; the default VRF goes without saying. */
export function scopeText(scope: unknown): string {
  return Object.entries(scope as Json)
    .filter(([name, value]) => !(name === 'vrf' && value === 'default') && value !== '')
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : shown(value)}`)
    .join(' ')
}

async function one(ctx: Context, client: ApiClient, id: string): Promise<number> {
  const finding = await client.get(`/findings/${encodeURIComponent(id)}`)
  if (flag(ctx.values, 'json')) {
    ctx.stdout.write(`${JSON.stringify(finding, null, 2)}\n`)
    return 0
  }
  const screen = screenOf(ctx.stdout)
  const plain = (name: string): string => shown(finding[name])
  const metrics = Object.entries(finding['metrics'] as Json)
  ctx.stdout.write(
    fields(screen, [
      ['finding', plain('id')],
      ['kind', [plain('kind'), plain('sub_kind')].filter((each) => each !== '').join(' ')],
      ['severity', plain('severity')],
      ['status', plain('status')],
      ['confidence', plain('confidence')],
      ['cause', plain('cause')],
      ['scope', scopeText(finding['scope'])],
      ['first seen', shortTime(finding['first_seen'])],
      ['last seen', shortTime(finding['last_seen'])],
      ['resolved', shortTime(finding['resolved_at'])],
      ['incident', plain('incident_id')],
      ['explanation', plain('explanation')],
      ...metrics.map(([name, value]): [string, string] => [`  ${name}`, shown(value)]),
      ...(finding['limits'] as string[]).map((limit): [string, string] => ['limit', limit]),
    ]),
  )
  const evidence = finding['evidence'] as Json[]
  if (evidence.length > 0) {
    const rows = evidence.map((each) => [
      { text: shortTime(each['rx_ts']) },
      { text: shown(each['router']) },
      { text: shown(each['peer']) },
      { text: shown(each['seq']) },
      { text: shown(each['text']) },
    ])
    ctx.stdout.write(`\n${table(screen, ['TIME', 'ROUTER', 'PEER', 'SEQ', 'EVIDENCE'], rows)}`)
  }
  return 0
}
