/** Mutations: of bytes, knowing nothing, and of message trees, keeping everything else right. */
import type { Random } from './random.ts'
import {
  bgpTree,
  bmpTree,
  clone,
  leaf,
  mrtTree,
  nodesOf,
  sequence,
  serialise,
  type Leaf,
  type Lengthed,
  type Node,
  type Sequence,
} from './tree.ts'

/** No BGP message is longer (RFC 8654), no BMP message of ours needs to be. */
export const MAX_OCTETS = 1 << 16

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 16, 24, 32, 33, 48, 63, 64, 127, 128, 129, 254, 255]
/** Type codes of attributes, route types, families, messages: worth trying anywhere. */
const CODES = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 22, 23, 25, 26, 29, 32, 35, 36, 40, 64,
  65, 66, 69, 70, 71, 72, 73, 85, 128, 132, 133, 134, 255,
]

export type Shape = 'bmp' | 'bgp' | 'mrt'

const TREES = { bmp: bmpTree, bgp: bgpTree, mrt: mrtTree }

/** One to four mutations of one message. `others`: where pieces may be taken from. */
export function mutateMessage(
  bytes: Uint8Array,
  shape: Shape,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let result = bytes
  const rounds = 1 + random.below(4)
  for (let i = 0; i < rounds; i++) {
    result = random.oneIn(4)
      ? mutateBytes(result, others, random)
      : mutateTree(result, shape, others, random)
  }
  return result.length > MAX_OCTETS ? result.subarray(0, MAX_OCTETS) : result
}

export function mutateBytes(
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  if (bytes.length === 0) return random.bytes(1 + random.below(64))
  const at = random.below(bytes.length)
  switch (random.below(9)) {
    case 0:
      return changed(bytes, at, bytes[at]! ^ (1 << random.below(8)))
    case 1:
      return changed(bytes, at, random.pick(INTERESTING))
    case 2:
      return changed(bytes, at, bytes[at]! + random.pick([1, -1, 2, -2, 16, -16]))
    case 3:
      return changed(bytes, at, random.u32())
    case 4:
      return bytes.subarray(0, at)
    case 5: {
      const to = Math.min(bytes.length, at + 1 + random.below(16))
      return joined(bytes.subarray(0, at), bytes.subarray(to))
    }
    case 6:
      return joined(bytes.subarray(0, at), random.bytes(1 + random.below(16)), bytes.subarray(at))
    case 7: {
      const to = Math.min(bytes.length, at + 1 + random.below(64))
      return joined(bytes.subarray(0, to), bytes.subarray(at))
    }
    default: {
      if (others.length === 0) return bytes
      const other = random.pick(others)
      const from = other.length === 0 ? 0 : random.below(other.length)
      return joined(bytes.subarray(0, at), other.subarray(from, from + 1 + random.below(256)))
    }
  }
}

function mutateTree(
  bytes: Uint8Array,
  shape: Shape,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  const tree = TREES[shape]
  const root = clone(tree(bytes))
  const nodes = nodesOf(root)
  const node = random.pick(nodes)
  switch (node.kind) {
    case 'leaf':
      if (random.oneIn(3) && others.length > 0) {
        const found = sameTag(tree(random.pick(others)), node.tag, random)
        if (found?.kind === 'leaf') node.bytes = found.bytes.slice()
      } else node.bytes = mutateLeaf(node.bytes, random)
      break
    case 'sequence':
      mutateSequence(node, nodes, tree, others, random)
      break
    case 'lengthed':
      mutateLength(node, tree, others, random)
      break
  }
  return serialise(root)
}

/** Values whose first octet is a code or a number of bits more often than chance would have it. */
function mutateLeaf(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length <= 2) {
    if (bytes.length === 0) return random.bytes(1 + random.below(8))
    return changed(bytes, bytes.length - 1, random.pick(random.oneIn(2) ? CODES : INTERESTING))
  }
  switch (random.below(6)) {
    case 0:
      return bytes.subarray(0, random.below(bytes.length))
    case 1:
      return joined(bytes, random.bytes(1 + random.below(12)))
    case 2:
      return new Uint8Array(bytes.length).fill(random.pick([0, 0xff, 0x80]))
    case 3:
      return joined(bytes, bytes)
    default:
      return mutateBytes(bytes, [], random)
  }
}

