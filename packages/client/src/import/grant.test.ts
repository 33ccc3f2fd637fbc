import { encodeHex } from '@sealpool/crypto'
import { createClient, custom } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { ClientError } from '../errors.js'
import { granteeId, grantId, registry, scope, signedGrant, wireGrant } from '../testing/personal-server.js'
import { at } from '../testing/simulated-pool.js'
import {
  contractSignature,
  coversScope,
  type GrantDemand,
  type GrantStatus,
  isScope,
  type PortabilityGrant,
  parseGrant,
  verifyGrant,
} from './index.js'

const grantor = privateKeyToAccount(`0x${'42'.repeat(32)}`)
const stranger = privateKeyToAccount(`0x${'43'.repeat(32)}`)
const seconds = BigInt(at.getTime() / 1000)
const grant = await signedGrant(grantor)

const active = ({ grantorAddress, granteeId, scopes, grantVersion }: PortabilityGrant): GrantStatus => ({
  grantorAddress,
  granteeId,
  scopes,
  grantVersion,
  revoked: false,
})

const demand = (change: Partial<GrantDemand> = {}) =>
  verifyGrant({
    grant,
    registry,
    grantor: grantor.address,
    granteeId,
    scope,
    status: async (asked) => active(asked),
    now: () => at,
    ...change,
  })

/** The one check that does not pass, before the status that is not asked then. */
async function left(change: Partial<GrantDemand>) {
  const { ok, checks } = await demand(change)
  expect(ok).toBe(false)
  const found = checks.filter(({ result }) => result !== 'pass')
  return found.map(({ id, result, code }) => `${id} ${result} ${code}`)
}
const unasked = 'status not-checked GRANT_STATUS_UNKNOWN'

