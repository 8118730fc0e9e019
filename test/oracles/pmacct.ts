/* eslint-disable @typescript-eslint/no-explicit-any -- JSON of another program */
/**
 * pmacct's log: a line per event of one capture, of several routers at times, in order. A line is the row of the
 * same time, peer, table, family, route distinguisher and prefix that has no line yet.
 */
import type { Message, Row } from './ours.ts'
import { compare, NO_FACTS, compareOne, type Tally, type Texts } from './model.ts'

const ORIGINS: Readonly<Record<string, string>> = { i: 'igp', e: 'egp', u: 'incomplete' }
const RIBS: Readonly<Record<string, string>> = {
  'Adj-Rib-In Pre-Policy': 'adj_in_pre',
  'Adj-Rib-In Post-Policy': 'adj_in_post',
  'Adj-Rib-Out Pre-Policy': 'adj_out_pre',
  'Adj-Rib-Out Post-Policy': 'adj_out_post',
  'Loc-Rib': 'loc_rib',
}

export interface PmacctLog {
  readonly lines: any[]
  readonly used: Set<any>
  /** Those whose lines are of streams that were compared. */
  readonly routers: Set<any>
}

export function pmacctLog(lines: readonly any[]): PmacctLog {
  return {
    lines: lines.filter(
      (line) =>
        (line.log_type === 'update' || line.log_type === 'withdraw') &&
        (line.bmp_msg_type === 'route_monitor' || line.bmp_msg_type === undefined),
    ),
    used: new Set(),
    routers: new Set(),
  }
}

/** Compares the rows of one stream with the lines of its log. */
export function comparePmacct(
  tally: Tally,
  stream: string,
  messages: readonly Message[],
  log: PmacctLog,
): void {
  const byKey = new Map<string, any[]>()
  for (const line of log.lines) {
    if (log.used.has(line)) continue
    const key = lineKey(line)
    const list = byKey.get(key)
    if (list === undefined) byKey.set(key, [line])
    else list.push(line)
  }
  for (const [i, message] of messages.entries()) {
    for (const [at, row] of message.rows.entries()) {
      const line = byKey.get(rowKey(row, log))?.shift()
      if (line === undefined) {
        tally.skip('pmacct', row.action === 'withdraw' ? 'no line: a withdrawal' : 'no line')
        continue
      }
      log.used.add(line)
      log.routers.add(line.bmp_router)
      compareOne(
        tally,
        { oracle: 'pmacct', stream, message: i, facts: message.facts },
        message.routes[at]!,
        texts(line, message.routes[at]!.texts),
      )
    }
  }
}

function isBgp(line: any): boolean {
  return line.bmp_msg_type === undefined
}

function lineKey(line: any): string {
  const rd = line.safi === 128 ? String(line.rd).replace(/^\d+:/, '') : ''
  const own = [line.afi, line.safi, rd, line.ip_prefix, line.log_type]
  if (isBgp(line)) return own.join(' ')
  const time = Number(line.timestamp ?? 0).toFixed(6)
  return [...own, line.peer_ip, RIBS[line.bmp_rib_type] ?? '', time].join(' ')
}

function rowKey(row: Row, log: PmacctLog): string {
  const action = row.action === 'announce' ? 'update' : 'withdraw'
  const own = [row.afi, row.safi, row.rd, row.prefix, action]
  if (log.lines[0] !== undefined && isBgp(log.lines[0])) return own.join(' ')
  return [...own, row.peer_addr, row.rib, unixSeconds(row.bmp_ts)].join(' ')
}

/** As pmacct prints it; `null` is a time of zero. */
function unixSeconds(time: string | null): string {
  if (time === null) return '0.000000'
  return `${Date.parse(`${time.slice(0, 19).replace(' ', 'T')}Z`) / 1000}${time.slice(19)}`
}

function words(value: unknown): string[] {
  if (Array.isArray(value)) return value as string[]
  return typeof value === 'string' && value !== '' ? value.split(' ') : []
}

function texts(line: any, ours: Texts): Texts {
  const result: Texts = {
    prefix: line.ip_prefix,
    rd: line.safi === 128 ? String(line.rd).replace(/^\d+:/, '') : '',
  }
  // Of a withdrawal it shows the attributes that the route had.
  if (line.log_type === 'withdraw') return result
  const number = (value: number | string | null | undefined): string =>
    value === null || value === undefined ? '' : String(value)
  result.next_hop = String(line.bgp_nexthop ?? '')
  result.as_path = words(line.as_path).join(' ')
  result.communities = sameSet(ours.communities, words(line.comms))
  result.large_communities = sameSet(ours.large_communities, words(line.lcomms))
  result.origin = ORIGINS[line.origin] ?? ''
  result.local_pref = number(line.local_pref)
  result.med = number(line.med)
  if (line.safi === 4 || line.safi === 128) result.labels = number(line.mpls_label)
  result.path_id = number(line.as_path_id ?? 0)
  const theirs = words(line.ecomms)
  const known = theirs.filter((word) => /^(RT|SoO):/.test(word))
  // Others are numbers without their type.
  if (known.length === theirs.length) {
    const texts = known.map((word) => word.replace(/^RT/, 'rt').replace(/^SoO/, 'soo'))
    result.ext_communities = sameSet(ours.ext_communities, texts)
  }
  return result
}

/** It sorts communities: in our order, when they are the same. */
function sameSet(ours: string | undefined, theirs: readonly string[]): string {
  const own = (ours ?? '').split(' ').filter((word) => word !== '')
  return own.toSorted().join(' ') === theirs.toSorted().join(' ') ? own.join(' ') : theirs.join(' ')
}

/** Lines of routers whose streams were compared that are no row of ours. */
export function unusedLines(tally: Tally, file: string, log: PmacctLog): void {
  for (const line of log.lines) {
    if (log.used.has(line) || !log.routers.has(line.bmp_router)) continue
    const action = line.log_type === 'update' ? 'announce' : 'withdraw'
    const texts = { prefix: String(line.ip_prefix), rd: String(line.rd ?? '') }
    const place = { oracle: 'pmacct', stream: file, message: -1, facts: NO_FACTS }
    compare(tally, place, [], [{ action, afi: line.afi, safi: line.safi, texts }])
  }
}
