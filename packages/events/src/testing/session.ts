/** Test helper: a BMP session on a clock of the test's own, its rows as objects. */
import { JsonSink, JSON_TABLES } from '../json-sink.ts'
import { RouterSession } from '../session.ts'
import type { SessionEnd, SessionOptions } from '../session.ts'

export const T0 = 1_800_000_000_000_000

export type Row = Record<string, unknown> & { readonly table: string; readonly seq: number }

export class TestSession {
  readonly session: RouterSession
  readonly #sink: JsonSink
  readonly #lines: string[] = []

  constructor(options: Partial<SessionOptions> = {}) {
    const decoder = new TextDecoder()
    this.#sink = new JsonSink({
      write: (bytes) => {
        this.#lines.push(...decoder.decode(bytes).trimEnd().split('\n'))
      },
      tables: new Set(JSON_TABLES),
      withTable: true,
    })
    this.session = new RouterSession({
      collector: 'c1',
      source: '192.0.2.254',
      openedUs: T0,
      ...options,
      out: this.#sink,
    })
  }

  /** @param seconds since the session began */
  at(seconds: number, ...messages: readonly (readonly number[])[]): this {
    this.session.push(Uint8Array.from(messages.flat()), T0 + seconds * 1e6)
    return this
  }

  tick(seconds: number): this {
    this.session.tick(T0 + seconds * 1e6)
    return this
  }

  /** Nobody listened from one second to the other. */
  held(from: number, to: number): this {
    this.session.held(T0 + from * 1e6, T0 + to * 1e6)
    return this
  }

  end(how: SessionEnd, seconds: number): this {
    this.session.end(how, T0 + seconds * 1e6)
    return this
  }

  rows(table?: string): Row[] {
    this.#sink.flush()
    const rows = this.#lines.map((line) => JSON.parse(line) as Row)
    return table === undefined ? rows : rows.filter((row) => row.table === table)
  }

  /** Session rows of one kind. */
  kind(kind: string): Row[] {
    return this.rows('session_events').filter((row) => row['kind'] === kind)
  }
}
