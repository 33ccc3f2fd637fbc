import { createHmac } from 'node:crypto'
import { platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { jobKeys } from './job-keys.js'

/** Each of the bytes that it gives is one more than the last. */
const counting = () => {
  let next = 0
  return (length: number) => Uint8Array.from({ length }, () => next++ % 256)
}

describe('keys of jobs', () => {
  it('are named by what only who has them can compute', () => {
    const keys = jobKeys(platformRandom)
    const { id, bytes } = keys.draw('7', 'hand-off')
    const part = (text: string) => {
      const length = Buffer.alloc(8)
      length.writeBigUInt64BE(BigInt(Buffer.byteLength(text)))
      return Buffer.concat([length, Buffer.from(text)])
    }
    const named = createHmac('sha256', bytes)
      .update(part('sealpool/fingerprint/1'))
      .update(part('sealpool/job-key/1'))
      .update(part('{"job":"7","use":"hand-off"}'))
      .digest('hex')
    expect(id).toBe(`sha256:${named}`)
    expect(bytes).toHaveLength(32)
    expect(keys.draw('7', 'hand-off').id).not.toBe(id)
  })

  it('are overwritten where they lie, one by one, by use, or all of a job, and then named', () => {
    const keys = jobKeys(counting())
    const [one, two, three] = [
      keys.draw('1', 'live-tables'),
      keys.draw('1', 'hand-off'),
      keys.draw('1', 'hand-off'),
    ]
    const other = keys.draw('2', 'hand-off')
    const zeros = new Uint8Array(32)
    expect(keys.find('1', two.id)).toBe(two)
    keys.destroy(two)
    expect([two.bytes, keys.find('1', two.id)]).toEqual([zeros, undefined])
    expect(one.bytes).not.toEqual(zeros)
    const named = [
      { use: 'hand-off', id: two.id },
      { use: 'hand-off', id: three.id },
    ]
    expect(keys.end('1', 'hand-off')).toEqual(named)
    expect(keys.end('1')).toEqual([...named, { use: 'live-tables', id: one.id }])
    // Twice is once.
    keys.destroy(one)
    expect(keys.end('1')).toHaveLength(3)
    expect([one.bytes, three.bytes]).toEqual([zeros, zeros])
    expect(other.bytes).not.toEqual(zeros)
    expect(keys.end('3')).toEqual([])
  })

  it('are forgotten with their job, and overwritten by that', () => {
    const keys = jobKeys(counting())
    const key = keys.draw('1', 'live-tables')
    keys.forget('1')
    expect(key.bytes).toEqual(new Uint8Array(32))
    expect(keys.end('1')).toEqual([])
  })

  it('leave no copy behind of what the source of randomness gave', () => {
    const given = new Uint8Array(32).fill(1)
    const keys = jobKeys(() => given)
    keys.destroy(keys.draw('1', 'live-tables'))
    expect(given).toEqual(new Uint8Array(32))
  })

  it('are named up to the last 200 of a job, and remembered of 1,000 jobs whose keys are destroyed', () => {
    const keys = jobKeys(platformRandom)
    // However old, one that is not destroyed is not forgotten.
    const oldest = keys.draw('0', 'live-tables')
    const all = Array.from({ length: 201 }, () => keys.draw('1', 'hand-off').id)
    expect(keys.end('1').map(({ id }) => id)).toEqual(all.slice(1))
    const held = keys.draw('2', 'hand-off')
    for (let job = 3; job <= 1_001; job += 1) {
      keys.draw(`${job}`, 'hand-off')
      keys.end(`${job}`)
    }
    expect([keys.end('1').length, keys.find('2', held.id), keys.find('0', oldest.id)]).toEqual([
      0,
      held,
      oldest,
    ])
    expect(keys.end('1001')).toHaveLength(1)
  })
})
