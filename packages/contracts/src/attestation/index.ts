export {
  bringTdxCollateral,
  deployTdxVerifier,
  type TdxCollateralFiles,
  type TdxVerifierContracts,
} from './tdx-collateral.js'
export {
  encodeTdxEvidence,
  splitTdxQuote,
  type TdxEvidence,
  type TdxVerdict,
  tdxStatuses,
  verifyTdxQuote,
} from './tdx-evidence.js'
