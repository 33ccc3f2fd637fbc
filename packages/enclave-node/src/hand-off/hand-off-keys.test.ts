import { copyFileSync, readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeBase64Url, platformRandom } from '@sealpool/crypto'
import { rekeyEncryptedParquet } from '@sealpool/refine/duckdb'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { destroyJobKeys } from '../job/destroy-job-keys.js'
import { type JobKey, type JobKeys, jobKeys } from '../key/job-keys.js'
import { handOffFixture } from '../testing/hand-off-fixture.js'
import { visitsOf } from '../testing/hand-off-visits.js'
import { stillHas } from '../testing/left-secrets.js'
import { readHandOff } from './kept-hand-off.js'
import { answerKeys } from './make-leash.js'
import { openParcel } from './sealed-parcel.js'

const here = await handOffFixture()
afterAll(() => here.close())
beforeEach(() => here.reset())
const { ownAnswer, paths } = visitsOf(here)

/** Keys of jobs that are copied when they are made, as somebody in the node's memory would. */
const copied = () => {
  const real = jobKeys(platformRandom)
  const drawn: { readonly key: JobKey; readonly copy: Uint8Array }[] = []
  const watched: JobKeys = {
    ...real,
    draw(job, use) {
      const key = real.draw(job, use)
      drawn.push({ key, copy: key.bytes.slice() })
      return key
    },
  }
  return { watched, drawn }
}
const tableKeyOf = (): Uint8Array => {
  const [table] = here.loaded
  return table !== undefined && 'parquet' in table
    ? (table.parquet.key ?? new Uint8Array())
    : new Uint8Array()
}

describe('what another node was given, and what it answered', () => {
  it('opens with nothing that the home node has, once the job’s keys are destroyed', async () => {
    const { watched, drawn } = copied()
    const asked = await here.visit()
    const aside = join(here.folder, 'aside.parquet')
    let answer = ''
    here.before = async (call) => {
      if (call.path.endsWith('announce')) copyFileSync(join(here.folder, 'home', '1', '1.parquet'), aside)
      return call
    }
    here.after = async ({ path }, body) => {
      if (path.endsWith('answer')) answer = String((body as Record<string, unknown>)['sealed'])
      return body
    }
    const home = here.home({ jobKeys: watched })
    await here.finish(home, asked)
    const [pool] = asked.planned.charges
    if (pool === undefined) throw new Error('the job charges a pool')
    const scope = { chainId: 31_337, pool: pool.pool.address }
    const opensTable = (fromKey: Uint8Array) =>
      rekeyEncryptedParquet({
        from: aside,
        columns: 3,
        fromKey,
        to: `${aside}.open`,
        toKey: platformRandom(32),
      }).then(
        () => true,
        () => false,
      )
    const opensAnswer = async (key: JobKey) => {
      const { privateKey } = answerKeys(key)
      return (await openParcel(decodeBase64Url(answer), { kind: 'answer', privateKey, scope })) !== undefined
    }
    const [only] = drawn
    if (only === undefined || drawn.length !== 1) throw new Error('one key is made')
    // While it is there, it opens both.
    const tableKey = tableKeyOf()
    expect(await opensTable(tableKey)).toBe(true)
    expect(await opensAnswer(only.key)).toBe(true)
    const context = { ...here.context, jobKeys: watched, handOff: home }
    expect(await destroyJobKeys(context, '1')).toEqual([{ use: 'hand-off', id: only.key.id }])
    expect(only.key.bytes).toEqual(new Uint8Array(32))
    expect(await opensAnswer(only.key)).toBe(false)
    expect(await readdir(join(here.folder, 'home'))).toEqual([])
    // Its note is still there, and says nothing of the key, nor does anything else.
    expect(await readHandOff(here.store, '1')).toMatchObject({ key: only.key.id })
    for (const secret of [only.copy, tableKey])
      expect(await stillHas(secret, { store: here.store, parts: [context] })).toBe(false)
  })

  it('opens with nothing that the node that ran it has, before it signs for its work', async () => {
    const asked = await here.visit()
    const signed: (readonly string[])[] = []
    const sign = Object.assign(
      (statement: Parameters<typeof here.runnerSign>[0]) => {
        if (statement.type === 'sealpool/work') signed.push(readdirSync(join(here.folder, 'served')))
        return here.runnerSign(statement)
      },
      { deployment: here.runnerSign.deployment },
    )
    await here.runner.close()
    here.runner = await here.startRunner({ sign })
    expect(await here.finish(here.home(), asked)).toMatchObject({ answer: await ownAnswer(asked) })
    expect(signed).toEqual([[]])
  })
})

describe('a home node that was started anew', () => {
  it('has no key of before: the job goes to the other node anew, which is told of the end of the first transfer', async () => {
    const asked = await here.visit()
    here.before = async (call) => {
      if (call.path.endsWith('answer')) throw new Error('killed')
      return call
    }
    await expect(here.finish(here.home(), asked)).rejects.toThrow('killed')
    const before = await readHandOff(here.store, '1')
    here.before = async (call) => call
    const home = here.home({ jobKeys: jobKeys(platformRandom) })
    expect(await here.finish(home, asked)).toMatchObject({ answer: await ownAnswer(asked) })
    expect(paths().filter((path) => path === 'open')).toHaveLength(2)
    const after = await readHandOff(here.store, '1')
    expect(after?.key).not.toBe(before?.key)
    expect(after?.left.map(({ id }) => id)).toEqual([before?.transfer?.id])
    here.calls.length = 0
    await home.end('1')
    expect(here.calls.map(({ path, body }) => [path, body['transfer']])).toEqual(
      [before?.transfer?.id, after?.transfer?.id].map((id) => ['/v1/hand-off/end', id]),
    )
  })
})
