/** Inventory: what fabric.yaml says about routers, nodes, VIPs, and how detectors are tuned. */
export {
  contains,
  formatAddress,
  parseAddress,
  parsePrefix,
  type Address,
  type Family,
  type Prefix,
} from './address.ts'
export { type BmpConfig } from './bmp.ts'
export {
  defaultFabric,
  ROLES,
  type FabricConfig,
  type Maintenance,
  type NodeConfig,
  type PrefixNode,
  type Role,
  type RouterConfig,
  type ScopeKey,
  type VipConfig,
  type VrfConfig,
  type VtepConfig,
} from './config.ts'
export { inventoryRows, type InventoryRows } from './inventory.ts'
export { loadFabric, parseFabric, type LoadedFabric } from './load.ts'
export { didYouMean, nearest } from './nearest.ts'
export {
  defaultParams,
  PARAM_KEYS,
  PARAMS,
  type DetectorParams,
  type Param,
  type ParamKey,
} from './params.ts'
export { FabricError, type Warning } from './reader.ts'
export {
  configuredRouter,
  inferFabric,
  type InferredFabric,
  type NodeRowInferred,
  type PeerFact,
  type PeerRowInferred,
  type RouterFact,
  type RouterRowInferred,
} from './infer.ts'
