/**
 * BMP and BGP messages as trees of what has a length, a count of things, or a value, so that a mutation
 * can go deep and still leave everything around it right: lengths are written anew, unless one is to lie.
 *
 * Reads leniently, and on purpose not with the decoders under test: what it can't take apart stays a leaf.
 */

/** `tag` tells what may stand in its place: `attribute`, `nlri`, `tlv` ... */
export type Node = Leaf | Sequence | Lengthed

export interface Leaf {
  readonly kind: 'leaf'
  readonly tag: string
  bytes: Uint8Array
}

export interface Sequence {
  readonly kind: 'sequence'
  readonly tag: string
  children: Node[]
}

/** A length of 1, 2 or 4 octets and what it is the length of. */
export interface Lengthed {
  readonly kind: 'lengthed'
  readonly tag: string
  width: 1 | 2 | 4
  /** What the length counts beside the child's octets. */
  readonly extra: number
  child: Node
  /** Written instead of the right length. */
  lie: number | undefined
}

export function leaf(tag: string, bytes: Uint8Array): Leaf {
  return { kind: 'leaf', tag, bytes }
}

export function sequence(tag: string, children: Node[]): Sequence {
  return { kind: 'sequence', tag, children }
}

export function lengthed(tag: string, width: 1 | 2 | 4, child: Node, extra = 0): Lengthed {
  return { kind: 'lengthed', tag, width, extra, child, lie: undefined }
}

export function clone(node: Node): Node {
  switch (node.kind) {
    case 'leaf':
      return leaf(node.tag, node.bytes.slice())
    case 'sequence':
      return sequence(node.tag, node.children.map(clone))
    case 'lengthed':
      return { ...node, child: clone(node.child) }
  }
}

export function octetsOf(node: Node): number {
  switch (node.kind) {
    case 'leaf':
      return node.bytes.length
    case 'sequence': {
      let sum = 0
      for (const child of node.children) sum += octetsOf(child)
      return sum
    }
    case 'lengthed':
      return node.width + octetsOf(node.child)
  }
}

export function serialise(node: Node): Uint8Array {
  const bytes = new Uint8Array(octetsOf(node))
  write(node, bytes, 0)
  return bytes
}

function write(node: Node, out: Uint8Array, at: number): number {
  switch (node.kind) {
    case 'leaf':
      out.set(node.bytes, at)
      return at + node.bytes.length
    case 'sequence':
      for (const child of node.children) at = write(child, out, at)
      return at
    case 'lengthed': {
      const end = write(node.child, out, at + node.width)
      const length = node.lie ?? end - at - node.width + node.extra
      for (let i = 0; i < node.width; i++) {
        out[at + i] = Math.floor(length / 256 ** (node.width - 1 - i)) & 0xff
      }
      return end
    }
  }
}

/** All nodes, outermost first. */
export function nodesOf(root: Node, into: Node[] = []): Node[] {
  into.push(root)
  if (root.kind === 'sequence') for (const child of root.children) nodesOf(child, into)
  else if (root.kind === 'lengthed') nodesOf(root.child, into)
  return into
}

// --- taking messages apart ------------------------------------------------------------------------

const u16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!
const u32 = (b: Uint8Array, at: number): number => u16(b, at) * 65536 + u16(b, at + 2)

/** One BMP message, RFC 7854 section 4. */
export function bmpTree(bytes: Uint8Array): Node {
  if (bytes.length < 6) return leaf('bmp', bytes)
  const version = bytes[0]!
  const type = bytes[5]!
  const withPeer = type !== 4 && type !== 5 && bytes.length >= 48
  const children: Node[] = [leaf('type', bytes.subarray(5, 6))]
  const at = withPeer ? 48 : 6
  if (withPeer) {
    children.push(
      sequence('peer', [
        leaf('peer-type', bytes.subarray(6, 7)),
        leaf('peer-flags', bytes.subarray(7, 8)),
        leaf('peer-rd', bytes.subarray(8, 16)),
        leaf('peer-address', bytes.subarray(16, 32)),
        leaf('peer-as', bytes.subarray(32, 36)),
        leaf('peer-id', bytes.subarray(36, 40)),
        leaf('time', bytes.subarray(40, 48)),
      ]),
    )
  }
  children.push(...bmpBody(bytes, version, type, at))
  return sequence('bmp', [
    leaf('version', bytes.subarray(0, 1)),
    lengthed('bmp-length', 4, sequence('bmp-body', children), 5),
  ])
}

