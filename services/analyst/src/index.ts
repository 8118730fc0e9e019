export { Analyst, findingJson } from './analyst.ts'
export type { AnalystOptions, RoundResult } from './analyst.ts'
