import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NodeRegistration, signNodeApproval } from '../statement/index.js'
import { createWorld, digest, revertOf, type World } from '../testing/world.js'
import {
  getNode,
  getPool,
  isNodeActive,
  registerNode,
  revokeNode,
  setMeasurement,
  setVerifiers,
} from './index.js'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.devnet.stop())

const fresh = () => privateKeyToAccount(generatePrivateKey())

async function registrationOf(change: Partial<NodeRegistration> = {}): Promise<NodeRegistration> {
  return {
    statementKey: fresh().address,
    keySetDigest: digest('keys'),
    quoteDigest: digest('quote'),
    measurement: world.measurement,
    expiresAt: (await world.now()) + 1_000n,
    ...change,
  }
}

async function register(registration: NodeRegistration, signers = world.verifiers, signed = registration) {
  const { deployment, client } = world
  const signatures = await Promise.all(
    signers.map((account) => signNodeApproval({ account, deployment, registration: signed })),
  )
  return registerNode(client, { deployment, registration, signatures })
}

const active = ({ statementKey }: NodeRegistration) =>
  isNodeActive(world.client, { deployment: world.deployment, statementKey })

describe('registerNode', () => {
  test('makes a node active until it expires', async () => {
    const registration = await registrationOf()
    expect(await active(registration)).toBe(false)
    await register(registration)
    const { statementKey } = registration
    expect(await getNode(world.client, { deployment: world.deployment, statementKey })).toEqual({
      ...registration,
      quotedBlock: 0n,
      revoked: false,
      active: true,
    })
    await world.devnet.advanceTime(1_001)
    expect(await active(registration)).toBe(false)
  })

  test('needs the threshold of distinct verifiers over exactly these fields', async () => {
    const registration = await registrationOf()
    const [first, , third] = world.verifiers
    if (first === undefined || third === undefined) throw new Error('verifiers missing')
    expect(await revertOf(register(registration, [first]))).toBe('NotEnoughVerifiers')
    expect(await revertOf(register(registration, [first, first]))).toBe('VerifiersNotAscending')
    expect(await revertOf(register(registration, [first, fresh()]))).toBe('VerifierUnknown')
    const other = { ...registration, keySetDigest: digest('other keys') }
    expect(await revertOf(register(registration, [first, third], other))).toBe('VerifierUnknown')
    await register(registration, [third, first])
  })

  test('refuses a measurement that is not allowed, and silences its nodes when it no longer is', async () => {
    const measurement = digest('second measurement')
    const { deployment, client } = world
    const registration = await registrationOf({ measurement })
    expect(await revertOf(register(registration))).toBe('MeasurementNotAllowed')
    await setMeasurement(client, { deployment, measurement, allowed: true })
    await register(registration)
    expect(await active(registration)).toBe(true)
    await setMeasurement(client, { deployment, measurement, allowed: false })
    expect(await active(registration)).toBe(false)
  })

  test('refuses to reach back, or further than 90 days, and takes no old approval again', async () => {
    const now = await world.now()
    expect(await revertOf(register(await registrationOf({ expiresAt: now - 1n })))).toBe(
      'RegistrationExpiryInvalid',
    )
    const far = await registrationOf({ expiresAt: now + 91n * 86_400n })
    expect(await revertOf(register(far))).toBe('RegistrationExpiryInvalid')
    const registration = await registrationOf()
    await register(registration)
    expect(await revertOf(register(registration))).toBe('RegistrationExpiryInvalid')
    await register({ ...registration, expiresAt: registration.expiresAt + 1n })
  })

  test('a revoked key stays revoked', async () => {
    const { deployment, client } = world
    const registration = await registrationOf()
    await register(registration)
    const { statementKey } = registration
    const stranger = world.clientOf(world.account(5))
    expect(await revertOf(revokeNode(stranger, { deployment, statementKey }))).toBe('RevokeNotAllowed')
    await revokeNode(client, { deployment, statementKey })
    expect(await active(registration)).toBe(false)
    const again = { ...registration, expiresAt: registration.expiresAt + 5n }
    expect(await revertOf(register(again))).toBe('NodeKeyRevoked')
  })

  test('only the owner chooses verifiers and measurements', async () => {
    const { deployment } = world
    const stranger = world.clientOf(world.account(5))
    const measurement = digest('mine')
    expect(await revertOf(setMeasurement(stranger, { deployment, measurement, allowed: true }))).toBe(
      'OwnableUnauthorizedAccount',
    )
    const verifiers = [fresh().address]
    expect(await revertOf(setVerifiers(stranger, { deployment, verifiers, threshold: 1 }))).toBe(
      'OwnableUnauthorizedAccount',
    )
    const attempt = setVerifiers(world.client, { deployment, verifiers, threshold: 2 })
    expect(await revertOf(attempt)).toBe('VerifierSetInvalid')
  })
})

describe('publishPoolKey', () => {
  test('epochs count by one and the key is what a node published', async () => {
    const pool = await world.foundPool('keys')
    expect((await getPool(world.client, { pool: pool.pool })).keyEpoch).toBeNull()
    expect(await revertOf(world.publishKey(pool, 2))).toBe('EpochNotNext')
    await world.publishKey(pool, 1)
    await world.publishKey(pool, 2)
    expect((await getPool(world.client, { pool: pool.pool })).keyEpoch).toEqual({
      epoch: 2,
      policyDigest: digest('policy'),
      keyDigest: digest('key 2'),
      node: world.node.address,
      attestationDigest: (
        await getNode(world.client, { deployment: world.deployment, statementKey: world.node.address })
      )?.quoteDigest,
    })
    expect(await revertOf(world.publishKey(pool, 3, fresh()))).toBe('StatementSignerNotActive')
  })
})
