/** `ribscope diff`: what changed between two instants, by likely cause. */
import { ApiClient, CLIENT_ENV, CLIENT_OPTIONS, CLIENT_USAGE } from '../client.ts'
import { UsageError, type Command, type Context } from '../command.ts'
import type { Played } from '../offline.ts'
import { clean, screenOf, shortTime, type Screen } from '../screen.ts'
import { flag, instant, number, oneOf, text } from '../values.ts'

const SCOPES = ['all', 'vips', 'unicast', 'vpn', 'evpn'] as const
/** Virtual seconds after a recording, so that holds and timers fall due. */
const TAIL_SECONDS = 120

export const command: Command = {
  name: 'diff',
  summary: 'what changed between two instants, by likely cause',
  usage: `ribscope diff T1 [T2] [flags]

What differs between the states at T1 and at T2 (default now), grouped by likely cause: the biggest
blast radius (VIPs times routers) first.

  T1, T2             RFC 3339, now, or so long ago: -90s, -5m, -1h, -2d, -1h30m
  --router NAME      changes seen by this router only
  --vip PREFIX       changes of this VIP only; a host needs no length
  --prefix PREFIX    changes of this prefix and all inside it only
  --vrf NAME
  --scope SCOPE      ${SCOPES.join(', ')}
  --limit N          at most so many groups (default 20)
  --recording PATH   recordings instead of a running Ribscope; may be repeated. Then now is their end,
                     and +30s is 30 seconds after their beginning
  --config FILE      fabric.yaml of the recordings
${CLIENT_USAGE}`,
  options: {
    router: { type: 'string' },
    vip: { type: 'string' },
    prefix: { type: 'string' },
    vrf: { type: 'string' },
    scope: { type: 'string' },
    limit: { type: 'string' },
    recording: { type: 'string', multiple: true },
    config: { type: 'string' },
    ...CLIENT_OPTIONS,
  },
  env: { ...CLIENT_ENV, config: 'RIBSCOPE_CONFIG' },
  async run(ctx) {
    const [from, to, ...more] = ctx.positionals
    if (from === undefined || more.length > 0) throw new UsageError('expected T1 [T2]')
    const { values } = ctx
    const words = {
      router: text(values, 'router'),
      vip: text(values, 'vip'),
      prefix: text(values, 'prefix'),
      vrf: text(values, 'vrf'),
      scope: oneOf(values, 'scope', SCOPES),
    }
    const limit = number(values, 'limit', { min: 1, max: 1000, integer: true }) ?? 20
    const recordings = values['recording']
    const diff = Array.isArray(recordings)
      ? await ofRecordings(ctx, recordings.map(String), from, to, { ...words, limit })
      : ((await new ApiClient(ctx).get('/diff', {
          ...words,
          from: instant('T1', from),
          to: to === undefined ? undefined : instant('T2', to),
          limit: String(limit),
        })) as unknown as Diff)
    ctx.stdout.write(
      flag(values, 'json')
        ? `${JSON.stringify(diff, null, 2)}\n`
        : render(screenOf(ctx.stdout), diff),
    )
    return 0
  },
}

async function ofRecordings(
  ctx: Context,
  paths: readonly string[],
  from: string,
  to: string | undefined,
  words: Readonly<Record<string, unknown>> & { readonly limit: number },
): Promise<Diff> {
  const [
    { checkDiff, computeDiff, timeText },
    { withRecordings },
    { defaultFabric, loadFabric },
    { listRecordings },
  ] = await Promise.all([
    import('@ribscope/api'),
    import('../offline.ts'),
    import('@ribscope/fabric'),
    import('@ribscope/events'),
  ])
  const path = text(ctx.values, 'config')
  const loaded = path === undefined ? undefined : loadFabric(path)
  for (const warning of loaded?.warnings ?? []) {
    ctx.stderr.write(`${path ?? ''}:${String(warning.line)}: ${warning.message}\n`)
  }
  const recordings = await listRecordings(paths)
  const startUs = Math.min(...recordings.map(({ openedUs }) => openedUs))
  const endUs = Math.max(...recordings.map((each) => each.endUs))
  const clock = { now: new Date(endUs / 1000), start: new Date(startUs / 1000) }
  const last = to === undefined ? timeText(endUs + TAIL_SECONDS * 1e6) : timeOf('T2', to, clock)
  const stored = (time: string): string => time.replace('T', ' ').replace('Z', '')
  const query = { ...words, from: stored(timeOf('T1', from, clock)), to: stored(last) }
  const work = async ({ db }: Played): Promise<Diff> => await computeDiff(db, query)
  try {
    // Before they are played, which takes its time.
    checkDiff(query)
    const config = loaded?.fabric ?? defaultFabric()
    const { signal } = ctx
    return await withRecordings({ paths, config, tailSeconds: TAIL_SECONDS, signal }, work)
  } catch (error) {
    refused(error)
  }
}

