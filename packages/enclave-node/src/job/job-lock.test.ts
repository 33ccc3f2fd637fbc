import { describe, expect, it } from 'vitest'
import { jobLock } from './job-lock.js'

describe('the lock of jobs', () => {
  it('lets work on one job run one after the other, also after a failure, and other jobs pass', async () => {
    const lock = jobLock()
    const seen: string[] = []
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    const first = lock('1', async () => {
      await gate
      seen.push('first')
      throw new Error('failed')
    })
    const second = lock('1', async () => {
      seen.push('second')
    })
    await lock('2', async () => {
      seen.push('other')
    })
    open()
    await expect(first).rejects.toThrow('failed')
    await second
    expect(seen).toEqual(['other', 'first', 'second'])
    expect(await lock('1', async () => 7)).toBe(7)
  })
})
