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
    // RFC 7606: the attribute is left out of our rows and reported; routes are kept as far as they are delimited.
    name: 'of a malformed UPDATE another decoder keeps other parts',
    applies: (d) => {
      if (
        d.facts.errors === 0 ||
        !['bgpkit', 'tshark', 'TShark', 'tshark (run)'].includes(d.oracle)
      )
        return false
      return OF_NLRI.includes(d.field) || d.ours === '' || d.theirs === ''
    },
  },
  {
    name: 'bgpkit-parser says 0 for a MED or LOCAL_PREF that is not there',
    applies: (d) =>
      d.oracle === 'bgpkit' &&
      (d.field === 'med' || d.field === 'local_pref') &&
      d.ours === '' &&
      d.theirs === '0',
  },
  {
    // RFC 7911 section 4: as TShark, it has no OPENs.
    name: 'bgpkit-parser guesses path identifiers',
    applies: (d) =>
      d.oracle === 'bgpkit' &&
      OF_NLRI.includes(d.field) &&
      d.facts.theirsAddPath !== undefined &&
      d.facts.theirsAddPath !== d.facts.addPath,
  },
  {
    // RFC 7606 section 3 (g), RFC 4760 section 3.
    name: 'bgpkit-parser takes the last of several attributes of a type, we the first',
    applies: (d) =>
      d.oracle === 'bgpkit' &&
      d.facts.decodeErrors.some((text) => text.includes('attribute appears again')),
  },
  {
    // RFC 4760 section 3: NEXT_HOP is for the NLRI of the UPDATE, MP_REACH has its own.
    name: 'bgpkit-parser takes the next hop of MP_REACH for other NLRI, and NEXT_HOP for its',
    applies: (d) =>
      d.oracle === 'bgpkit' &&
      d.field === 'next_hop' &&
      (d.ours === '' || d.ours.includes(':') !== d.theirs.includes(':')),
  },
  {
    // RFC 7854 section 4.2, RFC 6793: the path fits one width alone.
    name: 'others believe the A flag where the AS_PATH only fits the other width',
    applies: (d) =>
      (isTshark(d) || d.oracle === 'bgpkit') &&
      d.field === 'as_path' &&
      d.facts.decodeErrors.some((text) => text.includes('as_path: AS numbers of')),
  },
  {
    name: 'bgpkit-parser leaves out NLRI that it can not read, without an error',
    applies: (d) => d.oracle === 'bgpkit' && d.field === 'route' && d.facts.theirsRoutes === 0,
  },
  {
    name: 'TShark shows nothing behind a route distinguisher of an unknown type',
    applies: (d) => isTshark(d) && d.field === 'route' && d.theirs === '' && d.facts.unknownRd,
  },
  {
    // RFC 8654: 65,535 octets when it was agreed, which TShark can't know.
    name: 'TShark 4.0 reads no UPDATE beyond 4096 octets to its end',
    applies: (d) =>
      isTshark(d) && d.field === 'route' && d.theirs === '' && d.facts.octets > 4096 + 48,
  },
  {
    // RFC 2545 section 3: the second half of 32 octets is the link-local address.
    name: 'bgpkit-parser takes the second half of a next hop of 32 octets where the first is link-local',
    applies: (d) =>
      d.oracle === 'bgpkit' && d.field === 'next_hop' && d.theirs === d.oursAll.next_hop_ll,
  },
  {
    // An observer keeps what it sees (RFC 4271 section 9.1.2 is for speakers).
    name: 'bgpkit-parser leaves out an AS_PATH with a loop',
    applies: (d) => {
      if (d.oracle !== 'bgpkit' || d.field !== 'as_path' || d.theirs !== '') return false
      const hops = d.ours.split(' ').filter((asn, i, all) => asn !== all[i - 1])
      return new Set(hops).size < hops.length
    },
  },
  {
    name: 'TShark has no text for route distinguishers of unknown types',
    applies: (d) => isTshark(d) && d.field === 'rd' && d.theirs.startsWith('Unknown ('),
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
