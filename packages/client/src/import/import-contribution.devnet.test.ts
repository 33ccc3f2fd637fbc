import { canonicalBytes, openBytes, walletIdentity, walletKeyTypedData } from '@sealpool/crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { localServers } from '../store/testing/local-server.js'
import { contributingApps } from '../testing/contributing-app.js'
import { devnetPool } from '../testing/devnet-pool.js'
import {
  granteeId,
  payslip,
  personalServer,
  reader,
  registry,
  scope,
  signedGrant,
} from '../testing/personal-server.js'
import { at } from '../testing/simulated-pool.js'
import { gatewayGrantStatus, importContribution } from './index.js'

const world = await devnetPool()
const servers = localServers()
afterAll(async () => {
  await servers.close()
  await world.devnet.stop()
})
const { app, exported, countOf } = contributingApps(world, (await world.time()) + 3600n)

async function importing() {
  const made = app()
  const { account, client } = made
  const grant = await signedGrant(account)
  const server = personalServer(grant, () => at)
  const serverUrl = await servers.serve(server.listener)
  server.state.url = serverUrl
  const typedData = walletKeyTypedData({ chainId: 31337, purpose: 'My copy of my pool files' })
  const signature = await account.signTypedData(typedData)
  const wallet = walletIdentity({ signature, address: account.address, typedData })
  const { bytes: _bytes, mediaType: _type, ...input } = exported({ walletPublicKey: wallet.publicKey })
  const run = (key?: string) =>
    importContribution({
      ...{ client, account, input, grant, registry, granteeId, scope, reader, serverUrl },
      status: gatewayGrantStatus({ url: serverUrl }),
      now: () => at,
      ...(key === undefined ? {} : { contribute: { key } }),
    })
  return { ...made, server, wallet, run }
}

describe('an import', () => {
  test('puts what the server gave on chain, sealed, and says where it came from', async () => {
    const { run, blobStore, wallet } = await importing()
    const before = await countOf()
    const { contributed, provenance } = await run('payslips')
    expect(await countOf()).toBe(before + 1)
    const { contribution } = contributed.prepared
    expect(provenance).toMatchObject({
      scope,
      commitment: contribution.commitment,
      grant: { status: 'active' },
    })
    const opened = await openBytes(await blobStore.get(contribution.locator), { identities: [wallet] })
    expect(opened.plaintext).toEqual(canonicalBytes(payslip))

    const again = await run('payslips')
    expect(again.contributed).toMatchObject({ id: contributed.id, resumed: true })
    expect(again.provenance.commitment).toBeNull()
    expect(await countOf()).toBe(before + 1)
  })

  test('under a grant that was taken back puts nothing anywhere', async () => {
    const { run, server, served } = await importing()
    const before = await countOf()
    server.state.revoked = true
    await expect(run()).rejects.toMatchObject({ code: 'GRANT_REVOKED' })
    expect(server.state.reads).toBe(0)
    expect(served.seen).toEqual([])
    expect(await countOf()).toBe(before)
  })
})
