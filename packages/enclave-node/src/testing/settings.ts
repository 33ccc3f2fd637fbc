/** Settings of a node that is never started, for tests of what is made of them. */
const address = (digit: string): string => `0x${digit.repeat(40)}`
const digest = (digit: string): string => `sha256:${digit.repeat(64)}`

/** @param change what is to be otherwise */
export function settingsWith(change: object = {}): object {
  return {
    format: 'sealpool/node-config',
    version: 1,
    dataDirectory: '/data',
    chain: {
      rpcUrl: 'http://127.0.0.1:8545',
      deployment: {
        chainId: 31_337,
        protocolToken: address('1'),
        nodeRegistry: address('2'),
        dataRegistry: address('3'),
        jobBoard: address('4'),
        permissions: address('5'),
        contributionBatches: address('7'),
        approvals: address('8'),
        poolFactory: address('6'),
        blockNumber: 3,
      },
    },
    evidence: { provider: 'simulator' },
    keyRelease: { adapter: 'development' },
    blobStore: { kind: 'files', directory: '/blobs' },
    pools: [
      {
        address: address('a'),
        policy: { name: 'pay' },
        poc: { code: 'x', digest: digest('1') },
        refiner: { code: 'y', digest: digest('2'), schema: {} },
      },
    ],
    ...change,
  }
}
