import type { Attributes } from '../encode/attributes.ts'
import type { Route } from './session.ts'

/** An IPv4 or IPv6 unicast route as its originator sends it. */
export function unicast(prefix: string, attrs: Attributes): Route {
  return { nlri: { family: prefix.includes(':') ? 'ipv6' : 'ipv4', prefix }, attrs }
}
