export { Analyst, findingJson, incidentJson } from './analyst.ts'
export type { AnalystOptions, RoundResult } from './analyst.ts'
