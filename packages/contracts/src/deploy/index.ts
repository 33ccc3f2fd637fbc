export { checkDeployment, type DeployOptions, deployAll } from './deploy-all.js'
export { deployMarket, type MarketDeployment } from './deploy-market.js'
export { type Deployment, formatDeployment, type PoolContracts, parseDeployment } from './deployment.js'
export { type FoundPoolOptions, foundPool, type GovernanceOptions } from './found-pool.js'
