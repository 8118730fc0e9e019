import {
  enter,
  fail,
  readU16,
  readU32,
  readU64,
  readU8,
  remaining,
  type Cursor,
} from '../cursor.ts'
import { DecodeError } from '../errors.ts'
import { toHex } from '../text/hex.ts'

/** One counter or gauge of a Statistics Report. */
export interface Statistic {
  readonly type: number
  readonly name: string
  /** 0 unless the value is for one family. */
  readonly afi: number
  readonly safi: number
  /** A decimal string beyond 2^53; null when the length says it is no number (then see `raw`). */
  readonly value: number | string | null
  /** Hex of the value; '' when `value` says it. */
  readonly raw: string
}

/** RFC 7854 section 4.8, RFC 8671 section 6.2, RFC 9972 from 18 on. Others are `type_N`; their length tells their form. */
const NAMES: readonly string[] = [
  'prefixes_rejected_by_policy',
  'duplicate_prefixes',
  'duplicate_withdraws',
  'cluster_list_loops',
  'as_path_loops',
  'originator_id_loops',
  'as_confed_loops',
  'adj_rib_in_routes',
  'loc_rib_routes',
  'adj_rib_in_routes_per_family',
  'loc_rib_routes_per_family',
  'updates_treated_as_withdraw',
  'prefixes_treated_as_withdraw',
  'duplicate_updates',
  'adj_rib_out_pre_policy_routes',
  'adj_rib_out_post_policy_routes',
  'adj_rib_out_pre_policy_routes_per_family',
  'adj_rib_out_post_policy_routes_per_family',
  'adj_rib_in_pre_policy_routes',
  'adj_rib_in_pre_policy_routes_per_family',
  'adj_rib_in_post_policy_routes',
  'adj_rib_in_post_policy_routes_per_family',
  'adj_rib_in_rejected_by_policy_per_family',
  'adj_rib_in_accepted_by_policy_per_family',
  '',
  '',
  'suppressed_by_damping_per_family',
  'stale_by_gr_per_family',
  'stale_by_llgr_per_family',
  'adj_rib_in_left_before_limit',
  'adj_rib_in_left_before_limit_per_family',
  'left_before_licence_limit',
  'left_before_licence_limit_per_family',
  'adj_rib_in_rejected_by_as_path_length',
  'adj_rib_in_rejected_by_as_path_length_per_family',
  'adj_rib_in_rpki_invalid_per_family',
  'adj_rib_in_rpki_valid_per_family',
  'adj_rib_in_rpki_not_found_per_family',
  'adj_rib_out_rejected_by_policy_per_family',
  'adj_rib_out_filtered_by_as_path_length',
  'adj_rib_out_filtered_by_as_path_length_per_family',
  'adj_rib_out_rpki_invalid_per_family',
  'adj_rib_out_rpki_valid_per_family',
  'adj_rib_out_rpki_not_found_per_family',
]

/** Version 4: the TLV that has the count and the statistics. */
const STATISTICS_TLV = 1

/** FRR: prefixes whose next hop could not be used (ROUTERS: experimental range). */
const FRR_INVALID_NEXT_HOP = 65531

/** Name of a statistic, RFC 7854 section 4.8, RFC 8671 section 6.2, RFC 9972; `type_N` for one that has none. */
export function statisticName(type: number): string {
  if (type === FRR_INVALID_NEXT_HOP) return 'frr_next_hop_invalid'
  return NAMES[type] || `type_${type}`
}

/**
 * Statistics Report, RFC 7854 section 4.8.
 *
 *   count => U32, { type => U16, length => U16, value } count
 *   value by length: 4 => U32, 8 => U64, 11 => afi U16, safi U8, U64
 *
 * The length decides, not the type: new types come in these same forms. In version 4 all of it may be the
 * value of a TLV of type 1 (draft-ietf-grow-bmp-tlv section 5.4): no report has 65,536 statistics, which is
 * what such a TLV would be read as otherwise. TLVs beside it aren't statistics and are left out.
 */
export function decodeStatistics(c: Cursor, errors: DecodeError[], version = 3): Statistic[] {
  if (version > 3 && remaining(c) >= 4 && c.view.getUint16(c.pos) === STATISTICS_TLV) {
    const length = c.view.getUint16(c.pos + 2)
    if (length >= 4 && length <= remaining(c) - 4) {
      readU32(c)
      return decodeStatistics(enter(c, length, 'statistics'), errors)
    }
  }
  const statistics: Statistic[] = []
  try {
    const countAt = c.pos
    const count = readU32(c)
    while (remaining(c) > 0 && statistics.length < count) {
      const type = readU16(c)
      const value = enter(c, readU16(c), `statistic(${type})`)
      statistics.push(decodeStatistic(type, value))
    }
    if (statistics.length !== count || remaining(c) > 0) {
      const detail = `count ${count}, but ${statistics.length} statistics and ${remaining(c)} octets more`
      fail(c, 'BAD_VALUE', countAt, detail)
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    errors.push(error)
  }
  return statistics
}

function decodeStatistic(type: number, c: Cursor): Statistic {
  const name = statisticName(type)
  const number = (value: bigint): number | string =>
    value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString()
  switch (remaining(c)) {
    case 4:
      return { type, name, afi: 0, safi: 0, value: readU32(c), raw: '' }
    case 8:
      return { type, name, afi: 0, safi: 0, value: number(readU64(c)), raw: '' }
    case 11:
      return { type, name, afi: readU16(c), safi: readU8(c), value: number(readU64(c)), raw: '' }
    default:
      return { type, name, afi: 0, safi: 0, value: null, raw: toHex(c.bytes, c.pos, c.end) }
  }
}
