/**
 * Simulated fabrics: scenarios as BMP recordings, and a fabric in trouble played live.
 *
 * The encoder under encode/ shares no code with @ribscope/wire, so that the two check each other.
 */
export { fileName, bytesOf, timesOf, writeRecording, type RecordedSession } from './recording.ts'
export {
  DEFAULT_START,
  play,
  type Expectation,
  type Parameters,
  type Played,
  type PlayOptions,
  type Prohibition,
  type Scenario,
  type Truth,
} from './scenario.ts'
export { judge, type Analysis } from './judge.ts'
export { scenarios } from './scenarios/index.ts'
export { writeScenario } from './write.ts'
export { demoFabricYaml } from './demo/fabric.ts'
export { startDemo, type DemoOptions } from './demo/player.ts'
