import type { Router } from '../model/router.ts'
import { mac, type Host, type Leaf, type T2 } from '../topology/t2.ts'

/** The host with this address; its MAC address follows from it. */
export function host(ip: string, sequence = 0): Host {
  return { ip, mac: mac(Number(ip.split('.')[3])), sequence }
}

/** A route reflector (or leaf) that does not tell one neighbour about a Type-5 prefix. */
export function hide(router: Router, prefix: string, from: string): void {
  const { policy } = router
  router.policy = {
    ...policy,
    export: (to, path) => {
      const { nlri } = path
      const hit = nlri.family === 'evpn' && nlri.type === 5 && nlri.prefix === prefix
      return hit && to.peer.name === from ? null : (policy.export?.(to, path) ?? null)
    },
  }
}

/** A worker behind one leaf: RT-2, a session there, and its pods announced from there. */
export function healthyWorker(t2: T2, name: string, ip: string, leaf: Leaf, prefix: string): void {
  t2.worker(name, ip, [leaf], [prefix])
  t2.before(() => {
    t2.announceHost(leaf, host(ip))
    t2.announcePrefix(leaf, { prefix })
  })
}
