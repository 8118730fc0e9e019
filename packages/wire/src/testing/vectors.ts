/**
 * Test helper: streams and oracles of other projects, in a folder beside the repository. They are not
 * part of it: tests that need them skip, saying so, where the folder isn't there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

const ROOT = new URL('../../../../../shared/vectors/', import.meta.url)

/** undefined when the vectors are there. */
export const vectorsMissing: string | undefined = existsSync(new URL('manifest.json', ROOT))
  ? undefined
  : `no vectors in ${fileURLToPath(ROOT)}`

/** Counts made by the collector of the vectors, with a reader of its own. */
export interface VectorFacts {
  readonly fam?: Readonly<Record<string, number>>
  readonly eor?: Readonly<Record<string, number>>
  readonly msgs?: Readonly<Record<string, number>>
  readonly bgp?: Readonly<Record<string, number>>
  readonly bad?: readonly unknown[]
}

export interface VectorFile {
  readonly file: string
  readonly kind?: 'bmp' | 'bgp'
  readonly facts: VectorFacts
  readonly oracles?: readonly string[]
}

export interface HexVector {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly hex: string
  readonly facts?: VectorFacts
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the oracle's JSON, as it is
  readonly expect?: any
}

export function readVector(path: string): Uint8Array {
  const bytes = readFileSync(new URL(path, ROOT))
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

export function listVectors(): VectorFile[] {
  return JSON.parse(Buffer.from(readVector('manifest.json')).toString()) as VectorFile[]
}

export function readHexVectors(path: string): HexVector[] {
  const file = JSON.parse(Buffer.from(readVector(path)).toString()) as { vectors: HexVector[] }
  return file.vectors
}

export function readLines(path: string): unknown[] {
  return Buffer.from(readVector(path))
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown)
}