function mutateSequence(
  node: Sequence,
  nodes: readonly Node[],
  tree: (bytes: Uint8Array) => Node,
  others: readonly Uint8Array[],
  random: Random,
): void {
  const { children } = node
  if (children.length === 0 || random.oneIn(4)) {
    // Something of another message, in place or beside.
    const wanted = children.length === 0 ? undefined : random.pick(children).tag
    const source = others.length === 0 ? undefined : tree(random.pick(others))
    const found = source && wanted !== undefined ? sameTag(source, wanted, random) : undefined
    const piece = found ?? (source ? random.pick(nodesOf(source)) : leaf('random', random.bytes(8)))
    children.splice(random.below(children.length + 1), random.below(2), clone(piece))
    return
  }
  const at = random.below(children.length)
  const child = children[at]!
  switch (random.below(6)) {
    case 0:
      children.splice(at, 1)
      break
    case 1:
      children.splice(at, 0, clone(child))
      break
    case 2: {
      // Many of the same: how does it do with long lists?
      const times = 2 ** random.below(9)
      if (times * serialise(child).length < MAX_OCTETS) {
        children.splice(at, 0, ...Array.from({ length: times }, () => clone(child)))
      }
      break
    }
    case 3: {
      // With the last one half of the time: what stands at a message's end is what is read beyond it.
      const other = random.oneIn(2) ? children.length - 1 : random.below(children.length)
      children[at] = children[other]!
      children[other] = child
      break
    }
    case 4:
      children.length = at
      break
    default:
      // A message within a message, an attribute within an attribute.
      children.splice(at, 1, sequence(child.tag, [child, clone(random.pick(nodes))]))
  }
}

function mutateLength(
  node: Lengthed,
  tree: (bytes: Uint8Array) => Node,
  others: readonly Uint8Array[],
  random: Random,
): void {
  const real = serialise(node.child).length + node.extra
  const most = 256 ** node.width - 1
  if (random.oneIn(4)) {
    const found =
      others.length === 0 ? undefined : sameTag(tree(random.pick(others)), node.tag, random)
    if (found?.kind === 'lengthed') node.child = clone(found.child)
    return
  }
  if (random.oneIn(3)) {
    // What it holds ends early, or goes on, and the length still says what it said: everything around it
    // is right, this alone reaches into what follows.
    const last = lastLeaf(node.child)
    if (last !== undefined) {
      const by = 1 + random.below(3)
      last.bytes = random.oneIn(3)
        ? joined(last.bytes, random.bytes(by))
        : last.bytes.subarray(0, Math.max(0, last.bytes.length - by))
      node.lie = real
    }
    return
  }
  const lie = random.pick([
    0,
    1,
    real - 1,
    real + 1,
    real + 2,
    real >> 1,
    real * 2,
    most,
    random.u32(),
  ])
  node.lie = Math.max(0, Math.min(most, lie))
}

function lastLeaf(node: Node): Leaf | undefined {
  const leaves = nodesOf(node).filter((each) => each.kind === 'leaf')
  return leaves.findLast(({ bytes }) => bytes.length > 0)
}

/** A node of that tag in the tree, any. */
function sameTag(root: Node, tag: string, random: Random): Node | undefined {
  const found = nodesOf(root).filter((node) => node.tag === tag)
  return found.length === 0 ? undefined : random.pick(found)
}

/** A stream of messages: some mutated, left out, doubled, exchanged, taken from other streams; bytes, too. */
export function mutateStream(
  messages: readonly Uint8Array[],
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  const result = [...messages]
  const rounds = 1 + random.below(6)
  for (let i = 0; i < rounds && result.length > 0; i++) {
    const at = random.below(result.length)
    switch (random.below(7)) {
      case 0:
        result.splice(at, 1)
        break
      case 1:
        result.splice(random.below(result.length), 0, result[at]!)
        break
      case 2: {
        const other = random.below(result.length)
        const kept = result[at]!
        result[at] = result[other]!
        result[other] = kept
        break
      }
      case 3:
        if (others.length > 0) result.splice(at, 0, random.pick(others))
        break
      default:
        result[at] = mutateMessage(result[at]!, 'bmp', others, random)
    }
  }
  let bytes = joined(...result)
  if (random.oneIn(8)) bytes = mutateBytes(bytes, others, random)
  return bytes.length > 4 * MAX_OCTETS ? bytes.subarray(0, 4 * MAX_OCTETS) : bytes
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = value
  return copy
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
