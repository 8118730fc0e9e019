/**
 * Memory of requests, used again once the socket has written it. A buffer of some megabytes for each request is garbage at once, and
 * makes V8 collect the whole heap every few requests.
 */
import type { Socket } from 'node:net'

/** Smaller ones are not worth it. */
const MIN_OCTETS = 128 << 10
const MAX_FREE = 2

const free: Buffer[] = []
let largest = 0
/** What was lent, and of what it is the beginning. */
const lent = new WeakMap<Uint8Array, Buffer>()

/** @returns of exactly so many octets, their content is anything */
export function takeBuffer(octets: number): Buffer {
  if (octets < MIN_OCTETS) return Buffer.allocUnsafe(octets)
  largest = Math.max(largest, octets)
  const found = free.pop()
  const whole =
    found !== undefined && found.length >= octets ? found : Buffer.allocUnsafeSlow(largest)
  const part = whole.subarray(0, octets)
  lent.set(part, whole)
  return part
}

/** Nobody reads or writes it any more. */
function giveBack(buffer: Uint8Array): void {
  const whole = lent.get(buffer)
  if (whole === undefined || free.length >= MAX_FREE) return
  lent.delete(buffer)
  free.push(whole)
}

/** Makes the socket give back what it was lent. What it could not write stays with whoever still has it. */
export function givesBack<Of extends Pick<Socket, 'write' | 'destroyed'>>(socket: Of): Of {
  const write = socket.write.bind(socket) as (
    chunk: Uint8Array | string,
    encoding: BufferEncoding | undefined,
    done: (error?: Error | null) => void,
  ) => boolean
  socket.write = (
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const done = typeof encoding === 'function' ? encoding : callback
    return write(chunk, typeof encoding === 'function' ? undefined : encoding, (error) => {
      // Of one that was destroyed it hears the same as of one that has written all.
      if (!error && !socket.destroyed && typeof chunk !== 'string') giveBack(chunk)
      done?.(error)
    })
  }
  return socket
}
