export { checkDeployment, type DeployOptions, deployAll } from './deploy-all.js'
export type { Deployment, PoolContracts } from './deployment.js'
export { type FoundPoolOptions, foundPool, type GovernanceOptions } from './found-pool.js'
