import { writeFile } from 'node:fs/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { cliWorld } from '../testing/cli-world.js'

const setUp = await cliWorld()
const { at, asJson, config, served, sealpool, pool: world } = setUp
afterAll(() => setUp.close())

const [rich, poor] = [world.accountOf(3).address, `0x${'77'.repeat(20)}`] as const
const holders = { erc20: { contract: world.deployment.protocolToken, minimum: '100' } }
await writeFile(
  at('guarded.json'),
  JSON.stringify({ ...setUp.policy, access: { version: 1, use: { all: [holders] } } }),
)
await writeFile(at('only.json'), JSON.stringify({ access: { version: 1, use: { wallets: [poor] } } }))
const access = (wallet: string, ...more: string[]) =>
  asJson(undefined, 'access', wallet, '--policy', at('guarded.json'), ...more)

describe('sealpool access', () => {
  test('says yes or no, what is missing, and asks no node', async () => {
    const before = served.seen.length
    expect(await access(rich)).toMatchObject({ code: 0, json: { verdict: 'yes', unmet: [] } })
    expect(await access(poor)).toMatchObject({
      code: 1,
      json: {
        verdict: 'no',
        block: { number: expect.stringMatching(/^\d+$/) },
        unmet: [{ place: 'policy.access.use.all[0].erc20', verdict: 'no', wanted: 'yes' }],
      },
    })
    expect(served.seen).toHaveLength(before)
    const { out } = await sealpool(['access', poor, '--config', config, '--policy', at('guarded.json')])
    expect(out).toMatch(
      /^access +no \(at block \d+\)\npolicy\.access\.use\.all\[0\]\.erc20 +is no, must be yes\n$/,
    )
  })

  test('counts a restriction, and says that there is no condition', async () => {
    expect(await access(rich, '--restriction', at('only.json'))).toMatchObject({
      code: 1,
      json: { unmet: [{ place: 'restrictions[0].access.use.wallets' }] },
    })
    const { code, out } = await sealpool(['access', poor, '--config', config])
    expect({ code, out }).toEqual({ code: 0, out: 'access  yes (there is no condition)\n' })
  })

  test.each([
    ['<wallet>', 'somebody', []],
    ['--code', rich, ['--code', 'sha256:1']],
  ])('refuses what it does not understand: %s', async (place, wallet, more) => {
    expect(await access(wallet, ...more)).toMatchObject({ code: 2, json: { error: { place } } })
  })
})
