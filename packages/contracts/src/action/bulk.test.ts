import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SignedContribution, signContribution, verdictBatchContext } from '../statement/index.js'
import { contributionOf, createWorld, digest, nextNonce, prove, type World } from '../testing/world.js'
import { contributeBatch, getContributions, getPool, recordVerdicts } from './index.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

test('one relayer brings in 1,068 contributions of 534 owners in batches of 50, and their verdicts', async () => {
  const { deployment, client, pool, node } = world
  const owners = Array.from({ length: 534 }, () => privateKeyToAccount(generatePrivateKey()))
  const deadline = (await world.now()) + 3_600n
  const signed: SignedContribution[] = []
  for (const account of [...owners, ...owners]) {
    const contribution = contributionOf(world, account)
    signed.push(await signContribution({ account, deployment, contribution, deadline }))
  }
  const began = performance.now()
  let contributionGas = 0n
  const ids: bigint[] = []
  for (let from = 0; from < signed.length; from += 50) {
    const batch = await contributeBatch(client, { deployment, signed: signed.slice(from, from + 50) })
    contributionGas += batch.receipt.gasUsed
    ids.push(...batch.ids)
  }
  const contributed = performance.now()
  let verdictGas = 0n
  for (let from = 0; from < ids.length; from += 50) {
    const entries = ids
      .slice(from, from + 50)
      .map((id) => ({ contributionId: id, score: 9_000, refused: false, verdictDigest: digest(`${id}`) }))
    const context = verdictBatchContext({ deployment, nonce: nextNonce(), pool: pool.pool, entries })
    const statement = await prove(node, 'verdictBatch', context)
    const { receipt } = await recordVerdicts(client, { deployment, pool: pool.pool, entries, statement })
    verdictGas += receipt.gasUsed
  }
  const judged = performance.now()
  process.stdout.write(
    `1,068 contributions: ${Math.round(contributed - began)} ms, ${contributionGas / 1068n} gas each; ` +
      `verdicts: ${Math.round(judged - contributed)} ms, ${verdictGas / 1068n} gas each\n`,
  )
  expect(contributionGas / 1068n).toBeLessThan(90_000n)
  expect((await getContributions(client, { deployment, pool: pool.pool })).length).toBe(1068)
  expect((await getPool(client, { pool: pool.pool })).totalPoints).toBe(1068n * 9_000n)
  expect(verdictGas / 1068n).toBeLessThan(90_000n)
})
