/** Bearer tokens (RFC 6750) from a file: one a line, `#` begins a comment, at least 16 characters each. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { ApiConfigError } from './config.ts'

const TOKEN = /^[A-Za-z0-9\-._~+/]{16,512}=*$/

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export class Tokens {
  readonly #digests: readonly Buffer[]

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digest)
  }

  /** Takes the same time whatever the token and wherever in the file it is. */
  accept(authorization: string | undefined): boolean {
    return this.has(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '')
  }

  /** The same of a token alone. */
  has(token: string): boolean {
    const given = digest(token)
    let found = false
    for (const each of this.#digests) found = timingSafeEqual(each, given) || found
    return found
  }
}

/** @throws ApiConfigError naming file and line */
export async function loadTokens(path: string): Promise<Tokens> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new ApiConfigError(`auth.tokens_file ${path}: ${(cause as Error).message}`)
  }
  const tokens: string[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const token = line.replace(/#.*/, '').trim()
    if (token === '') continue
    if (!TOKEN.test(token)) {
      throw new ApiConfigError(
        `${path}:${String(i + 1)}: expected a token of 16 to 512 letters, digits or -._~+/`,
      )
    }
    tokens.push(token)
  }
  if (tokens.length === 0) throw new ApiConfigError(`${path}: no tokens in it`)
  return new Tokens(tokens)
}
