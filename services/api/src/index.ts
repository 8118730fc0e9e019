export { createApi, type Api, type ApiDeps } from './api.ts'
export { ApiConfigError, type ApiConfig, type Limits } from './config.ts'
export type { Readiness } from './routes/health.ts'
export type { ApiEvents } from './routes/events.ts'