function bmpBody(bytes: Uint8Array, version: number, type: number, at: number): Node[] {
  const end = bytes.length
  switch (type) {
    case 0:
      return version === 4 ? [tlvs(bytes, at, end, 6)] : pduAndRest(bytes, at, end)
    case 1:
      return end - at >= 4
        ? [leaf('count', bytes.subarray(at, at + 4)), tlvs(bytes, at + 4, end)]
        : [leaf('rest', bytes.subarray(at))]
    case 2:
      return end > at
        ? [leaf('reason', bytes.subarray(at, at + 1)), ...pduAndRest(bytes, at + 1, end)]
        : []
    case 3:
      return end - at >= 20
        ? [
            leaf('local-address', bytes.subarray(at, at + 16)),
            leaf('ports', bytes.subarray(at + 16, at + 20)),
            ...pduAndRest(bytes, at + 20, end),
          ]
        : [leaf('rest', bytes.subarray(at))]
    default:
      return [tlvs(bytes, at, end)]
  }
}

/** BGP messages one after another, then TLVs or whatever it is. */
function pduAndRest(bytes: Uint8Array, at: number, end: number): Node[] {
  const nodes: Node[] = []
  while (at + 19 <= end && bytes[at] === 0xff && bytes[at + 15] === 0xff) {
    const length = u16(bytes, at + 16)
    if (length < 19 || at + length > end) break
    nodes.push(bgpTree(bytes.subarray(at, at + length)))
    at += length
  }
  if (at < end) nodes.push(tlvs(bytes, at, end))
  return nodes
}

/** type, length, value; with `head` 6 an index of 2 octets follows the length (draft-ietf-grow-bmp-tlv). */
function tlvs(bytes: Uint8Array, at: number, end: number, head = 4): Node {
  const children: Node[] = []
  while (at + head <= end) {
    const length = u16(bytes, at + 2)
    if (at + head + length > end) break
    const value = bytes.subarray(at + 4, at + head + length)
    const pdu = value.subarray(head - 4)
    const inner =
      pdu.length >= 19 && pdu[0] === 0xff && pdu[15] === 0xff
        ? sequence('value', [leaf('index', value.subarray(0, head - 4)), bgpTree(pdu)])
        : leaf('value', value)
    children.push(
      sequence('tlv', [
        leaf('tlv-type', bytes.subarray(at, at + 2)),
        lengthed('tlv-length', 2, inner, 4 - head),
      ]),
    )
    at += head + length
  }
  if (at < end) children.push(leaf('rest', bytes.subarray(at, end)))
  return sequence('tlvs', children)
}

/** One BGP message, RFC 4271 section 4. */
export function bgpTree(bytes: Uint8Array): Node {
  if (bytes.length < 19) return leaf('bgp', bytes)
  const type = bytes[18]!
  const children: Node[] = [leaf('bgp-type', bytes.subarray(18, 19))]
  if (type === 1) children.push(...open(bytes))
  else if (type === 2) children.push(...update(bytes))
  else if (type === 3 && bytes.length >= 21) {
    children.push(leaf('code', bytes.subarray(19, 20)), leaf('subcode', bytes.subarray(20, 21)))
    if (bytes.length > 21) {
      const text = bytes.subarray(22)
      children.push(
        text.length === bytes[21]
          ? lengthed('text-length', 1, leaf('text', text))
          : leaf('data', bytes.subarray(21)),
      )
    }
  } else if (bytes.length > 19) children.push(leaf('rest', bytes.subarray(19)))
  return sequence('bgp', [
    leaf('marker', bytes.subarray(0, 16)),
    lengthed('bgp-length', 2, sequence('bgp-body', children), 18),
  ])
}

