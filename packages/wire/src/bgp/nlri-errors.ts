import { DecodeError } from '../errors.ts'
import { ACTION_WITHDRAW, type NlriField } from './nlri.ts'
import type { UpdateIndex } from './update-index.ts'

/** `nlri`, `withdrawn`, `mp_reach.nlri` or `mp_unreach.nlri`. */
export function fieldPath(field: NlriField): string {
  if (field.isMp) return field.action === ACTION_WITHDRAW ? 'mp_unreach.nlri' : 'mp_reach.nlri'
  return field.action === ACTION_WITHDRAW ? 'withdrawn' : 'nlri'
}

/** The rest of the field can't be delimited: RFC 7606 section 5.3. */
export function lost(
  index: UpdateIndex,
  field: NlriField,
  at: number,
  detail: string,
): DecodeError {
  const error = new DecodeError('BAD_VALUE', detail, {
    offset: at,
    length: field.end - at,
    path: fieldPath(field),
    spec: 'RFC 7606 section 5.3',
    handling: field.isMp ? 'session-reset' : 'treat-as-withdraw',
  })
  index.addError(error)
  return error
}
