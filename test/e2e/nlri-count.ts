/** Test helper: how many NLRI the Route Monitoring messages of a BMP stream carry, counted with none of the code under test. */

const u16 = (b: Uint8Array, at: number): number => b[at]! * 256 + b[at + 1]!
const u32 = (b: Uint8Array, at: number): number => u16(b, at) * 65536 + u16(b, at + 2)

/** Families, `afi/safi`, that an OPEN at `at` lists for ADD-PATH (RFC 7911 section 4), with Send/Receive. */
function addPath(b: Uint8Array, at: number): Map<string, number> {
  const found = new Map<string, number>()
  const end = at + u16(b, at + 16)
  const parameters = at + 29
  for (let p = parameters; p + 2 <= end; p += 2 + b[p + 1]!) {
    if (b[p] !== 2) continue
    for (let c = p + 2; c + 2 <= p + 2 + b[p + 1]!; c += 2 + b[c + 1]!) {
      if (b[c] !== 69) continue
      for (let f = c + 2; f + 4 <= c + 2 + b[c + 1]!; f += 4) {
        found.set(`${u16(b, f)}/${b[f + 2]}`, b[f + 3]!)
      }
    }
  }
  return found
}

/** @returns rows that the stream has to give, and how many of them announce */
export function countNlri(b: Uint8Array): { announced: number; withdrawn: number } {
  const opens = new Map<string, { sent: Map<string, number>; received: Map<string, number> }>()
  let announced = 0
  let withdrawn = 0
  for (let m = 0; m + 6 <= b.length; m += u32(b, m + 1)) {
    const type = b[m + 5]
    if (type !== 0 && type !== 3) continue
    // Type, distinguisher, address, AS, BGP identifier: everything but flags and time.
    const header = Buffer.from(b.subarray(m + 6, m + 40))
    const flags = header[1]!
    header[1] = 0
    const peer = header.toString('hex')
    if (type === 3) {
      const sentAt = m + 48 + 20
      const receivedAt = sentAt + u16(b, sentAt + 16)
      opens.set(peer, { sent: addPath(b, sentAt), received: addPath(b, receivedAt) })
      continue
    }
    const pathIds = (family: string): boolean => {
      const open = opens.get(peer)
      if (open === undefined) return false
      const adjRibOut = header[0] !== 3 && (flags & 0x10) !== 0
      const from = (adjRibOut ? open.sent : open.received).get(family) ?? 0
      const to = (adjRibOut ? open.received : open.sent).get(family) ?? 0
      // Loc-RIB: RFC 9069 section 4.2 has the same capabilities in both OPENs.
      return header[0] === 3 ? from > 0 : (from & 2) !== 0 && (to & 1) !== 0
    }
    const count = (from: number, to: number, afi: number, safi: number): number => {
      const evpn = afi === 25 && safi === 70
      if (!evpn && !((afi === 1 || afi === 2) && [1, 2, 4, 128].includes(safi))) {
        return to > from ? 1 : 0
      }
      const ids = pathIds(`${afi}/${safi}`) ? 4 : 0
      let n = 0
      for (let at = from; at < to; n++) {
        at += ids
        at += evpn ? 2 + b[at + 1]! : 1 + Math.ceil(b[at]! / 8)
      }
      return n
    }
    const end = m + u32(b, m + 1)
    let at = m + 48 + 19
    const gone = u16(b, at)
    withdrawn += count(at + 2, at + 2 + gone, 1, 1)
    at += 2 + gone
    const attributes = at + 2 + u16(b, at)
    for (at += 2; at < attributes;) {
      const [flag, code] = [b[at]!, b[at + 1]!]
      const value = at + ((flag & 0x10) === 0 ? 3 : 4)
      const length = (flag & 0x10) === 0 ? b[at + 2]! : u16(b, at + 2)
      at = value + length
      const [afi, safi] = [u16(b, value), b[value + 2]!]
      if (code === 14) announced += count(value + 5 + b[value + 3]!, at, afi, safi)
      if (code === 15) withdrawn += count(value + 3, at, afi, safi)
    }
    announced += count(attributes, end, 1, 1)
  }
  return { announced, withdrawn }
}