function open(bytes: Uint8Array): Node[] {
  if (bytes.length < 29 || bytes.length !== 29 + bytes[28]!)
    return [leaf('open', bytes.subarray(19))]
  const parameters: Node[] = []
  let at = 29
  while (at + 2 <= bytes.length && at + 2 + bytes[at + 1]! <= bytes.length) {
    const next = at + 2 + bytes[at + 1]!
    const value = bytes.subarray(at + 2, next)
    const inner = bytes[at] === 2 ? capabilities(value) : leaf('value', value)
    parameters.push(
      sequence('parameter', [
        leaf('parameter-type', bytes.subarray(at, at + 1)),
        lengthed('parameter-length', 1, inner),
      ]),
    )
    at = next
  }
  if (at < bytes.length) parameters.push(leaf('rest', bytes.subarray(at)))
  return [
    leaf('open', bytes.subarray(19, 28)),
    lengthed('parameters-length', 1, sequence('parameters', parameters)),
  ]
}

function capabilities(bytes: Uint8Array): Node {
  const children: Node[] = []
  let at = 0
  while (at + 2 <= bytes.length && at + 2 + bytes[at + 1]! <= bytes.length) {
    const next = at + 2 + bytes[at + 1]!
    children.push(
      sequence('capability', [
        leaf('capability-code', bytes.subarray(at, at + 1)),
        lengthed('capability-length', 1, leaf('value', bytes.subarray(at + 2, next))),
      ]),
    )
    at = next
  }
  if (at < bytes.length) children.push(leaf('rest', bytes.subarray(at)))
  return sequence('capabilities', children)
}

function update(bytes: Uint8Array): Node[] {
  const end = bytes.length
  if (end < 23) return [leaf('rest', bytes.subarray(19))]
  const withdrawnEnd = 21 + u16(bytes, 19)
  if (withdrawnEnd + 2 > end) return [leaf('rest', bytes.subarray(19))]
  const attributesEnd = withdrawnEnd + 2 + u16(bytes, withdrawnEnd)
  if (attributesEnd > end) return [leaf('rest', bytes.subarray(19))]
  return [
    lengthed('withdrawn-length', 2, nlri(bytes, 21, withdrawnEnd, 1, 1)),
    lengthed('attributes-length', 2, attributes(bytes, withdrawnEnd + 2, attributesEnd)),
    nlri(bytes, attributesEnd, end, 1, 1),
  ]
}

function attributes(bytes: Uint8Array, at: number, end: number): Node {
  const children: Node[] = []
  while (at + 3 <= end) {
    const wide = (bytes[at]! & 0x10) !== 0
    if (wide && at + 4 > end) break
    const from = at + (wide ? 4 : 3)
    const to = from + (wide ? u16(bytes, at + 2) : bytes[at + 2]!)
    if (to > end) break
    children.push(
      sequence('attribute', [
        leaf('attribute-flags', bytes.subarray(at, at + 1)),
        leaf('attribute-type', bytes.subarray(at + 1, at + 2)),
        lengthed('attribute-length', wide ? 2 : 1, attributeValue(bytes, bytes[at + 1]!, from, to)),
      ]),
    )
    at = to
  }
  if (at < end) children.push(leaf('rest', bytes.subarray(at, end)))
  return sequence('attributes', children)
}

/** Attributes that are lists of things of one size. */
const ITEM_OCTETS: Readonly<Record<number, number>> = { 8: 4, 10: 4, 16: 8, 25: 20, 32: 12 }

