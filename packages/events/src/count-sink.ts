import { countNlri } from '@ribscope/wire'
import type { NlriField, NlriSink } from '@ribscope/wire'
import type { RouteContext } from './route-extractor.ts'
import type { RowSink } from './sink.ts'

/** Everything is decoded and nothing kept: the session's own counters are the result. */
export class CountSink implements RowSink, NlriSink {
  #rows = 0
  /** Fields of families that are not decoded: each counts as one route, how many it holds is not known. */
  unknownFields = 0

  open(): void {
    // Nothing to keep.
  }

  update(context: RouteContext): void {
    // Other attributes are checked by the index; no row wants their values.
    context.index.checkAsPathNumbers()
  }

  routes(context: RouteContext, field: NlriField): number {
    this.#rows = 0
    const rows = countNlri(context.index, field, this)
    return rows < 0 ? this.#rows : rows
  }

  session(): void {
    // Counted by the session.
  }

  stats(): void {
    // Counted by the session.
  }

  error(): void {
    // Counted by the session.
  }

  prefix(): void {
    this.#rows++
  }

  evpn(): void {
    this.#rows++
  }

  family(): void {
    this.#rows++
  }

  opaque(): void {
    this.#rows++
    this.unknownFields++
  }
}
