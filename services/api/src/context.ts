/** What a route needs: the store, limits and a clock. */
import type { FastifyInstance } from 'fastify'
import type { Limits } from './config.ts'
import type { Reader } from './pool.ts'

export interface Context {
  readonly db: Reader
  readonly limits: Limits
  readonly now: () => Date
}

export type Routes = (app: FastifyInstance, context: Context) => void
