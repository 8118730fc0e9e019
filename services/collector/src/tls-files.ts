import { readFileSync, statSync } from 'node:fs'
import { constants } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import type { TlsFiles } from './config.ts'

/** A certificate or key is not there or of no use: which file and why, in one line. The caller's mistake. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError'
  readonly exitCode = 2
}

/** @throws TlsFileError */
export function readTlsFiles(files: TlsFiles): SecureContextOptions {
  const cert = read('certificate', files.cert, '-----BEGIN CERTIFICATE-----')
  const key = read('key', files.key, 'PRIVATE KEY-----')
  const ca = read('certificate of an authority', files.ca, '-----BEGIN CERTIFICATE-----')
  const options: SecureContextOptions = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
    // A router that resumes a session would not be asked for its certificate again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
  for (const [file, only] of [
    [files.ca, { ca }],
    [files.cert, { cert }],
    [files.key, { key }],
    [files.key, options],
  ] as const) {
    if (file !== undefined) check(file, only)
  }
  return options
}

/** When one of the files was last written; changes when one of them is another one. */
export function writtenAt({ cert, key, ca }: TlsFiles): string {
  return [cert, key, ca]
    .filter((file) => file !== undefined)
    .map((file) => {
      const { mtimeMs, ino, size } = statSync(file, { throwIfNoEntry: false }) ?? {}
      return `${String(mtimeMs)} ${String(ino)} ${String(size)}`
    })
    .join()
}

function read(what: string, file: string | undefined, holds: string): Buffer | undefined {
  if (file === undefined) return undefined
  let octets: Buffer
  try {
    octets = readFileSync(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = /^[A-Z0-9_]+: ([^,]+)/.exec(message)?.[1] ?? code ?? message
    throw new TlsFileError(`${file}: ${reason} (${what} of BMP over TLS)`)
  }
  if (!octets.includes(holds)) {
    throw new TlsFileError(`${file}: no ${what} in PEM (of BMP over TLS)`)
  }
  return octets
}

function check(file: string, options: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const reason = code.includes('KEY_VALUES_MISMATCH')
      ? 'the key is not that of the certificate'
      : message.replace(/^error:[0-9A-F]+:/i, '')
    throw new TlsFileError(`${file}: ${reason} (BMP over TLS)`)
  }
}
