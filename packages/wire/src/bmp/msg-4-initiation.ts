import type { Cursor } from '../cursor.ts'
import type { DecodeError } from '../errors.ts'
import { decodeInformationTlvs, type InformationTlv } from './information-tlvs.ts'

export interface Initiation {
  /** '' when the message lacks it, which RFC 7854 section 4.3 forbids and routers do. */
  readonly sysName: string
  readonly sysDescr: string
  readonly information: readonly InformationTlv[]
}

/** Initiation, RFC 7854 section 4.3: information TLVs; the first sysName and sysDescr count. */
export function decodeInitiation(c: Cursor, errors: DecodeError[], version = 3): Initiation {
  const information = decodeInformationTlvs(c, errors, 'initiation', version)
  return {
    sysName: information.find((tlv) => tlv.name === 'sys_name')?.text ?? '',
    sysDescr: information.find((tlv) => tlv.name === 'sys_descr')?.text ?? '',
    information,
  }
}
