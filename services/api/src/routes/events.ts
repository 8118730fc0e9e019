/** GET /events: changes as they happen, as server-sent events (WHATWG HTML section 9.2). */
import type { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { parsePrefix } from '@ribscope/fabric'
import type { FastifyInstance } from 'fastify'
import { badRequest, ProblemError } from '../problem.ts'
import { words, type Row } from '../rows.ts'
import * as s from '../schemas.ts'

/**
 * What other parts emit: a finding or incident as the API shows it (times RFC 3339), after it is stored; a peer or route change.
 */
export interface ApiEvents {
  finding: [Row]
  incident: [Row]
  peer: [Row]
  route: [Row]
}

/** A source that looks for changes only while somebody listens. */
export interface Watched {
  watch(): Promise<void>
  unwatch(): void
  stop(): void
}

const TYPES = ['finding', 'incident', 'peer', 'route'] as const
type Type = (typeof TYPES)[number]

/** Kept for clients that come back with Last-Event-ID. */
const KEPT = 512
const HEARTBEAT_MS = 15_000
/** A reader that is this far behind is cut off: it reconnects and gets what is kept. */
const MAX_BEHIND_OCTETS = 1024 * 1024
const ELSEWHERE_US = 2_000_000

interface Sent {
  readonly id: number
  readonly type: Type
  readonly data: Row
}

interface Listener {
  readonly wants: (event: Sent) => boolean
  readonly out: ServerResponse
}

export class EventHub {
  readonly #kept: Sent[] = []
  readonly #listeners = new Set<Listener>()
  readonly #max: number
  readonly #heartbeat: NodeJS.Timeout
  readonly #detach: () => void
  readonly #watched: Watched | undefined
  /** Who waits for its first octet. */
  #coming = 0
  // Ids go on growing over a restart, so that an id of before is recognised as old.
  #id = Date.now() * 1000

  constructor(source: EventEmitter<ApiEvents> & Partial<Watched>, max: number) {
    this.#max = max
    this.#watched = isWatched(source) ? source : undefined
    const handlers = TYPES.map((type) => {
      const handler = (data: Row): void => this.#send(type, data)
      source.on(type, handler)
      return () => source.off(type, handler)
    })
    this.#detach = () => handlers.forEach((each) => each())
    this.#heartbeat = setInterval(() => {
      for (const each of this.#listeners) this.#write(each, ': still here\n\n')
    }, HEARTBEAT_MS)
    this.#heartbeat.unref()
  }

  get full(): boolean {
    return this.#listeners.size + this.#coming >= this.#max
  }

  /** Before the first octet is sent: what changes from then on is not missed. */
  async ready(): Promise<void> {
    this.#coming++
    try {
      await this.#watched?.watch()
    } finally {
      this.#coming--
    }
  }

  add(out: ServerResponse, wants: Listener['wants'], after: number | undefined): void {
    const listener = { out, wants }
    // Who left while the store was asked closes no more.
    if (out.destroyed) {
      this.#remove(listener)
      return
    }
    this.#listeners.add(listener)
    out.once('close', () => {
      this.#remove(listener)
    })
    this.#write(listener, ': ribscope\nretry: 2000\n\n')
    if (after === undefined) return
    // Of another process of the API: its look at the store was up to a second before or after the one of this.
    const mine = this.#watched === undefined || this.#kept.some(({ id }) => id === after)
    for (const event of this.#kept) {
      if (event.id > (mine ? after : after - ELSEWHERE_US) && wants(event))
        this.#write(listener, format(event))
    }
  }

  stop(): void {
    clearInterval(this.#heartbeat)
    this.#detach()
    this.#watched?.stop()
    for (const { out } of this.#listeners) out.end()
    this.#listeners.clear()
  }

  #send(type: Type, data: Row): void {
    this.#id =
      this.#watched === undefined ? this.#id + 1 : Math.max(this.#id + 1, Date.now() * 1000)
    const event = { id: this.#id, type, data }
    this.#kept.push(event)
    if (this.#kept.length > KEPT) this.#kept.shift()
    let text: string | undefined
    for (const listener of this.#listeners) {
      if (listener.wants(event)) this.#write(listener, (text ??= format(event)))
    }
  }

  #write(listener: Listener, text: string): void {
    const { out } = listener
    if (out.writableLength > MAX_BEHIND_OCTETS) {
      this.#remove(listener)
      out.destroy()
      return
    }
    out.write(text)
  }

  #remove(listener: Listener): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size + this.#coming === 0) this.#watched?.unwatch()
  }
}

const isWatched = (source: Partial<Watched>): source is Watched => source.watch !== undefined

// JSON has no raw line breaks, so that one data line is always enough.
const format = ({ id, type, data }: Sent): string =>
  `id: ${String(id)}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`

interface Query {
  readonly type?: string[]
  readonly kind?: string[]
  readonly severity?: string[]
  readonly vip?: string
  readonly node?: string
  readonly router?: string
}

/** A filter leaves out what does not have the field; incidents and peers have no kind. */
function filterOf(query: Query): Listener['wants'] {
  const types = new Set(words(query.type))
  const kinds = new Set(words(query.kind))
  const severities = new Set(words(query.severity))
  const vip = query.vip === undefined ? undefined : parsePrefix(query.vip)?.text
  if (query.vip !== undefined && vip === undefined) {
    throw badRequest(`vip ${JSON.stringify(query.vip)}: expected a prefix`, 'bad-prefix')
  }
  return ({ type, data }) => {
    const scope = { ...data, ...(data['scope'] as Row | undefined) }
    const { node, router, tor, tors } = scope
    return (
      (types.size === 0 || types.has(type)) &&
      (kinds.size === 0 || kinds.has(String(data['kind']))) &&
      (severities.size === 0 || severities.has(String(data['severity']))) &&
      (vip === undefined || scope['vip'] === vip || scope['prefix'] === vip) &&
      (query.node === undefined || node === query.node) &&
      (query.router === undefined ||
        router === query.router ||
        tor === query.router ||
        (Array.isArray(tors) && tors.includes(query.router)))
    )
  }
}

export function eventRoutes(app: FastifyInstance, hub: EventHub): void {
  app.get<{ Querystring: Query }>(
    '/events',
    {
      schema: {
        tags: ['events'],
        summary: 'Changes as they happen: server-sent events',
        description:
          'Events finding, incident, peer, route; data is JSON. Last-Event-ID continues where it broke, as far as that is kept.',
        querystring: s.query({
          type: s.wordsOf('finding, incident, peer, route'),
          kind: s.wordsOf('kind of finding'),
          severity: s.wordsOf('info, minor, major, critical'),
          vip: s.about(s.parameters.prefix, 'vip or prefix of the scope'),
          node: s.parameters.node,
          router: s.parameters.router,
        }),
        response: {
          200: { description: 'a stream', content: { 'text/event-stream': { schema: s.string } } },
          ...s.failures,
        },
      },
    },
    async (request, reply) => {
      const wants = filterOf(request.query)
      if (hub.full)
        throw new ProblemError(503, 'too many listeners', 'busy', { 'retry-after': '5' })
      await hub.ready()
      const last = request.headers['last-event-id']
      reply.hijack()
      reply.raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        // A proxy that buffers would hold events back.
        'x-accel-buffering': 'no',
      })
      hub.add(
        reply.raw,
        wants,
        typeof last === 'string' && /^\d{1,16}$/.test(last) ? Number(last) : undefined,
      )
    },
  )
}
