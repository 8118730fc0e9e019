import { DecodeError, type DecodeCode, type Handling } from './errors.ts'

/**
 * A bounded place in bytes: state only. Reading is free functions, all through one bounds check;
 * offsets stay absolute. Not for the hot path (`update-index.ts`), which works on offsets alone.
 */
export interface Cursor {
  readonly bytes: Uint8Array
  readonly view: DataView
  pos: number
  readonly end: number
  /** Where this is in the message, for errors. */
  readonly path: string
  /** The clause that lays the field out, for errors. */
  readonly spec: string
}

/** A DataView of exactly these octets. */
export function viewOf(bytes: Uint8Array): DataView {
  // A Buffer is often a window into a larger pool: keep its own byteOffset.
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A copy of `bytes[start..end)`. Not slice(): of a Buffer, which most bytes are in, that is a view. */
export function copyOf(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end))
}

export function cursorOver(
  bytes: Uint8Array,
  start: number,
  end: number,
  path: string,
  spec: string,
  view: DataView = viewOf(bytes),
): Cursor {
  return { bytes, view, pos: start, end, path, spec }
}

export function remaining(c: Cursor): number {
  return c.end - c.pos
}

/**
 * Cuts the next `octets` off and moves past them first, so that a bad child can't desync its
 * successor.
 */
export function enter(c: Cursor, octets: number, name: string, spec: string = c.spec): Cursor {
  need(c, octets)
  const start = c.pos
  c.pos = start + octets
  return {
    bytes: c.bytes,
    view: c.view,
    pos: start,
    end: start + octets,
    path: `${c.path}.${name}`,
    spec,
  }
}

export function need(c: Cursor, octets: number): void {
  if (c.end - c.pos < octets) {
    throw new DecodeError('TRUNCATED', `${c.end - c.pos} octets left, expected ${octets}`, {
      offset: c.pos,
      length: c.end - c.pos,
      path: c.path,
      spec: c.spec,
    })
  }
}

/** @throws DecodeError about the field at `offset` */
export function fail(
  c: Cursor,
  code: DecodeCode,
  offset: number,
  detail: string,
  handling: Handling = 'none',
): never {
  throw new DecodeError(code, detail, {
    offset,
    length: Math.max(0, c.end - offset),
    path: c.path,
    spec: c.spec,
    handling,
  })
}

export function readU8(c: Cursor): number {
  need(c, 1)
  return c.view.getUint8(c.pos++)
}

export function readU16(c: Cursor): number {
  need(c, 2)
  const value = c.view.getUint16(c.pos)
  c.pos += 2
  return value
}

export function readU24(c: Cursor): number {
  need(c, 3)
  const value = (c.view.getUint16(c.pos) << 8) | c.view.getUint8(c.pos + 2)
  c.pos += 3
  return value
}

export function readU32(c: Cursor): number {
  need(c, 4)
  const value = c.view.getUint32(c.pos)
  c.pos += 4
  return value
}

export function readU64(c: Cursor): bigint {
  need(c, 8)
  const value = c.view.getBigUint64(c.pos)
  c.pos += 8
  return value
}

/** Moves past `octets` and returns where they began: formatters take (bytes, at). */
export function skip(c: Cursor, octets: number): number {
  need(c, octets)
  const at = c.pos
  c.pos += octets
  return at
}
