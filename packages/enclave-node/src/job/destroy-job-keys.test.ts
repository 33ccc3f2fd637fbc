import { platformRandom } from '@sealpool/crypto'
import { expect, it } from 'vitest'
import { jobKeys } from '../key/job-keys.js'
import { destroyJobKeys } from './destroy-job-keys.js'

it('overwrites the keys of a job, then removes what lay under them, and names them', async () => {
  const keys = jobKeys(platformRandom)
  const [own, other] = [keys.draw('7', 'hand-off'), keys.draw('8', 'hand-off')]
  const removed: string[] = []
  const remove = (what: string) => async (job: string) => {
    expect(own.bytes).toEqual(new Uint8Array(32))
    removed.push(`${what} ${job}`)
  }
  const parts = {
    jobKeys: keys,
    live: { destroy: remove('live') },
    handOff: { removeFiles: remove('hand-off') },
  }
  expect(await destroyJobKeys(parts, '7')).toEqual([{ use: 'hand-off', id: own.id }])
  expect(removed).toEqual(['live 7', 'hand-off 7'])
  expect(other.bytes).not.toEqual(new Uint8Array(32))
})

it('says of nothing that it is done while a file is still there', async () => {
  const fails = () => Promise.reject(new Error('the disk says no'))
  const keys = jobKeys(platformRandom)
  for (const parts of [{ live: { destroy: fails } }, { handOff: { removeFiles: fails } }])
    await expect(destroyJobKeys({ jobKeys: keys, ...parts }, '7')).rejects.toThrow('the disk says no')
})
