export interface AtomicAggregateAttribute {
  readonly kind: 'atomic_aggregate'
  readonly type: 6
}

/** ATOMIC_AGGREGATE (type 6), RFC 4271 section 5.1.6: empty. */
export function decodeAtomicAggregate(): AtomicAggregateAttribute {
  return { kind: 'atomic_aggregate', type: 6 }
}
