/** `ribscope vips`: who announces which VIP, through which ToRs. */
import { ApiClient, CLIENT_ENV, CLIENT_OPTIONS, CLIENT_USAGE, type Json } from '../client.ts'
import { UsageError, type Command, type Context } from '../command.ts'
import { fields, screenOf, severityPaint, shortTime, shown, table, type Screen } from '../screen.ts'
import { flag, number, oneOf, text } from '../values.ts'

const STATES = ['up', 'degraded', 'down', 'unseen'] as const

export const command: Command = {
  name: 'vips',
  summary: 'VIPs of a running Ribscope: who announces them, through which ToRs',
  usage: `ribscope vips [PREFIX] [flags]

Without PREFIX a table of all VIPs. With PREFIX (a host needs no length) its links, flaps and shares.

  --state STATE      ${STATES.join(', ')}
  --at TIME          penalty as it was then (RFC 3339, with PREFIX)
  --limit N          at most so many (default 1000)
${CLIENT_USAGE}`,
  options: {
    state: { type: 'string' },
    at: { type: 'string' },
    limit: { type: 'string' },
    ...CLIENT_OPTIONS,
  },
  env: CLIENT_ENV,
  async run(ctx) {
    const [prefix, ...more] = ctx.positionals
    if (more.length > 0) throw new UsageError('vips: expected at most one PREFIX')
    const state = oneOf(ctx.values, 'state', STATES)
    const at = text(ctx.values, 'at')
    if (prefix === undefined && at !== undefined) throw new UsageError('--at goes with a PREFIX')
    if (prefix !== undefined && state !== undefined) {
      throw new UsageError('--state goes without PREFIX')
    }
    const client = new ApiClient(ctx)
    return prefix === undefined ? all(ctx, client, state) : one(ctx, client, prefix, at)
  },
}

interface Origin {
  readonly vrf: string
  readonly node: string
  readonly tors: readonly string[]
  readonly tors_down: readonly string[]
}

interface OpenFinding {
  readonly kind: string
  readonly severity: string
}

async function all(ctx: Context, client: ApiClient, state: string | undefined): Promise<number> {
  const limit = number(ctx.values, 'limit', { min: 1, max: 100_000, integer: true }) ?? 1000
  const list = await client.list('/vips', { state }, limit)
  if (flag(ctx.values, 'json')) {
    ctx.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
    return 0
  }
  const screen = screenOf(ctx.stdout)
  if (list.items.length === 0) {
    ctx.stdout.write('no VIPs\n')
    return 0
  }
  const rows = list.items.map((vip) => {
    const open = vip['open_findings'] as OpenFinding[]
    const worst = ['critical', 'major', 'minor', 'info'].find((each) =>
      open.some(({ severity }) => severity === each),
    )
    return [
      { text: String(vip['prefix']) },
      stateCell(screen, String(vip['state'])),
      { text: String(vip['service']) },
      {
        text: `${String(vip['links_up'])}/${String(Number(vip['links_up']) + Number(vip['links_down']))}`,
      },
      { text: originsText(vip['origins'] as Origin[]) },
      {
        text: open.map(({ kind }) => kind).join(' '),
        paint: worst === undefined ? undefined : severityPaint(screen, worst),
      },
    ]
  })
  ctx.stdout.write(
    table(screen, ['VIP', 'STATE', 'SERVICE', 'LINKS', 'ORIGINS', 'OPEN FINDINGS'], rows),
  )
  if (list.next !== null) ctx.stderr.write(`there are more than ${String(limit)}: see --limit\n`)
  return 0
}

function stateCell(
  screen: Screen,
  state: string,
): { text: string; paint: (text: string) => string } {
  const paint =
    state === 'up'
      ? screen.green
      : state === 'down'
        ? screen.red
        : state === 'degraded'
          ? screen.yellow
          : screen.dim
  return { text: state, paint }
}

/** node1(tor1 tor2) node2(tor1 -tor2): a minus before a ToR whose link is down */
const originsText = (origins: readonly Origin[]): string =>
  origins
    .map(
      ({ node, tors, tors_down }) =>
        `${node}(${[...tors, ...tors_down.map((tor) => `-${tor}`)].join(' ')})`,
    )
    .join(' ')

async function one(
  ctx: Context,
  client: ApiClient,
  prefix: string,
  at: string | undefined,
): Promise<number> {
  const vip = await client.get(`/vips/${encodeURIComponent(prefix)}`, { at })
  if (flag(ctx.values, 'json')) {
    ctx.stdout.write(`${JSON.stringify(vip, null, 2)}\n`)
    return 0
  }
  const screen = screenOf(ctx.stdout)
  const plain = (name: string): string => shown(vip[name])
  const list = (name: string): Json[] => vip[name] as Json[]
  const cells = (row: Json, names: readonly string[]): { text: string }[] =>
    names.map((name) => ({ text: cellText(name, row[name]) }))
  const block = (title: string, head: readonly string[], rows: { text: string }[][]): string =>
    rows.length === 0 ? '' : `\n${screen.bold(title)}\n${table(screen, head, rows)}`

  ctx.stdout.write(
    fields(screen, [
      ['vip', plain('prefix')],
      ['state', plain('state')],
      ['service', plain('service')],
      ['cluster', plain('cluster')],
      ['pair', plain('pair')],
      ['source', plain('source')],
      ['expected', (vip['expected_nodes'] as string[]).join(' ')],
      [
        'open',
        (vip['open_findings'] as OpenFinding[])
          .map((each) => `${each.kind} (${each.severity})`)
          .join(', '),
      ],
    ]),
  )
  ctx.stdout.write(
    block(
      'links',
      ['NODE', 'TOR', 'STATE', 'SINCE', 'DOWNS', 'CAUSE'],
      list('links').map((each) => cells(each, ['node', 'tor', 'state', 'since', 'downs', 'cause'])),
    ) +
      block(
        'penalty',
        ['NODE', 'PENALTY', 'FLAPS', 'EPISODES', 'QUIET IN S'],
        list('penalty').map((each) =>
          cells(each, ['node', 'penalty', 'flaps', 'episodes', 'seconds_to_reuse']),
        ),
      ) +
      block(
        'outages',
        ['FROM', 'TO', 'SECONDS', 'LAST NODE', 'CAUSE'],
        list('outages').map((each) =>
          cells(each, ['down_at', 'up_at', 'seconds', 'node', 'cause']),
        ),
      ) +
      block(
        'shares',
        ['INGRESS', 'RATIO', 'EFFECTIVE', 'SHARES'],
        list('shares').map((each) => [
          { text: String(each['ingress']) },
          { text: shown(each['ratio_max']) },
          { text: String(each['effective_nodes']) },
          {
            text: Object.entries(each['shares'] as Record<string, number>)
              .map(([node, share]) => `${node} ${(share * 100).toFixed(1)}%`)
              .join('  '),
          },
        ]),
      ),
  )
  return 0
}

function cellText(name: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (/since|_at$/.test(name)) return shortTime(value)
  return typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(1) : shown(value)
}
