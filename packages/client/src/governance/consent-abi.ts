const inputs = [
  { name: 'pool', type: 'address' },
  { name: 'digest', type: 'bytes32' },
] as const

/** An owner's consent, of the whole ABI of the contract `Approvals`; a test compares the two. */
export const consentAbi = [
  { type: 'function', name: 'consent', stateMutability: 'nonpayable', inputs, outputs: [] },
  { type: 'function', name: 'withdrawConsent', stateMutability: 'nonpayable', inputs, outputs: [] },
] as const
