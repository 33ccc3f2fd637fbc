import { readFile, stat, writeFile } from 'node:fs/promises'
import { getContributions } from '@sealpool/contracts'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, describe, expect, test } from 'vitest'
import { localServers } from '../store/testing/local-server.js'
import { cliWorld } from '../testing/cli-world.js'
import {
  granteeId,
  personalServer,
  registry,
  secretWage,
  signedGrant,
  wireGrant,
} from '../testing/personal-server.js'

/* Importing as a stranger does it: a grant in a file, a server, a gateway. */

const setUp = await cliWorld()
const { pool: world, asJson, at, config, keyOf, sealpool } = setUp
const servers = localServers()
afterAll(async () => {
  await servers.close()
  await setUp.close()
})

const grantor = privateKeyToAccount(keyOf(2) as `0x${string}`)
const grant = await signedGrant(grantor)
const server = personalServer(grant, () => new Date())
const url = await servers.serve(server.listener)
server.state.url = url
await writeFile(at('grant.json'), JSON.stringify(wireGrant(grant)))
await writeFile(at('reader-key'), `0x${'77'.repeat(32)}\n`, { mode: 0o600 })

const asked = (...more: string[]) => [
  ...['import', at('grant.json'), '--server', url, '--scope', 'bank.payslips', '--grantee', granteeId],
  ...['--grant-contract', registry.permissions, '--grant-chain', `${registry.chainId}`],
  ...['--reader-key-file', at('reader-key'), '--schema', at('schema.json'), '--consent', at('consent.txt')],
  ...more,
]
const count = async () =>
  (await getContributions(world.walletOf(0), { deployment: world.deployment, pool: world.contracts.pool }))
    .length

describe('sealpool import', () => {
  test('says whether a grant holds, and reads nothing', async () => {
    const { code, out } = await sealpool([
      ...asked('--gateway', url, '--check-only', '--config', config, '--key-file', at('key-2')),
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/^HOLDS/m)
    const unknown = await asJson(2, ...asked('--status-by-server', '--check-only'))
    expect(unknown).toMatchObject({ code: 1, json: { ok: false, read: false } })
    expect(server.state.reads).toBe(0)
  })

  test('contributes the export and writes where it came from', async () => {
    const before = await count()
    const made = await asJson(2, ...asked('--gateway', url, '--provenance', at('import.json')))
    expect(made).toMatchObject({
      code: 0,
      json: { simulated: true, provenance: { grant: { status: 'active' } } },
    })
    expect(await count()).toBe(before + 1)
    const record = await readFile(at('import.json'), 'utf8')
    expect(JSON.parse(record)).toEqual(made.json.provenance)
    expect((await stat(at('import.json'))).mode & 0o777).toBe(0o600)
    expect(`${record}${made.err}${JSON.stringify(made.json)}`).not.toContain(secretWage)
  })

  test('says so when nobody but the server was asked whether the grant counts', async () => {
    const { code, out } = await sealpool([
      ...asked('--status-by-server', '--take', 'envelope', '--config', config, '--key-file', at('key-2')),
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/revocation +NOT CHECKED/)
  })

  test.each<[string, number, readonly string[]]>([
    ['another account than the grant’s', 3, ['--status-by-server']],
    ['another contract', 2, ['--status-by-server', '--grant-chain', '1']],
    ['another scope', 2, ['--status-by-server', '--scope', 'mail.letters']],
    ['another reader', 2, ['--status-by-server', '--grantee', `0x${'00'.repeat(32)}`]],
  ])('refuses %s with exit code 1', async (_, account, more) => {
    const before = server.state.reads
    const { code, json } = await asJson(account, ...asked(...more))
    expect(code).toBe(1)
    expect(json.error.code).toMatch(/^GRANT_/)
    expect(server.state.reads).toBe(before)
  })

  test.each<[string, readonly string[]]>([
    ['nobody to ask', []],
    ['two to ask', ['--gateway', 'https://gateway.example', '--status-by-server']],
    ['no such part', ['--status-by-server', '--take', 'half']],
    ['no such grantee', ['--status-by-server', '--grantee', '0x12']],
    ['no such chain', ['--status-by-server', '--grant-chain', '0']],
    ['a server without protection', ['--status-by-server', '--server', 'http://ps.example']],
    ['a record that is there', ['--status-by-server', '--provenance', config]],
  ])('does not understand %s', async (_, more) => {
    expect((await asJson(2, ...asked(...more))).code).toBe(2)
  })

  test('refuses a grant that was taken back, and leaves no record', async () => {
    const [before, reads] = [await count(), server.state.reads]
    server.state.revoked = true
    const { code, json } = await asJson(2, ...asked('--gateway', url, '--provenance', at('revoked.json')))
    expect([code, json.error.code]).toEqual([1, 'GRANT_REVOKED'])
    expect(await count()).toBe(before)
    expect(server.state.reads).toBe(reads)
    await expect(stat(at('revoked.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
