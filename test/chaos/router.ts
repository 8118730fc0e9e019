/** A simulated router: a BMP client over TCP that never stops changing, reconnects anywhere, and keeps what it said. */
import { connect, type Socket } from 'node:net'
import { encodeInitiation, encodeTermination } from '../../packages/simulator/src/encode/bmp.ts'
import { Random } from '../../packages/simulator/src/model/random.ts'
import { SimulatedPeer, type Said } from './table.ts'
import type { Life, SessionTruth } from './truth.ts'

/** A collector as routers see it. */
export interface Door {
  readonly port: number
  readonly life: Life
  /** It does not read: who connects now is not let in before it does. */
  readonly frozen: boolean
}

export interface RouterOptions {
  readonly number: number
  readonly seed: number
  readonly peers: number
  /** routes of a peer, roughly */
  readonly routes: number
  /** milliseconds between changes, on average */
  readonly paceMs: number
  readonly doors: () => readonly Door[]
}

interface Session {
  readonly truth: SessionTruth
  readonly socket: Socket
  ending: boolean
}

const RECONNECT_MS = 300
/** What lies in our own memory: the collector is slow, the router waits. */
const MAX_UNSENT_OCTETS = 64 << 10
/** Without a connection little happens, so that the next dump has something to reconcile. */
const DEAF_SHARE = 0.1

export class SimulatedRouter {
  readonly name: string
  readonly sessions: SessionTruth[] = []
  readonly peers: readonly SimulatedPeer[]
  readonly #options: RouterOptions
  readonly #random: Random
  readonly #source: string
  #session: Session | undefined
  #timer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #idle = false
  #stopped = false

  constructor(options: RouterOptions) {
    const { number, seed, peers, routes } = options
    this.#options = options
    this.name = `tor${number}`
    this.#random = new Random(seed * 1009 + number)
    this.#source = `127.1.${number >> 8}.${number & 255}`
    // Two neighbours have the same nodes, as pairs of ToRs have.
    const pair = number >> 1
    this.peers = Array.from({ length: peers }, (_, i) => {
      const kind = (i % 4) as 0 | 1 | 2 | 3
      const id = `10.${100 + (pair >> 8)}.${pair & 255}.${i + 1}`
      return new SimulatedPeer(this.#random, kind, id, routes)
    })
    for (const peer of this.peers) peer.comeUp()
  }

  get session(): SessionTruth | undefined {
    return this.#session?.truth
  }

  start(): void {
    this.#connect()
    this.#next()
  }

  /** No more changes; connections that end are still taken up again. */
  rest(): void {
    this.#idle = true
    clearTimeout(this.#timer)
  }

  wake(): void {
    this.#idle = false
    this.#next()
  }

  /** Ends the session in order, as for a change of its configuration, and connects again: to any collector. */
  move(): void {
    const session = this.#session
    if (session === undefined || session.ending) return
    session.ending = true
    if (this.#random.next() < 0.5) {
      session.truth.facts.push('termination')
      session.socket.write(encodeTermination(0))
    }
    session.truth.end = 'fin'
    session.socket.end()
    this.#session = undefined
    // Some do not wait for the old connection to be gone.
    if (this.#random.next() < 0.5) this.#connect()
    else this.#later()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    clearTimeout(this.#retry)
    this.#session?.socket.destroy()
  }

  *held(): Generator<string> {
    for (const peer of this.peers) if (peer.up) yield* peer.held()
  }

  #later(): void {
    if (this.#stopped) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(
      () => {
        this.#connect()
      },
      RECONNECT_MS * (0.5 + this.#random.next()),
    )
  }

  #connect(): void {
    clearTimeout(this.#retry)
    if (this.#stopped || this.#session !== undefined) return
    const open = this.#options.doors().filter(({ frozen }) => !frozen)
    const door = open[this.#random.between(0, open.length - 1)]
    if (door === undefined) return this.#later()
    const truth: SessionTruth = {
      router: this.name,
      tag: `chaos ${this.name} ${this.sessions.length + 1}`,
      life: door.life,
      ...{ routes: [], facts: [], end: 'open', closedAt: undefined },
    }
    const { port } = door
    const socket = connect({ port, host: '127.0.0.1', localAddress: this.#source, noDelay: true })
    const session: Session = { truth, socket, ending: false }
    this.#session = session
    socket.resume()
    socket.on('error', () => {
      if (truth.end === 'fin') truth.end = 'lost'
    })
    socket.on('connect', () => {
      this.sessions.push(truth)
      socket.write(encodeInitiation(truth.tag, this.name))
      for (const peer of this.peers) if (peer.up) this.#say(peer.dump(now()), session)
    })
    socket.on('close', () => {
      if (truth.end === 'fin') truth.closedAt = performance.now()
      else truth.end = 'lost'
      if (this.#session !== session) return
      this.#session = undefined
      this.#later()
    })
  }

  /** What is said is the truth when it goes to the socket, whether or not it arrives. */
  #say({ bytes, routes, facts }: Said, session = this.#session): void {
    if (session === undefined || session.ending || session.truth.end !== 'open') return
    if (session.socket.connecting) return
    session.truth.routes.push(...routes)
    session.truth.facts.push(...facts)
    session.socket.write(Buffer.concat(bytes))
  }

  #next(): void {
    clearTimeout(this.#timer)
    if (this.#idle || this.#stopped) return
    const wait = this.#options.paceMs * 2 * this.#random.next()
    this.#timer = setTimeout(() => {
      this.#change()
      this.#next()
    }, wait)
  }

  #change(): void {
    const socket = this.#session?.socket
    const connected = socket !== undefined && !socket.connecting
    if (socket?.connecting === true) return
    if (connected && socket.writableLength > MAX_UNSENT_OCTETS) return
    if (!connected && this.#random.next() > DEAF_SHARE) return
    const peer = this.peers[this.#random.between(0, this.peers.length - 1)]!
    const chance = this.#random.next()
    if (!peer.up) {
      if (chance > 0.3) return
      peer.comeUp()
      this.#say(peer.dump(now()))
    } else this.#say(chance < 0.03 ? peer.goDown(now()) : peer.change(now()))
  }
}

const now = (): number => Date.now() * 1000
