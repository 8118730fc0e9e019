/** Test helper: certificates as an operator makes them, by openssl. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Pair {
  readonly cert: string
  readonly key: string
}

export class Authority {
  readonly folder = mkdtempSync(join(tmpdir(), 'ribscope-tls-'))
  readonly ca = join(this.folder, 'ca.pem')
  readonly #key = join(this.folder, 'ca.key')
  #serial = 0

  constructor(name: string) {
    openssl(
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${name}`,
      [...['-keyout', this.#key, '-out', this.ca]],
    )
  }

  /** A certificate for 127.0.0.1, as server and client. */
  issue(name: string): Pair {
    const path = (end: string): string => join(this.folder, `${name}.${end}`)
    openssl(`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${name}`, [
      ...['-keyout', path('key'), '-out', path('csr')],
    ])
    writeFileSync(path('ext'), 'subjectAltName=IP:127.0.0.1\n')
    openssl(`x509 -req -days 2 -set_serial ${++this.#serial}`, [
      ...['-CA', this.ca, '-CAkey', this.#key, '-in', path('csr'), '-out', path('pem')],
      ...['-extfile', path('ext')],
    ])
    return { cert: path('pem'), key: path('key') }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function openssl(words: string, more: readonly string[]): void {
  execFileSync('openssl', [...words.split(' '), ...more], { stdio: 'pipe' })
}
