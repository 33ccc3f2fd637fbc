/*
 * What a client asks contracts before anything is sent. The whole ABIs are in `@sealpool/contracts`; a contributor's page carries only
 * these. A test compares them.
 */

/** What the node registry is asked about a node. */
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

/** What the factory is asked: whether it founded a pool. */
export const factoryQuestionAbi = [
  {
    type: 'function',
    name: 'indexOf',
    stateMutability: 'view',
    inputs: [{ name: 'pool', type: 'address' }],
    outputs: [{ name: '', type: 'uint32' }],
  },
] as const

/** What a pool’s contract is asked before anything is sent. */
export const poolQuestionsAbi = [
  {
    inputs: [],
    name: 'keyEpoch',
    outputs: [
      {
        components: [
          {
            name: 'epoch',
            type: 'uint32',
          },
          {
            name: 'node',
            type: 'address',
          },
          {
            name: 'policyDigest',
            type: 'bytes32',
          },
          {
            name: 'keyDigest',
            type: 'bytes32',
          },
          {
            name: 'attestationDigest',
            type: 'bytes32',
          },
        ],
        name: '',
        type: 'tuple',
      },
    ],
    stateMutability: 'view',
    type: 'function',
  },
  {
    inputs: [],
    name: 'rules',
    outputs: [
      {
        components: [
          {
            name: 'policyDigest',
            type: 'bytes32',
          },
          {
            name: 'pocDigest',
            type: 'bytes32',
          },
          {
            name: 'refinerDigest',
            type: 'bytes32',
          },
          {
            name: 'constitutionDigest',
            type: 'bytes32',
          },
          {
            name: 'measurement',
            type: 'bytes32',
          },
          {
            name: 'rewardPerFullScore',
            type: 'uint128',
          },
          {
            name: 'treasuryShareBps',
            type: 'uint16',
          },
          {
            name: 'anyJobCode',
            type: 'bool',
          },
        ],
        name: '',
        type: 'tuple',
      },
    ],
    stateMutability: 'view',
    type: 'function',
  },
] as const
