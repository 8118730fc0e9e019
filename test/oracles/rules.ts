/**
 * Disagreements that are explained, by rule: what is compared, never which file it stands in. Each has its
 * reason in docs/rfc-notes.md, "Where other decoders differ".
 */
import type { Difference, Field } from './model.ts'

export interface Rule {
  readonly name: string
  readonly applies: (difference: Difference) => boolean
}

const AS_TRANS = '23456'

function isTshark({ oracle }: Difference): boolean {
  return oracle.toLowerCase().startsWith('tshark')
}

function unmapped(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '')
}

/** What depends on where a route begins and ends. */
const OF_NLRI: readonly Field[] = ['route', 'prefix', 'rd', 'path_id', 'labels']

export const RULES: readonly Rule[] = [
  {
    // RFC 7911 section 4 wants the session's OPENs, which it does not keep.
    name: 'TShark guesses path identifiers',
    applies: (d) =>
      isTshark(d) &&
      OF_NLRI.includes(d.field) &&
      d.facts.theirsAddPath !== undefined &&
      d.facts.theirsAddPath !== d.facts.addPath,
  },
  {
    // RFC 6793 section 4.2.3.
    name: 'TShark does not merge AS4_PATH',
    applies: (d) => {
      if (!isTshark(d) || d.field !== 'as_path') return false
      const [ours, theirs] = [d.ours, d.theirs].map((path) => path.split(/[ ,{}()[\]]+/))
      return (
        ours!.length === theirs!.length &&
        ours!.every(
          (asn, i) => asn === theirs![i] || (theirs![i] === AS_TRANS && Number(asn) > 65535),
        )
      )
    },
  },
  {
    // It reads them behind the attributes only where there are attributes.
    name: 'TShark shows no NLRI of an UPDATE without attributes',
    applies: (d) =>
      isTshark(d) &&
      d.field === 'route' &&
      d.theirs === '' &&
      d.action === 'announce' &&
      ['origin', 'as_path', 'next_hop'].every((field) => d.oursAll[field as Field] === ''),
  },
  {
    // RFC 7606 says what a speaker does about it, not what an observer can still read.
    name: 'TShark reads other parts of a malformed UPDATE',
    applies: (d) => isTshark(d) && d.field === 'route' && d.facts.errors > 0,
  },
  {
    name: 'pmacct writes IPv4 next hops as ::ffff:a.b.c.d or a.b.c.d, as it happens',
    applies: (d) =>
      d.oracle === 'pmacct' && d.field === 'next_hop' && unmapped(d.ours) === unmapped(d.theirs),
  },
  {
    // RFC 4271 section 5.1.3, and this file on FRR.
    name: 'pmacct writes 0.0.0.0 for no next hop',
    applies: (d) =>
      d.oracle === 'pmacct' && d.field === 'next_hop' && d.ours === '' && d.theirs === '0.0.0.0',
  },
  {
    name: 'pmacct reads no AS_PATH of 2-octet numbers against the A flag',
    applies: (d) =>
      d.oracle === 'pmacct' &&
      d.field === 'as_path' &&
      d.theirs === '' &&
      d.facts.decodeErrors.some((text) => text.includes('AS numbers of 2 octets')),
  },
]

export function explain(difference: Difference): Rule | undefined {
  return RULES.find(({ applies }) => applies(difference))
}
