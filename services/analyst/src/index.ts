export { Analyst, findingJson, incidentJson } from './analyst.ts'
export type { AnalystOptions, RoundResult } from './analyst.ts'
export { LeaseError, LeaseKeeper, leasedStore } from './lease.ts'
export type { Lease, LeaseHooks, LeaseTimes, Work } from './lease.ts'