function attributeValue(bytes: Uint8Array, type: number, at: number, end: number): Node {
  if ((type === 2 || type === 17) && end - at >= 2) return asPath(bytes, at, end)
  if (type === 14 && end - at >= 5) {
    const hopEnd = at + 4 + bytes[at + 3]!
    if (hopEnd < end) {
      const [afi, safi] = [u16(bytes, at), bytes[at + 2]!]
      return sequence('mp-reach', [
        leaf('afi', bytes.subarray(at, at + 2)),
        leaf('safi', bytes.subarray(at + 2, at + 3)),
        lengthed('next-hop-length', 1, leaf('next-hop', bytes.subarray(at + 4, hopEnd))),
        leaf('snpa', bytes.subarray(hopEnd, hopEnd + 1)),
        nlri(bytes, hopEnd + 1, end, afi, safi),
      ])
    }
  }
  if (type === 15 && end - at >= 3) {
    return sequence('mp-unreach', [
      leaf('afi', bytes.subarray(at, at + 2)),
      leaf('safi', bytes.subarray(at + 2, at + 3)),
      nlri(bytes, at + 3, end, u16(bytes, at), bytes[at + 2]!),
    ])
  }
  const item = ITEM_OCTETS[type]
  if (item !== undefined && end > at && (end - at) % item === 0) {
    return sequence(`items-${item}`, slices(`item-${item}`, bytes, at, end, item))
  }
  // Tunnel encapsulation, BGP-LS, prefix-SID: TLVs of several sorts.
  if (type === 29 || type === 23) return tlvs(bytes, at, end)
  if (type === 40 || type === 26) return shortTlvs(bytes, at, end)
  if (type === 128 && end - at > 4) {
    return sequence('attr-set', [
      leaf('origin-as', bytes.subarray(at, at + 4)),
      attributes(bytes, at + 4, end),
    ])
  }
  return leaf('value', bytes.subarray(at, end))
}

/** type U8, length U16, value. */
function shortTlvs(bytes: Uint8Array, at: number, end: number): Node {
  const children: Node[] = []
  while (at + 3 <= end && at + 3 + u16(bytes, at + 1) <= end) {
    const next = at + 3 + u16(bytes, at + 1)
    children.push(
      sequence('short-tlv', [
        leaf('short-tlv-type', bytes.subarray(at, at + 1)),
        lengthed('short-tlv-length', 2, leaf('value', bytes.subarray(at + 3, next))),
      ]),
    )
    at = next
  }
  if (at < end) children.push(leaf('rest', bytes.subarray(at, end)))
  return sequence('short-tlvs', children)
}

function asPath(bytes: Uint8Array, at: number, end: number): Node {
  const children: Node[] = []
  while (at + 2 <= end && at + 2 + 4 * bytes[at + 1]! <= end) {
    const next = at + 2 + 4 * bytes[at + 1]!
    children.push(
      sequence('segment', [
        leaf('segment-type', bytes.subarray(at, at + 1)),
        leaf('segment-count', bytes.subarray(at + 1, at + 2)),
        ...slices('item-4', bytes, at + 2, next, 4),
      ]),
    )
    at = next
  }
  if (at < end) children.push(leaf('rest', bytes.subarray(at, end)))
  return sequence('as-path', children)
}

function nlri(bytes: Uint8Array, at: number, end: number, afi: number, safi: number): Node {
  const typed = (afi === 25 && safi === 70) || safi === 5
  const linkState = afi === 16388
  const children: Node[] = []
  while (at < end) {
    if (typed) {
      if (at + 2 > end || at + 2 + bytes[at + 1]! > end) break
      const next = at + 2 + bytes[at + 1]!
      children.push(
        sequence('route', [
          leaf('route-type', bytes.subarray(at, at + 1)),
          lengthed('route-length', 1, leaf('route-value', bytes.subarray(at + 2, next))),
        ]),
      )
      at = next
    } else if (linkState) {
      if (at + 4 > end || at + 4 + u16(bytes, at + 2) > end) break
      const next = at + 4 + u16(bytes, at + 2)
      children.push(
        sequence('tlv', [
          leaf('tlv-type', bytes.subarray(at, at + 2)),
          lengthed('tlv-length', 2, leaf('value', bytes.subarray(at + 4, next))),
        ]),
      )
      at = next
    } else if (safi === 133 || safi === 134) {
      if (bytes[at]! >= 0xf0 || at + 1 + bytes[at]! > end) break
      const next = at + 1 + bytes[at]!
      children.push(lengthed('flowspec', 1, leaf('components', bytes.subarray(at + 1, next))))
      at = next
    } else {
      const next = at + 1 + ((bytes[at]! + 7) >> 3)
      if (next > end) break
      children.push(
        sequence('prefix', [
          leaf('bits', bytes.subarray(at, at + 1)),
          leaf('octets', bytes.subarray(at + 1, next)),
        ]),
      )
      at = next
    }
  }
  if (at < end) children.push(leaf('rest', bytes.subarray(at, end)))
  return sequence('nlri', children)
}

