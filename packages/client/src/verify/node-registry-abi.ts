/**
 * The two questions that a client asks the node registry. The whole ABI is in `@sealpool/contracts`; a contributor's page
 * carries only this. A test compares the two.
 */
export const nodeQuestionsAbi = [
  {
    type: 'function',
    name: 'getNode',
    stateMutability: 'view',
    inputs: [{ name: 'statementKey', type: 'address' }],
    outputs: [
      {
        name: '',
        type: 'tuple',
        components: [
          { name: 'keySetDigest', type: 'bytes32' },
          { name: 'quoteDigest', type: 'bytes32' },
          { name: 'measurement', type: 'bytes32' },
          { name: 'expiresAt', type: 'uint64' },
          { name: 'revoked', type: 'bool' },
          { name: 'quotedBlock', type: 'uint64' },
        ],
      },
    ],
  },
  {
    type: 'function',
    name: 'isActive',
    stateMutability: 'view',
    inputs: [{ name: 'statementKey', type: 'address' }],
    outputs: [{ name: '', type: 'bool' }],
  },
] as const
