export {
  appointIssuerCall,
  dismissIssuerCall,
  type IssuerPlace,
  revokePermitCall,
} from './permit-calls.js'
export { formatPermit, parsePermit } from './permit-text.js'
export {
  type PermitPlace,
  permitDigest,
  permitTypedData,
  permitTypes,
  type QueryPermit,
  type SignedPermit,
  signPermit,
} from './query-permit.js'
export { type Appointment, getAppointment, getPermit, type PermitStanding } from './read-permit.js'
export { approveByGrant, redeemPermit, resignIssuer, revokePermit } from './redeem-permit.js'
