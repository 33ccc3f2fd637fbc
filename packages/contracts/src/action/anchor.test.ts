import type { Address, Hex } from 'viem'
import { zeroHash } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { deployMarket } from '../deploy/index.js'
import { aggregateContext, budgetHeadContext, checkpointContext } from '../statement/index.js'
import { createWorld, digest, nextNonce, prove, revertOf, type World } from '../testing/world.js'
import {
  anchorBudgetHead,
  anchorCheckpoint,
  claimAggregate,
  getAggregateClaim,
  getBudgetHead,
  getCheckpoint,
} from './index.js'

let world: World
let anchors: Address
beforeAll(async () => {
  world = await createWorld()
  const { deployment, client, deployer } = world
  ;({ anchors } = await deployMarket(client, { deployment, arbiter: deployer.address, minimumStake: 1n }))
})
afterAll(() => world.devnet.stop())

test('budget heads are anchored one after the other', async () => {
  const { deployment, client, node } = world
  const pool = world.pool.pool
  expect(await getBudgetHead(client, { anchors, pool })).toBeNull()
  const anchor = async (sequence: bigint, head: Hex, previous: Hex) => {
    const fields = { pool, sequence, head, previous }
    const context = budgetHeadContext({ deployment, nonce: nextNonce(), ...fields })
    return anchorBudgetHead(client, {
      anchors,
      ...fields,
      statement: await prove(node, 'budgetHead', context),
    })
  }
  await anchor(1n, digest('one'), zeroHash)
  await anchor(2n, digest('two'), digest('one'))
  const head = await getBudgetHead(client, { anchors, pool })
  expect(head).toEqual({ sequence: 2n, anchoredAt: await world.now(), value: digest('two') })
  expect(await revertOf(anchor(2n, digest('other'), digest('one')))).toBe('SequenceNotNext')
  expect(await revertOf(anchor(3n, digest('three'), digest('one')))).toBe('PreviousOther')
})

test('checkpoints are kept by kind of log', async () => {
  const { deployment, client, node } = world
  const pool = world.pool.pool
  const kind = digest('receipts')
  expect(await getCheckpoint(client, { anchors, pool, kind })).toBeNull()
  const fields = { pool, kind, sequence: 1n, root: digest('root'), size: 12n }
  const context = checkpointContext({ deployment, nonce: nextNonce(), ...fields })
  const statement = await prove(node, 'checkpoint', context)
  expect(await revertOf(anchorCheckpoint(client, { anchors, ...fields, size: 13n, statement }))).toBe(
    'StatementSignerNotActive',
  )
  await anchorCheckpoint(client, { anchors, ...fields, statement })
  expect(await getCheckpoint(client, { anchors, pool, kind })).toMatchObject({
    sequence: 1n,
    value: digest('root'),
  })
  expect(await getCheckpoint(client, { anchors, pool, kind: digest('others') })).toBeNull()
})

test('the first claim on an aggregate stands, and the second is told which', async () => {
  const { deployment, client, node } = world
  const pool = world.pool.pool
  const definition = digest('definition')
  expect(await getAggregateClaim(client, { anchors, pool, definition })).toBeNull()
  const claim = async (inputsRoot: Hex) => {
    const context = aggregateContext({ deployment, nonce: nextNonce(), pool, definition, inputsRoot })
    const statement = await prove(node, 'aggregate', context)
    return claimAggregate(client, { anchors, pool, definition, inputsRoot, statement })
  }
  await claim(digest('inputs'))
  expect(await getAggregateClaim(client, { anchors, pool, definition })).toEqual({
    inputsRoot: digest('inputs'),
    node: node.address,
    claimedAt: await world.now(),
  })
  await expect(claim(digest('other inputs'))).rejects.toMatchObject({
    code: 'REVERTED',
    revert: { name: 'AggregateAlreadyClaimed', args: [pool, definition, digest('inputs')] },
    message: expect.stringContaining('Open the aggregate over the inputs root'),
  })
})
