export { checkCreation, type DeploymentCreation } from './check-creation.js'
export { checkDeployment, type DeploymentExpectation } from './check-deployment.js'
export { type DeployOptions, deployAll } from './deploy-all.js'
export { deployMarket, type MarketDeployment } from './deploy-market.js'
export { type Deployment, formatDeployment, type PoolContracts, parseDeployment } from './deployment.js'
export { createDeployments, type Deployments, deploymentFor, publicDeployments } from './deployments.js'
export {
  type Allocation,
  type FoundPoolOptions,
  foundPool,
  type GovernanceOptions,
  type VestingSchedule,
} from './found-pool.js'
