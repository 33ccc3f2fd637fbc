/**
 * What a home node asks of the node that runs its job, call by call, each of which a test may change.
 * @module
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Address,
  decodeBase64Url,
  deriveKeyPair,
  encodeBase64Url,
  type JsonObject,
  sha256Digest,
} from '@sealpool/crypto'
import type { HandOffVisit } from '../hand-off/hand-off-visit.js'
import { encodeLeash, type Leash, type TransferFile } from '../hand-off/leash.js'
import { sealParcel } from '../hand-off/sealed-parcel.js'
import type { HandOffServer, TransferState } from '../hand-off/serve-hand-off.js'
import { chunkBytes } from '../hand-off/transfer-files.js'
import { type HandOffFixture, handOffPool, homeKeys, policyJson } from './hand-off-fixture.js'

const home = homeKeys.statementAddress
export const answerKeys = deriveKeyPair(new Uint8Array(32).fill(5))
/** Stands for an encrypted table: the engine of these tests does not open it. */
export const part = new Uint8Array(2 * chunkBytes + 5).fill(3)
export const partFile = { bytes: part.length, digest: sha256Digest(part) }
const text = (byte: number): string => encodeBase64Url(new Uint8Array(32).fill(byte))

export const fileOf = (bytes: Uint8Array): TransferFile => ({
  bytes: bytes.length,
  digest: sha256Digest(bytes),
})

export const chunkOf = (transfer: string, file: number, index: number, bytes: Uint8Array) => {
  const part = bytes.slice(index * chunkBytes, (index + 1) * chunkBytes)
  return { transfer, file, index, digest: sha256Digest(part), bytes: part }
}

/** @param asked the job of this moment */
export function transferCalls(here: HandOffFixture, asked: () => HandOffVisit) {
  const begin = async (server: HandOffServer = here.runner, from: Address = home) => {
    const opened = await server.open(from, { job: '1', manifest: asked().job.manifestDigest })
    if (typeof opened === 'string') throw new Error(opened)
    return { id: opened.transfer, publicKey: String(opened.key.statement.body['publicKey']) }
  }

  const leash = (transfer: string, change: Partial<Leash> = {}): Leash => ({
    format: 'sealpool/hand-off-leash',
    version: 1,
    transfer,
    job: '1',
    home,
    manifest: asked().manifest as unknown as JsonObject,
    plan: asked().planned.planDigest,
    pools: [{ address: handOffPool.address, policy: policyJson, restrictions: [] }],
    tables: [{ name: 'pay.workers', files: [1] }],
    files: [partFile],
    tableKey: text(1),
    // Whoever is given a shard adds none.
    ...(change.shard === undefined ? { noise: text(2) } : {}),
    pseudonyms: text(3),
    answerKey: encodeBase64Url(answerKeys.publicKey),
    expiresAt: 1_800_000_000,
    ...change,
  })

  const sealLeash = (
    { id, publicKey }: { readonly id: string; readonly publicKey: string },
    change: Partial<Leash> = {},
    scope: object = {},
    kind: 'leash' | 'answer' = 'leash',
  ): Promise<Uint8Array> =>
    sealParcel(encodeLeash(leash(id, change)), {
      kind,
      publicKey: decodeBase64Url(publicKey),
      scope: {
        chainId: 31_337,
        pool: handOffPool.address,
        policyDigest: handOffPool.policyDigest,
        epoch: 0,
        ...scope,
      },
      random: here.context.random,
    })

  const give = async (
    id: string,
    files: readonly Uint8Array[],
    announced = files.map(fileOf),
  ): Promise<void> => {
    const answer = here.runner.announce(home, id, announced)
    if (typeof answer === 'string') throw new Error(answer)
    for (const [file, bytes] of files.entries()) {
      for (let index = 0; index * chunkBytes < bytes.length; index += 1) {
        const given = await here.runner.chunk(home, chunkOf(id, file, index, bytes))
        if (typeof given === 'string') throw new Error(given)
      }
    }
  }
  const outcomeOf = async (id: string): Promise<TransferState> => {
    for (let round = 0; round < 4_000; round += 1) {
      const state = here.runner.status(home, id)
      if (typeof state === 'string') throw new Error(state)
      if (state.state === 'answered' || state.state === 'refused') return state
      await new Promise((done) => setTimeout(done, 5))
    }
    throw new Error('the job did not end')
  }
  const served = (): Promise<string[]> => readdir(join(here.folder, 'served')).catch(() => [])
  return { begin, sealLeash, give, outcomeOf, served }
}

/** Waits for what follows the end of a job a moment later. */
export async function untilEnded(holds: () => Promise<boolean>): Promise<void> {
  for (let round = 0; round < 4_000; round += 1) {
    if (await holds()) return
    await new Promise((done) => setTimeout(done, 5))
  }
  throw new Error('waited in vain')
}
