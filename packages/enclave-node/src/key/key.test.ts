import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressOf, type Digest, digestOf, type JsonValue, verifyStatement } from '@sealpool/crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { developmentKeyFile, developmentKeyRelease } from './development-key-release.js'
import { openKeyRing } from './key-ring.js'
import { nodeSigner, subjectOf } from './node-signer.js'

const folders: string[] = []
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealpool-key-'))
  folders.push(path)
  return path
}
afterAll(() => Promise.all(folders.map((path) => rm(path, { recursive: true, force: true }))))

const config: Digest = `sha256:${'1'.repeat(64)}`
const root = new Uint8Array(32).fill(7)
const scope = {
  chainId: 31_337,
  pool: `0x${'a'.repeat(40)}`,
  policyDigest: `sha256:${'2'.repeat(64)}`,
  epoch: 1,
} as const

describe('development key release', () => {
  it('makes a secret once, keeps it for its owner alone, and says what it is', async () => {
    const directory = await folder()
    const release = developmentKeyRelease({ directory })
    expect(release).toMatchObject({ name: 'development', simulated: true })
    const secret = await release.release()
    expect(secret).toHaveLength(32)
    expect(await developmentKeyRelease({ directory }).release()).toEqual(secret)
    const path = join(directory, developmentKeyFile)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toContain('DEVELOPMENT, NOT HARDWARE')
    expect(await developmentKeyRelease({ directory: await folder() }).release()).not.toEqual(secret)
  })

  it('gives two that start at the same time one secret', async () => {
    const directory = await folder()
    const secrets = await Promise.all(
      Array.from({ length: 8 }, () => developmentKeyRelease({ directory }).release()),
    )
    for (const secret of secrets) expect(secret).toEqual(secrets[0])
    expect(await readdir(directory)).toEqual([developmentKeyFile])
  })

  it.each(['', '{', '{}', '{"format":"sealpool/development-root-secret","warning":"","secret":"0x12"}'])(
    'refuses the file %j instead of making another secret',
    async (text) => {
      const directory = await folder()
      await writeFile(join(directory, developmentKeyFile), text)
      await expect(developmentKeyRelease({ directory }).release()).rejects.toMatchObject({
        code: 'KEY_UNREADABLE',
      })
    },
  )
})

describe('key ring', () => {
  it('gives the same keys for the same root, others for another, and binds the settings', () => {
    const keys = openKeyRing(root, config)
    expect(openKeyRing(root, config).keySet).toEqual(keys.keySet)
    expect(keys.keySetDigest).toBe(digestOf(keys.keySet as unknown as JsonValue))
    expect(keys.statementAddress).toBe(addressOf(keys.statementKey))
    const other = openKeyRing(root, `sha256:${'3'.repeat(64)}`)
    expect(other.keySet.statement).toEqual(keys.keySet.statement)
    expect(other.keySetDigest).not.toBe(keys.keySetDigest)
    expect(openKeyRing(new Uint8Array(32).fill(8), config).statementAddress).not.toBe(keys.statementAddress)
    expect(() => openKeyRing(new Uint8Array(31), config)).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' }),
    )
  })

  it('gives every pool, policy, epoch and purpose a key of its own', () => {
    const keys = openKeyRing(root, config)
    const ids = [
      scope,
      { ...scope, epoch: 2 },
      { ...scope, pool: `0x${'b'.repeat(40)}` } as const,
      { ...scope, policyDigest: `sha256:${'4'.repeat(64)}` } as const,
      { ...scope, chainId: 1 },
    ].map((one) => keys.poolKey(one).keyId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(keys.poolSecret('a', scope)).not.toEqual(keys.poolSecret('b', scope))
  })
})

describe('signer', () => {
  it('binds statements to chain, registry, pool, subject and nonce, and repeats itself exactly', () => {
    const keys = openKeyRing(root, config)
    const sign = nodeSigner({
      statementKey: keys.statementKey,
      chainId: 31_337,
      registry: `0x${'c'.repeat(40)}`,
    })
    const statement = {
      type: 'sealpool/test',
      body: { a: 1 },
      pool: scope.pool,
      subject: subjectOf('7'),
      nonce: '3',
    }
    const signed = sign(statement)
    expect(sign(statement)).toEqual(signed)
    expect(verifyStatement(signed, { signer: keys.statementAddress })).toBe(true)
    for (const change of [
      { nonce: '4' },
      { subject: subjectOf(8) },
      { pool: `0x${'d'.repeat(40)}` as const },
    ]) {
      expect(verifyStatement({ ...signed, context: { ...signed.context, ...change } })).toBe(false)
    }
    expect(subjectOf(255n)).toBe(`0x${'00'.repeat(31)}ff`)
  })
})

describe('the signer of a node', () => {
  it('signs nothing any more once the keys have moved', () => {
    const keys = openKeyRing(new Uint8Array(32).fill(1), `sha256:${'1'.repeat(64)}`)
    const pool = `0x${'1'.repeat(40)}` as const
    const { statementKey } = keys
    let moved = false
    const sign = nodeSigner({ statementKey, chainId: 1, registry: pool, moved: () => moved })
    const wish = { type: 'sealpool/receipt', body: {}, pool, subject: subjectOf(1), nonce: '0' }
    expect(sign(wish).statement.type).toBe(wish.type)
    moved = true
    expect(() => sign(wish)).toThrow(expect.objectContaining({ code: 'KEYS_MOVED' }))
  })
})
