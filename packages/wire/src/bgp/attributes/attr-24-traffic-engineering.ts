import { readU16, readU8, skip, type Cursor } from '../../cursor.ts'
import { rest } from './tlvs.ts'

export interface TrafficEngineeringAttribute {
  readonly kind: 'traffic_engineering'
  readonly type: 24
  readonly switchingCapability: number
  readonly encoding: number
  /** Octets per second at priorities 0 to 7. */
  readonly maxLspBandwidth: readonly number[]
  /** What belongs to the switching capability, and further descriptors: as hex. */
  readonly raw: string
}

/**
 * Traffic Engineering (type 24), RFC 5543 section 3: descriptors of switching_capability => U8,
 * encoding => U8, reserved => U16, max_lsp_bandwidth => F32 8, specific information. The first is decoded:
 * how long its specific information is depends on the capability.
 */
export function decodeTrafficEngineering(c: Cursor): TrafficEngineeringAttribute {
  const switchingCapability = readU8(c)
  const encoding = readU8(c)
  readU16(c) // Reserved.
  const maxLspBandwidth = Array.from({ length: 8 }, () => {
    const value = c.view.getFloat32(skip(c, 4))
    return Number.isFinite(value) ? value : 0 // JSON has neither infinity nor NaN.
  })
  return {
    kind: 'traffic_engineering',
    type: 24,
    switchingCapability,
    encoding,
    maxLspBandwidth,
    raw: rest(c),
  }
}
