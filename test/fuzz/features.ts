import { hashText } from './random.ts'

/** What a run showed: hashes of things that one can tell apart. New ones make an input interesting. */
export class Features {
  readonly seen = new Set<number>()

  add(text: string): void {
    this.seen.add(hashText(text))
  }

  /** Discriminants, codes, names and orders of magnitude in a decoder's result, with where they stand. */
  walk(value: unknown, at = 0x811c9dc5): void {
    if (Array.isArray(value)) {
      this.seen.add(hashText(`#${Math.ceil(Math.log2(value.length + 1))}`, at))
      for (const item of value) this.walk(item, at)
      return
    }
    if (value === null || typeof value !== 'object') return
    const record = value as Record<string, unknown>
    let here = at
    for (const name of DISCRIMINANTS) {
      const own = record[name]
      if (typeof own === 'string' || typeof own === 'number')
        here = hashText(`${name}=${own}`, here)
    }
    this.seen.add(here)
    for (const key in record) {
      const own = record[key]
      if (typeof own === 'object') {
        // Where it stands: in what, as what; not the whole way, or everything would be new for ever.
        this.walk(
          own,
          hashText(key, hashText(typeof record['kind'] === 'string' ? record['kind'] : '')),
        )
        if (own === null) this.seen.add(hashText(`${key}:null`, here))
      } else if (typeof own === 'boolean') this.seen.add(hashText(`${key}:${own}`, here))
      else if (own === '') this.seen.add(hashText(`${key}:empty`, here))
    }
  }
}

/** Of these keys the values make a difference, of the others the form. */
const DISCRIMINANTS = [
  'kind',
  'type',
  'code',
  'path',
  'spec',
  'handling',
  'afi',
  'safi',
  'routeType',
  'typeCode',
  'name',
  'version',
  'reason',
  'table',
  'event',
  'action',
  'rib',
  'evpn_type',
  'origin',
  'encap',
]
