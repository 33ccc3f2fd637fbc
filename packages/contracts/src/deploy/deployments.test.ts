import { afterAll, beforeAll, expect, test } from 'vitest'
import { createWorld, type World } from '../testing/world.js'
import { createDeployments, deploymentFor, publicDeployments } from './deployments.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

test('a deployment is found by its chain', async () => {
  const { deployment, client } = world
  const other = { ...deployment, chainId: 7 }
  const deployments = createDeployments([...publicDeployments, deployment, other])
  expect(deployments.chainIds).toEqual([7, deployment.chainId])
  expect(deployments.get(7)).toBe(other)
  expect(await deploymentFor(client, deployments)).toBe(deployment)
})

test('an entry that is not true of its chain is refused', async () => {
  const { deployment, client } = world
  const wrong = createDeployments([{ ...deployment, permissions: deployment.approvals }])
  await expect(deploymentFor(client, wrong)).rejects.toMatchObject({
    code: expect.stringMatching(/DEPLOYMENT_MISMATCH|REVERTED/),
  })
  const elsewhere = createDeployments([{ ...deployment, chainId: 7 }])
  await expect(deploymentFor(client, elsewhere)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('known: 7'),
  })
})

test('two deployments on one chain are a mistake, and no address is invented', () => {
  const { deployment } = world
  expect(() => createDeployments([deployment, deployment])).toThrow(/two deployments on chain/)
  expect(() => createDeployments([]).get(1)).toThrow(/known: none/)
  expect(publicDeployments).toEqual([])
})