describe('a grant', () => {
  test('that holds passes every check', async () => {
    const { ok, checks } = await demand()
    expect(ok).toBe(true)
    expect(checks.map(({ id }) => id)).toEqual([
      'signature',
      'grantor',
      'grantee',
      'scope',
      'expiry',
      'status',
    ])
  })

  test('that somebody else signed, or that was changed afterwards, is not its grantor’s', async () => {
    const no = ['signature fail GRANT_NOT_SIGNED', unasked]
    const forged = { ...(await signedGrant(stranger)), grantorAddress: grantor.address }
    expect(await left({ grant: forged })).toEqual(no)
    for (const change of [{ scopes: ['*'] }, { grantVersion: 4n }, { expiresAt: seconds + 9n }])
      expect(await left({ grant: { ...grant, ...change } })).toEqual(no)
    const { signature } = grant
    for (const other of [
      '0x1234',
      `0x${'ff'.repeat(65)}`,
      // The same signature with a byte more, which readers of numbers pass over.
      `${signature.slice(0, 130)}00${signature.slice(130)}`,
    ] as const)
      expect(await left({ grant: { ...grant, signature: other as `0x${string}` } })).toEqual(no)
  })

  test('for another chain or contract is none here', async () => {
    const no = ['signature fail GRANT_NOT_SIGNED', unasked]
    expect(await left({ registry: { ...registry, chainId: 14800 } })).toEqual(no)
    expect(await left({ registry: { ...registry, permissions: `0x${'d6'.repeat(20)}` } })).toEqual(no)
  })

  test('of another wallet, or for another reader, is told', async () => {
    expect(await left({ grantor: stranger.address })).toEqual(['grantor fail GRANT_OF_ANOTHER', unasked])
    expect(await left({ granteeId: grantId })).toEqual(['grantee fail GRANT_OF_ANOTHER', unasked])
  })

  test('for other scopes is told', async () => {
    expect(await left({ scope: 'bank2.payslips' })).toEqual(['scope fail GRANT_SCOPE', unasked])
    await expect(demand({ scope: 'bank.*' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      place: 'scope',
    })
  })

  test('ends at its last second', async () => {
    const ends = async (expiresAt: bigint) => ({ grant: await signedGrant(grantor, { expiresAt }) })
    expect((await demand(await ends(seconds + 1n))).ok).toBe(true)
    expect(await left(await ends(seconds))).toEqual(['expiry fail GRANT_EXPIRED', unasked])
  })

  test.each<[string, Partial<GrantStatus>, string]>([
    ['was taken back', { revoked: true }, 'fail GRANT_REVOKED'],
    ['was replaced', { grantVersion: 4n }, 'fail GRANT_SUPERSEDED'],
    ['has another under its version', { scopes: ['bank.payslips'] }, 'fail GRANT_SUPERSEDED'],
    ['has one more scope in the registry', { scopes: ['bank.*', 'mail.*'] }, 'fail GRANT_SUPERSEDED'],
    ['is newer than the registry', { grantVersion: 2n }, 'not-checked GRANT_STATUS_UNKNOWN'],
    [
      'is another’s in the registry',
      { grantorAddress: stranger.address },
      'not-checked GRANT_STATUS_UNKNOWN',
    ],
    ['is for another in the registry', { granteeId: grantId }, 'not-checked GRANT_STATUS_UNKNOWN'],
  ])('that %s does not count', async (_, change, said) => {
    expect(await left({ status: async (asked) => ({ ...active(asked), ...change }) })).toEqual([
      `status ${said}`,
    ])
  })

  test('of which the registry has only a part does not count', async () => {
    const two = await signedGrant(grantor, { scopes: ['bank.*', 'mail.*'] })
    const status = async (asked: PortabilityGrant) => ({ ...active(asked), scopes: ['bank.*'] })
    expect(await left({ grant: two, status })).toEqual(['status fail GRANT_SUPERSEDED'])
  })

  test('whose status nobody tells is not ok', async () => {
    expect(await left({ status: 'server' })).toEqual([unasked])
    expect(await left({ status: async () => undefined })).toEqual([unasked])
    const cause = new ClientError('IMPORT_UNREACHABLE', 'x', 'y')
    const { checks } = await demand({ status: () => Promise.reject(cause) })
    expect(checks.at(-1)).toMatchObject({ result: 'not-checked', cause })
  })

  test('is not asked about when it does not hold anyway', async () => {
    let asked = 0
    const status = async (one: PortabilityGrant) => {
      asked += 1
      return active(one)
    }
    await demand({ granteeId: grantId, status })
    expect(asked).toBe(0)
    await demand({ status })
    expect(asked).toBe(1)
  })

  test('stops waiting for a registry at the signal', async () => {
    const stop = new AbortController()
    const waiting = demand({ status: () => new Promise(() => stop.abort()), signal: stop.signal })
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    await expect(demand({ signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' })
    const unasked = demand({ signal: stop.signal, status: 'server' })
    await expect(unasked).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('a contract wallet', () => {
  const wallet = `0x${'c0'.repeat(20)}` as const
  const yes = `0x1626ba7e${'00'.repeat(28)}`
  const ofWallet: PortabilityGrant = { ...grant, grantorAddress: wallet, signature: '0xabcd' }
  const chainSaying = (call: () => unknown, chainId = registry.chainId) =>
    createClient({
      transport: custom(
        {
          async request({ method }: { method: string }) {
            return method === 'eth_chainId' ? encodeHex(Uint8Array.of(chainId >> 8, chainId & 255)) : call()
          },
        },
        { retryCount: 0 },
      ),
    })
  const asked = (call: () => unknown, chainId?: number) =>
    demand({
      grant: ofWallet,
      grantor: wallet,
      contractSignature: contractSignature(chainSaying(call, chainId)),
    })

  test('that says yes has signed', async () => {
    expect((await asked(() => yes)).ok).toBe(true)
  })

  test('that says anything else, or nothing, has not', async () => {
    const reverted = () => {
      throw Object.assign(new Error('execution reverted'), { code: 3, data: '0x' })
    }
    for (const call of [() => `0xffffffff${'00'.repeat(28)}`, () => '0x', reverted])
      expect((await asked(call)).checks[0]).toMatchObject({ result: 'fail', code: 'GRANT_NOT_SIGNED' })
  })

  test('that cannot be asked, or is asked on another chain, is not checked', async () => {
    const away = () => {
      throw new Error('connection refused')
    }
    const { checks } = await asked(away)
    expect(checks[0]).toMatchObject({ result: 'not-checked', cause: { code: 'CHAIN_READ_FAILED' } })
    const elsewhere = await asked(() => yes, 1)
    expect(elsewhere.checks[0]).toMatchObject({ result: 'not-checked', cause: { code: 'WRONG_CHAIN' } })
  })

  test('on a chain that does not answer is not checked', async () => {
    const gone = createClient({
      transport: custom(
        { request: () => Promise.reject(new Error('connection refused')) },
        { retryCount: 0 },
      ),
    })
    const { checks } = await demand({
      grant: ofWallet,
      grantor: wallet,
      contractSignature: contractSignature(gone),
    })
    expect(checks[0]).toMatchObject({ result: 'not-checked', cause: { code: 'CHAIN_READ_FAILED' } })
  })

  test('is not waited for after the signal', async () => {
    const stop = new AbortController()
    const waiting = demand({
      grant: ofWallet,
      grantor: wallet,
      contractSignature: () => new Promise(() => stop.abort()),
      signal: stop.signal,
    })
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('is not known without somebody who asks it', async () => {
    const { checks } = await demand({ grant: ofWallet, grantor: wallet })
    expect(checks[0]).toMatchObject({ result: 'fail', code: 'GRANT_NOT_SIGNED' })
  })
})

describe('parseGrant', () => {
  const wire = wireGrant(grant)
  test('reads what the protocol writes, and leaves out what it does not know', () => {
    expect(parseGrant({ ...wire, status: 'finalized' })).toEqual(grant)
    expect(parseGrant({ ...wire, grantVersion: 3, expiresAt: 0 })).toEqual(grant)
  })

  test.each<[string, unknown]>([
    ['nothing', null],
    ['a list', [wire]],
    ['no scopes', { ...wire, scopes: [] }],
    ['too many scopes', { ...wire, scopes: Array.from({ length: 257 }, () => 'a.b') }],
    ['a scope that is too long', { ...wire, scopes: [`a.${'b'.repeat(600)}`] }],
    ['a scope with a blank', { ...wire, scopes: ['a b'] }],
    ['version 0', { ...wire, grantVersion: '0' }],
    ['a version that is no number', { ...wire, grantVersion: '0x3' }],
    ['a version past 256 bits', { ...wire, grantVersion: (2n ** 256n).toString() }],
    ['a moment before time', { ...wire, expiresAt: -1 }],
    ['half a version', { ...wire, grantVersion: 1.5 }],
    ['a version that JSON rounds', { ...wire, grantVersion: 2 ** 53 }],
    ['a version with a zero in front', { ...wire, grantVersion: '03' }],
    ['a grantor that is none', { ...wire, grantorAddress: '0x42' }],
    ['half a byte of a signature', { ...wire, signature: '0x123' }],
    ['a signature without end', { ...wire, signature: `0x${'00'.repeat(8_193)}` }],
    ['a grantee that is none', { ...wire, granteeId: '0x6e' }],
    ['a name that leads elsewhere', { ...wire, grantId: '../../secrets' }],
    ['no signature', { ...wire, signature: '0x' }],
  ])('refuses %s', (_, json) => {
    expect(() => parseGrant(json)).toThrow(expect.objectContaining({ code: 'GRANT_INVALID' }))
  })

  test('says of a grant file of version 2 that it is one', () => {
    const file = { grantee: grantor.address, operation: 'llm_inference', parameters: {}, expires: 1 }
    expect(() => parseGrant(file)).toThrow(/version 2/)
  })
})

describe('scopes', () => {
  test.each([
    ['bank.payslips', true],
    ['bank.payslips.may', true],
    ['spotify.savedTracks', true],
    ['bank', false],
    ['Bank.payslips', false],
    ['bank.payslips.may.first', false],
    ['bank.*', false],
    ['*', false],
    ['write:bank.payslips', false],
    ['bank..payslips', false],
    [`bank.${'a'.repeat(200)}`, false],
  ])('%s is one: %s', (text, is) => {
    expect(isScope(text)).toBe(is)
  })

  test.each([
    ['*', 'bank.payslips', true],
    ['bank.*', 'bank.payslips', true],
    ['bank.*', 'bank.payslips.may', true],
    ['bank.payslips.*', 'bank.payslips.may', true],
    ['bank.payslips', 'bank.payslips', true],
    ['bank.payslips', 'bank.payslips.may', false],
    ['bank.payslips.*', 'bank.payslips', false],
    ['ban.*', 'bank.payslips', false],
    ['bank*', 'bank.payslips', false],
    ['.*', 'bank.payslips', false],
    ['*.payslips', 'bank.payslips', false],
    ['write:*', 'bank.payslips', false],
    ['write:bank.payslips', 'bank.payslips', false],
    ['BANK.*', 'bank.payslips', false],
    ['*', 'bank.*', false],
    ['*', 'write:bank.payslips', false],
  ])('%s lets %s be read: %s', (entry, asked, is) => {
    expect(coversScope([entry], asked)).toBe(is)
  })
})