function slices(tag: string, bytes: Uint8Array, at: number, end: number, octets: number): Node[] {
  const nodes: Node[] = []
  for (; at < end; at += octets) nodes.push(leaf(tag, bytes.subarray(at, at + octets)))
  return nodes
}

/** A stream cut where its lengths say; what is left over is the last piece. */
export function cutBmp(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = 0
  while (at + 6 <= bytes.length) {
    const length = u32(bytes, at + 1)
    if ((bytes[at] !== 3 && bytes[at] !== 4) || length < 6 || at + length > bytes.length) break
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at))
  return pieces
}

/** MRT records, RFC 6396 section 2. */
export function cutMrt(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = 0
  while (at + 12 <= bytes.length) {
    const length = u32(bytes, at + 8)
    if (at + 12 + length > bytes.length) break
    pieces.push(bytes.subarray(at, at + 12 + length))
    at += 12 + length
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at))
  return pieces
}

/** One MRT record: its header, and in it a BGP message or the paths of a table where one can see them. */
export function mrtTree(bytes: Uint8Array): Node {
  if (bytes.length < 12) return leaf('mrt', bytes)
  const [type, subtype] = [u16(bytes, 4), u16(bytes, 6)]
  return sequence('mrt', [
    leaf('time', bytes.subarray(0, 4)),
    leaf('mrt-type', bytes.subarray(4, 6)),
    leaf('mrt-subtype', bytes.subarray(6, 8)),
    lengthed('mrt-length', 4, sequence('mrt-body', mrtBody(bytes, type, subtype))),
  ])
}

function mrtBody(bytes: Uint8Array, type: number, subtype: number): Node[] {
  const end = bytes.length
  if (type === 13 && subtype >= 2 && subtype <= 5 && end > 17) {
    const prefixEnd = 17 + ((bytes[16]! + 7) >> 3)
    if (prefixEnd + 2 <= end) {
      const entries: Node[] = []
      let at = prefixEnd + 2
      while (at + 8 <= end && at + 8 + u16(bytes, at + 6) <= end) {
        const next = at + 8 + u16(bytes, at + 6)
        entries.push(
          sequence('mrt-entry', [
            leaf('mrt-peer', bytes.subarray(at, at + 2)),
            leaf('time', bytes.subarray(at + 2, at + 6)),
            lengthed('attributes-length', 2, attributes(bytes, at + 8, next)),
          ]),
        )
        at = next
      }
      if (at < end) entries.push(leaf('rest', bytes.subarray(at)))
      return [
        leaf('mrt-sequence', bytes.subarray(12, 16)),
        leaf('prefix', bytes.subarray(16, prefixEnd)),
        leaf('mrt-count', bytes.subarray(prefixEnd, prefixEnd + 2)),
        sequence('mrt-entries', entries),
      ]
    }
  }
  for (let at = 12; at + 19 <= end; at++) {
    if (bytes[at] !== 0xff || bytes[at + 1] !== 0xff || bytes[at + 15] !== 0xff) continue
    const next = at + u16(bytes, at + 16)
    if (next < at + 19 || next > end) continue
    const nodes: Node[] = [
      leaf('mrt-head', bytes.subarray(12, at)),
      bgpTree(bytes.subarray(at, next)),
    ]
    if (next < end) nodes.push(leaf('rest', bytes.subarray(next)))
    return nodes
  }
  return [leaf('rest', bytes.subarray(12))]
}

export function cutBgp(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let at = 0
  while (at + 19 <= bytes.length) {
    const length = u16(bytes, at + 16)
    if (length < 19 || at + length > bytes.length) break
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  if (at < bytes.length) pieces.push(bytes.subarray(at))
  return pieces
}
