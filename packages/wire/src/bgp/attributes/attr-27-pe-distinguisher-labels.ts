import { remaining, skip, type Cursor } from '../../cursor.ts'
import { formatIP } from '../../text/ip.ts'
import { labelNumber } from '../../text/values.ts'

export interface PeDistinguisherLabelsAttribute {
  readonly kind: 'pe_distinguisher_labels'
  readonly type: 27
  readonly labels: readonly { readonly address: string; readonly label: number }[]
}

/**
 * PE DISTINGUISHER LABELS (type 27), RFC 6514 section 8: { address => 4 | 16, label => 3 } 1..n. The
 * length tells the family; one that fits both is IPv4.
 */
export function decodePeDistinguisherLabels(c: Cursor): PeDistinguisherLabelsAttribute {
  const octets = remaining(c) % 7 === 0 ? 4 : 16
  const labels: { address: string; label: number }[] = []
  while (remaining(c) > 0) {
    const address = formatIP(c.bytes, skip(c, octets), octets)
    labels.push({ address, label: labelNumber(c.bytes, skip(c, 3)) })
  }
  return { kind: 'pe_distinguisher_labels', type: 27, labels }
}
