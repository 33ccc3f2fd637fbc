/**
 * A pool's key is in other hands: nothing new is sealed to it, and what was stays readable under the next one.
 * @module
 */

import { fileBlobStore } from '@sealpool/client/file-store'
import { contribute as contributeOnChain, getPool } from '@sealpool/contracts'
import { type Address, CryptoError, digestOf, hpkeIdentity, openBytes } from '@sealpool/crypto'
import { checkLadder } from './check-ladder.js'
import {
  clientOf,
  contribute,
  type DrillContribution,
  grantedQuestion,
  ownCopy,
  refined,
} from './drill-people.js'
import type { DrillStage } from './run-drill.js'
import { keysOf } from './silenced-node.js'

const digest = `0x${'11'.repeat(32)}` as const

/** Runs the drill. @param stage what it works with */
export async function drillKey(stage: DrillStage): Promise<void> {
  const { devnet } = stage
  const { chain, pool } = devnet
  const reader = chain.walletOf(chain.consumer)
  const old: DrillContribution[] = []
  for (const index of [0, 1, 2]) old.push(await contribute(devnet, index))
  await refined(devnet, 3)
  await checkLadder(stage, 'key', { forOthers: 0, between: async () => undefined, left: [] })
  await stage.check('the next key epoch is in force, of the same node', async () => {
    const { keyEpoch } = await getPool(reader, { pool: pool.pool, deployment: chain.deployment })
    return keyEpoch?.epoch === 2 && keyEpoch.node.toLowerCase() === devnet.node().keySet.statement.address
  })
  await stage.check('the chain takes no contribution that is sealed to the old key', async () => {
    const [contributor] = chain.contributors
    if (contributor === undefined) return 'there is nobody'
    const contribution = {
      owner: contributor.address,
      pool: pool.pool,
      blobDigest: digest,
      commitment: digest,
      schemaId: digest,
      consentDigest: digest,
      epoch: 1,
      locator: 'sha256:11',
      nonce: 77n,
    }
    try {
      await contributeOnChain(chain.walletOf(contributor), { deployment: chain.deployment, contribution })
      return 'the chain took it'
    } catch (error) {
      const name = (error as { readonly revert?: { readonly name: string } }).revert?.name
      return name === 'EpochNotCurrent' || `it was refused for ${name ?? 'another reason'}`
    }
  })
  const fresh = await contribute(devnet, 3)
  await stage.check('the old key opens nothing that comes now, the new one does', () =>
    opensOnlyWithNewKey(stage, fresh),
  )
  await refined(devnet, 4)
  await stage.check(
    'what came before is read with the new key: tables are made anew without who leaves',
    async () => {
      const [first] = old
      const [leaver] = chain.contributors
      if (first === undefined || leaver === undefined) return 'there is nobody'
      await clientOf(devnet, leaver).withdraw(BigInt(first.id))
      await refined(devnet, 3)
      return true
    },
  )
  await stage.check('the notice can be taken down', async () => {
    await stage.incident('end', true)
    const { ready, reasons } = await stage.readiness()
    return ready || reasons.join('; ')
  })
  await stage.check('contributors before and after are in an answer together', async () => {
    const { jobId, analyst, resultKey } = await grantedQuestion(devnet, [1, 2, 3])
    await analyst.fund(jobId)
    await analyst.waitForJob(jobId, { pollMs: 100, timeoutMs: 100_000 })
    const result = await analyst.result(jobId, resultKey.privateKey)
    return JSON.stringify(result.value).includes('mean_wage')
  })
  await stage.check('the owners’ own keys still open what they sealed', async () => {
    const [, owner] = chain.contributors
    const [, made] = old
    if (owner === undefined || made === undefined) return 'there is nobody'
    const identity = await ownCopy(devnet, owner)
    const { plaintext } = await openBytes(await blobOf(stage, made), { identities: [identity] })
    return new TextDecoder().decode(plaintext).includes('"wage"')
  })
}

async function blobOf({ devnet }: DrillStage, made: DrillContribution): Promise<Uint8Array> {
  return fileBlobStore({ directory: devnet.blobs }).get(made.locator, { maximumBytes: 1_000_000 })
}

async function opensOnlyWithNewKey(stage: DrillStage, made: DrillContribution): Promise<boolean | string> {
  const { devnet } = stage
  const keys = await keysOf(devnet)
  const sealed = await blobOf(stage, made)
  const open = (epoch: number) =>
    openBytes(sealed, {
      identities: [
        hpkeIdentity({
          privateKey: keys.poolKey({
            chainId: devnet.chain.chainId,
            pool: devnet.pool.pool.toLowerCase() as Address,
            policyDigest: digestOf(devnet.policy),
            epoch,
          }).privateKey,
        }),
      ],
    })
  await open(2)
  try {
    await open(1)
    return 'the old key opens it'
  } catch (error) {
    return error instanceof CryptoError && error.code === 'NO_MATCHING_IDENTITY'
  }
}