/** What the API would answer with 400 is the caller's mistake here too. */
function refused(error: unknown): never {
  if (error instanceof Error && (error as { status?: unknown }).status === 400) {
    throw new UsageError(error.message)
  }
  throw error
}

/** With microseconds in UTC, as the store compares it. */
function timeOf(what: string, given: string, clock: { now: Date; start: Date }): string {
  const time = instant(what, given, clock)
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) {
    throw new UsageError(`${what} ${JSON.stringify(given)}: expected an RFC 3339 time`)
  }
  const micros = (/\.(\d{1,6})/.exec(time)?.[1] ?? '').padEnd(6, '0')
  return `${date.toISOString().slice(0, 19)}.${micros}Z`
}

/** What GET /diff answers with, as far as it is shown. */
interface Diff {
  readonly from: string
  readonly to: string
  readonly summary: {
    readonly routes: Counts
    readonly sessions_down: number
    readonly sessions_up: number
    readonly feeds_lost: number
    readonly left_out: { readonly groups: number; readonly sessions: boolean }
  }
  readonly items: readonly Group[]
}
type Counts = Readonly<Record<'added' | 'removed' | 'changed' | 'flapped', number>>
interface Group {
  readonly cause: string
  readonly entity: { readonly kind: string; readonly name: string }
  readonly at: string
  readonly until: string
  readonly blast_radius: {
    readonly vips: number
    readonly routers: number
    readonly prefixes: number
  }
  readonly explanation: string
  readonly vips: readonly string[]
  readonly prefixes: readonly string[]
  readonly routers: readonly string[]
  readonly findings: readonly string[]
  readonly incidents: readonly string[]
}

function render(screen: Screen, diff: Diff): string {
  const { routes, sessions_down, sessions_up, feeds_lost, left_out } = diff.summary
  const counts = [
    `${String(routes.added)} added`,
    `${String(routes.removed)} removed`,
    `${String(routes.changed)} changed`,
    `${String(routes.flapped)} moved and as before`,
  ].join(', ')
  const head = [
    `${screen.bold(`${shortTime(diff.from)} .. ${shortTime(diff.to)}`)}\n`,
    `routes    ${counts}\n`,
    `sessions  ${String(sessions_down)} down, ${String(sessions_up)} up; BMP ${String(feeds_lost)} lost\n`,
  ]
  if (diff.items.length === 0) return [...head, '\nnothing changed\n'].join('')
  const more =
    left_out.groups > 0 ? [`\n${String(left_out.groups)} more groups: see --limit\n`] : []
  return [...head, ...diff.items.map((group) => groupText(screen, group)), ...more].join('')
}

function groupText(screen: Screen, group: Group): string {
  const { vips, routers, prefixes } = group.blast_radius
  const paint = /down|lost|withdrew/.test(group.cause)
    ? screen.red
    : /up|announced|new$/.test(group.cause)
      ? screen.green
      : screen.yellow
  const size = `${many(vips, 'VIP')} x ${many(routers, 'router')}, ${many(prefixes, 'prefix')}`
  const span =
    group.at === group.until
      ? shortTime(group.at)
      : `${shortTime(group.at)} .. ${shortTime(group.until)}`
  const line = (name: string, words: readonly string[]): string =>
    words.length === 0 ? '' : `    ${screen.dim(name.padEnd(9))} ${clean(words.join(', '))}\n`
  return [
    `\n${paint(clean(`${group.cause} ${group.entity.name}`))}  ${screen.dim(`${size}  ${span}`)}\n`,
    `    ${clean(group.explanation)}\n`,
    line('prefixes', group.prefixes),
    line('routers', group.routers),
    line('findings', group.findings),
    line('incidents', group.incidents),
  ].join('')
}

const many = (n: number, what: string): string =>
  `${String(n)} ${what}${n === 1 ? '' : what.endsWith('x') ? 'es' : 's'}`
