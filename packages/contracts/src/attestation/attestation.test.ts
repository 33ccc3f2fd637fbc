import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createWalletClient, type Hex, http, toHex } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { foundry } from 'viem/chains'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Devnet, startDevnet } from '../devnet/index.js'
import {
  bringTdxCollateral,
  deployTdxVerifier,
  encodeTdxEvidence,
  splitTdxQuote,
  type TdxVerifierContracts,
  verifyTdxQuote,
} from './index.js'

interface Case {
  readonly quote: string
  readonly tcbInfo: string
  readonly qeIdentity: string
  readonly rootCaCrl: string
  readonly pckCrl: string
  readonly atUnix: number
  readonly note: string
  readonly expect: string
}

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const data = [resolve(root, '../shared/data/attest'), '/work/shared/data/attest'].find((path) =>
  existsSync(join(path, 'cases-dcap.json')),
)
if (data === undefined)
  console.log('real TDX quotes: skipped, there is no ../shared/data/attest beside this checkout')

describe('splitting a quote', () => {
  const good = () => {
    const quote = new Uint8Array(2_000)
    const view = new DataView(quote.buffer)
    view.setUint16(0, 4, true)
    view.setUint32(4, 0x81, true)
    const certification = 48 + 584 + 4 + 128
    view.setUint16(certification, 6, true)
    const end = certification + 6 + 384 + 64 + 2
    view.setUint16(end, 5, true)
    const pem = '-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n'
    view.setUint32(end + 2, pem.length, true)
    quote.set(new TextEncoder().encode(pem), end + 6)
    return { quote, view, certification, end }
  }

  test('takes the certification data off', () => {
    const { quote, end } = good()
    const evidence = splitTdxQuote(quote)
    expect(evidence.platformCertificate).toBe('0x000102')
    expect(evidence.quote.length).toBe(2 + 2 * end)
    expect(encodeTdxEvidence(evidence, toHex(1, { size: 32 }))).toContain('000102')
  })

  test('refuses what is no such quote', () => {
    const refuse = (change: (made: ReturnType<typeof good>) => Uint8Array | undefined) => {
      const made = good()
      const given = change(made) ?? made.quote
      expect(() => splitTdxQuote(given)).toThrowError(expect.objectContaining({ code: 'ARGUMENT_INVALID' }))
    }
    refuse(() => new Uint8Array(0))
    refuse(() => new Uint8Array((1 << 20) + 1))
    refuse(({ quote }) => quote.subarray(0, 700))
    refuse(({ view }) => void view.setUint16(0, 3, true))
    refuse(({ view }) => void view.setUint32(4, 0, true))
    refuse(({ view }) => void view.setUint16(0, 5, true))
    refuse(({ view, certification }) => void view.setUint16(certification, 5, true))
    refuse(({ view, end }) => void view.setUint16(end, 1, true))
    refuse(({ view, end }) => void view.setUint32(end + 2, 0xffffff, true))
    refuse(({ view, end }) => void view.setUint32(end + 2, 0, true))
    refuse(({ quote, end }) => void quote.set([0x3d], end + 6 + 28))
  })
})

describe.skipIf(data === undefined)('a real quote on a local chain', () => {
  const folder = data ?? ''
  const read = (path: string) => readFileSync(join(folder, path))
  const hex = (path: string): Hex => toHex(new Uint8Array(read(path)))
  const cases = data === undefined ? [] : (JSON.parse(read('cases-dcap.json').toString()) as Case[])
  const found = cases.find(
    ({ tcbInfo, note, expect: status }) => /\/TDX_/.test(tcbInfo) && note === '' && status === 'UpToDate',
  )
  const certificate = (pattern: RegExp) => {
    const name = readdirSync(join(folder, '_certs/intel')).filter((file) => pattern.test(file))
    return name.map((file) => hex(join('_certs/intel', file)))
  }
  let devnet: Devnet
  let client: Client
  let contracts: TdxVerifierContracts

  beforeAll(async () => {
    devnet = await startDevnet({ hardfork: 'osaka', timestamp: (found?.atUnix ?? 0) - 100 })
    const [account] = devnet.accounts
    client = createWalletClient({
      account: privateKeyToAccount(account?.privateKey ?? '0x'),
      chain: foundry,
      transport: http(devnet.rpcUrl),
    })
    const [rootCertificate] = certificate(/Root_CA_.*_44a0196b\.der$/)
    contracts = await deployTdxVerifier(client, { rootCertificate: rootCertificate ?? '0x' })
  })
  afterAll(() => devnet.stop())

  test('is verified with its own collateral, and refused when a byte differs', async () => {
    if (found === undefined) throw new Error('no case')
    const evidence = splitTdxQuote(new Uint8Array(read(found.quote)))
    let authority: Hex = '0x'
    const attempts: unknown[] = []
    for (const signer of certificate(/TCB_Signing/)) {
      const files = {
        rootRevocationList: hex(found.rootCaCrl),
        authority: evidence.chain[1] ?? '0x',
        authorityRevocationList: hex(found.pckCrl),
        signer,
        tcbInfo: read(found.tcbInfo).toString(),
        identity: read(found.qeIdentity).toString(),
      } as const
      try {
        authority = (await bringTdxCollateral(client, { collateral: contracts.collateral, files })).authority
        // Again: nothing is left to be brought but the authorities, which are simply written anew.
        const again = await bringTdxCollateral(client, { collateral: contracts.collateral, files })
        expect(again.sent).toHaveLength(2)
        const bad = { ...files, tcbInfo: '{}' }
        await expect(
          bringTdxCollateral(client, { collateral: contracts.collateral, files: bad }),
        ).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
        break
      } catch (error) {
        attempts.push(error)
      }
    }
    if (authority === '0x') throw attempts[0]
    const { verifier } = contracts
    const verdict = await verifyTdxQuote(client, { verifier, evidence, authority })
    expect(verdict.status).toBe(found.expect)
    expect(verdict.reportData).toHaveLength(130)
    const changed = {
      ...evidence,
      quote: `${evidence.quote.slice(0, 200)}ff${evidence.quote.slice(202)}` as Hex,
    }
    await expect(
      verifyTdxQuote(client, { verifier, evidence: changed, authority, blockNumber: 1_000_000n }),
    ).rejects.toMatchObject({ name: 'ContractsError' })
    await expect(verifyTdxQuote(client, { verifier, evidence: changed, authority })).rejects.toMatchObject({
      code: 'REVERTED',
    })
  })
})
