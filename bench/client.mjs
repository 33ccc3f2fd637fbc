// What a contributor's app does, against the sealing alone that nobody can leave out.
import { deriveKeyPair, hpkeRecipient, platformRandom, sealBytes, walletRecipient } from '@sealpool/crypto'
import { demoRuns } from './measure/demo-runs.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const stage = 'Every worker verifies the node, seals, stores, contributes'

/** Seconds for sealing as many exports of 300 bytes to two recipients, and nothing else. */
async function sealing(count) {
  const context = {
    chainId: 31337,
    pool: `0x${'11'.repeat(20)}`,
    policyDigest: `sha256:${'00'.repeat(32)}`,
    epoch: 0,
    mediaType: 'application/json',
  }
  const { publicKey } = deriveKeyPair(platformRandom(32))
  const wallet = walletRecipient({ publicKey, address: `0x${'22'.repeat(20)}` })
  const bytes = new Uint8Array(300)
  const start = performance.now()
  for (let index = 0; index < count; index++) {
    await sealBytes(bytes, { recipients: [hpkeRecipient({ publicKey }), wallet], context })
  }
  return (performance.now() - start) / 1000
}

export async function run({ print }) {
  printMachine(print)
  const runs = demoRuns([60, 240])
  const rows = []
  for (const { contributions, workers, seconds } of runs) {
    const alone = await sealing(contributions)
    rows.push([
      `${workers} workers, ${contributions} contributions`,
      figure(contributions / seconds[stage]),
      figure((seconds[stage] / contributions) * 1000),
      figure((alone / contributions) * 1000),
      ratio(seconds[stage], alone),
    ])
  }
  printTable(print, {
    title: 'Verify the node, seal to pool and wallet, store, contribute on chain (stage 3 of the demo)',
    columns: ['', 'contributions/s', 'ms each', 'ms sealing alone', 'time / sealing'],
    rows,
    notes: [
      'The node, its engine and the chain run beside the client on the same machine and are in these times; the node is SIMULATED.',
    ],
  })
}
