import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cliWorld } from '../testing/cli-world.js'

/* Account 2 contributes, votes and is then appointed to sign permits; account 3 asks, redeems and pays. */

const setUp = await cliWorld()
const { pool: world, config, at, sealpool, asJson } = setUp
afterAll(() => setUp.close())

const issuer = world.accountOf(2).address
const grantee = world.accountOf(3).address
let jobId = ''
let digest = ''
const show = (file: string) => asJson(undefined, 'show-permit', at(file))

beforeAll(async () => {
  expect((await asJson(2, ...setUp.contribution())).json.id).toBe('1')
  await world.accept(1n)
  const resultKey = (await sealpool(['result-key', at('result.key')])).out.trim()
  const deadline = `${(await world.time()) + 90_000n}`
  const request = ['--title', 'Mean', '--purpose', 'research', '--epsilon', '0.5', '--deadline', deadline]
  const asked = await asJson(3, 'query', at('mean.sql'), ...request, '--result-key', resultKey)
  jobId = asked.json.jobId
  digest = asked.json.manifestDigest
})

describe('sealpool, for permits', () => {
  test('sign-permit signs none for an account that no vote appointed, and none for nobody', async () => {
    const { code, json } = await asJson(2, 'sign-permit', at('early.json'), '--job', jobId)
    expect({ code, json }).toMatchObject({ code: 2, json: { error: { place: '--key-file' } } })
    await expect(readFile(at('early.json'))).rejects.toThrow('ENOENT')
    for (const options of [[], ['--job', jobId, '--grantee', grantee], ['--grantee', grantee]]) {
      expect((await asJson(2, 'sign-permit', at('early.json'), ...options)).code).toBe(2)
    }
  })

  test('appoint-issuer writes a proposal, which members vote on and carry out', async () => {
    const bounds = [
      '--price',
      '5',
      '--runs',
      '3',
      '--opens',
      '1',
      '--closes',
      `${(await world.time()) + 80_000n}`,
    ]
    const args = ['appoint-issuer', digest, at('appoint.json'), '--issuer', issuer]
    expect((await asJson(2, ...args, '--price', '5', '--runs', '0', '--closes', '9')).code).toBe(2)
    const { code, json } = await asJson(2, ...args, ...bounds)
    expect(code).toBe(0)
    expect(json.proposal.description).toContain(`Let ${issuer.toLowerCase()} sign permits for ${digest}`)
    await world.devnet.advanceTime(2)
    await asJson(2, 'vote', at('appoint.json'), 'for')
    await world.devnet.advanceTime(61)
    for (let step = 0; step < 2; step++) {
      expect((await asJson(2, 'carry-out', at('appoint.json'))).code).toBe(0)
      await world.devnet.advanceTime(2)
    }
  })

  test('sign-permit sends nothing, and says whether the permit could be redeemed', async () => {
    const before = await world.time()
    const good = await asJson(2, 'sign-permit', at('permit.json'), '--job', jobId)
    expect(good).toMatchObject({
      code: 0,
      json: { state: 'unused', obstacle: null, appointment: { number: 1, left: 3 } },
    })
    expect(good.json.permit).toMatchObject({ issuer, grantee, terms: { runs: 1, price: '5' } })
    const cheap = ['--grantee', grantee, '--digest', digest, '--price', '4']
    const bad = await asJson(2, 'sign-permit', at('cheap.json'), ...cheap)
    expect(bad).toMatchObject({ code: 1, json: { obstacle: 'PermitTooCheap' } })
    expect((await asJson(2, 'sign-permit', at('permit.json'), '--job', jobId)).code).toBe(2)
    expect(await world.time()).toBe(before)
  })

  test('redeem-permit is for the grantee, once, and approves the job that waits', async () => {
    expect(await show('permit.json')).toMatchObject({ code: 0, json: { state: 'unused', obstacle: null } })
    const { code, json } = await asJson(2, 'redeem-permit', at('permit.json'), '--job', jobId)
    expect({ code, json }).toMatchObject({ code: 3, json: { error: { code: 'REVERTED' } } })
    expect(json.error.message).toContain('Only the grantee')
    // Its first step is done when the second one fails; the same command goes on from there.
    expect((await asJson(3, 'redeem-permit', at('permit.json'), '--job', '999')).code).toBe(3)
    expect((await show('permit.json')).json).toMatchObject({ state: 'redeemed', appointment: { left: 2 } })
    expect((await asJson(3, 'redeem-permit', at('permit.json'), '--job', jobId)).code).toBe(0)
    expect(await show('permit.json')).toMatchObject({
      code: 1,
      json: { state: 'redeemed', obstacle: 'PermitAlreadyRedeemed', appointment: { left: 2 } },
    })
    expect((await asJson(3, 'fund', jobId)).code).toBe(0)
  })

  test('revoke-permit is for the issuer', async () => {
    await asJson(2, 'sign-permit', at('second.json'), '--job', jobId)
    expect((await asJson(3, 'revoke-permit', at('second.json'))).json.error.message).toContain(
      'OnlyPoolTimelock',
    )
    expect((await asJson(2, 'revoke-permit', at('second.json'))).code).toBe(0)
    expect(await show('second.json')).toMatchObject({
      code: 1,
      json: { state: 'revoked', obstacle: 'PermitIsRevoked' },
    })
    const { out } = await sealpool(['show-permit', at('second.json'), '--config', config])
    expect(out).toMatch(/^state +revoked$/m)
    expect(out).toMatch(/^left to the issuer +2 of 3 runs$/m)
  })

  test('what is no permit, or one of another pool, is not read', async () => {
    await writeFile(at('none.json'), '{}')
    expect((await show('none.json')).json.error.code).toBe('ARGUMENT_INVALID')
    const json = JSON.parse(await readFile(at('permit.json'), 'utf8'))
    json.permit.pool = `0x${'1'.repeat(40)}`
    await writeFile(at('other.json'), JSON.stringify(json))
    expect((await show('other.json')).json.error).toMatchObject({ place: '<permit-file>' })
  })
})
