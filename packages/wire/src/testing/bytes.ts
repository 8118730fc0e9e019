/** Test helper: commented hex to bytes. `;` and `#` begin a comment that ends with the line. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/[;#].*$/gm, '').replace(/\s+/g, '')
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new Error(`not hex: ${text}`)
  return Uint8Array.from(digits.match(/../g) ?? [], (octet) => parseInt(octet, 16))
}

/** Test helper: what `run` throws. */
export function rejection(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('expected a rejection')
}

function be(value: number, octets: number): number[] {
  return Array.from({ length: octets }, (_, i) => Math.floor(value / 256 ** (octets - 1 - i)) & 255)
}

/** Test helper: a BGP message around a body. */
export function bgp(type: number, body: Uint8Array): Uint8Array {
  return Uint8Array.from([
    ...new Array<number>(16).fill(255),
    ...be(19 + body.length, 2),
    type,
    ...body,
  ])
}

/** Test helper: an UPDATE of its three parts, as hex. */
export function update(parts: {
  withdrawn?: string
  attributes?: string
  nlri?: string
}): Uint8Array {
  const withdrawn = hex(parts.withdrawn ?? '')
  const attributes = hex(parts.attributes ?? '')
  return bgp(
    2,
    Uint8Array.from([
      ...be(withdrawn.length, 2),
      ...withdrawn,
      ...be(attributes.length, 2),
      ...attributes,
      ...hex(parts.nlri ?? ''),
    ]),
  )
}

/** Test helper: a BMP message around a body. */
export function bmp(type: number, body: Uint8Array, version = 3): Uint8Array {
  return Uint8Array.from([version, ...be(6 + body.length, 4), type, ...body])
}
