import { encodeBase64Url, type SignedStatement } from '@sealpool/crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { encodeSealedCopies } from '../release/sealed-copies.js'
import type { JobRow } from '../state/job-table.js'
import { apiPool, apiWorld, wallets } from '../testing/api-world.js'
import { addressOfDigit, digestOfDigit } from '../testing/served-pool-fixture.js'

const digest = digestOfDigit('0')
const consumer = wallets.consumer.address.toLowerCase() as `0x${string}`
const partner = wallets.stranger.address.toLowerCase() as `0x${string}`
const copies = { consumer: Uint8Array.of(1), partner: Uint8Array.of(2) }
const body = {
  job: { id: '7', kind: 'query', manifest: digest, consumer },
  outcome: 'released',
  refusal: null,
  pools: [],
  code: null,
  plan: digest,
  approvals: [],
  result: {
    digest,
    sealed: digest,
    mediaType: 'application/json',
    views: [
      { recipient: consumer, view: { kind: 'whole' }, sealed: digest },
      { recipient: partner, view: { kind: 'count' }, sealed: digest },
    ],
  },
  keySet: digest,
  quote: digest,
  isolation: 'x',
  simulated: true,
  issuedAt: '2026-11-22T12:00:00Z',
}
const receipt: SignedStatement = {
  statement: { type: 'sealpool/receipt', version: 1, body },
  context: {
    chainId: 31_337,
    registry: apiPool,
    pool: apiPool,
    subject: `0x${'0'.repeat(64)}`,
    nonce: '0',
    facts: [],
  },
  signer: apiPool,
  signature: '0x',
}
const job: Pick<
  JobRow,
  'id' | 'consumer' | 'pools' | 'state' | 'detached' | 'receipt' | 'resultDigest' | 'sealedResult'
> = {
  id: '7',
  consumer,
  pools: [apiPool],
  state: 'settled',
  detached: false,
  receipt,
  resultDigest: digest,
  sealedResult: encodeSealedCopies([
    { recipient: consumer, sealed: copies.consumer },
    { recipient: partner, sealed: copies.partner },
  ]),
}
const path = (recipient?: string) =>
  `/v1/jobs/7/result${recipient === undefined ? '' : `?recipient=${recipient}`}`
const service = { job: async () => job as JobRow }

interface Answer {
  readonly sealed?: string
  readonly error?: { readonly code: string }
}

describe('a result with views', () => {
  const world = apiWorld({}, { service })
  const tokens: Record<string, string> = {}
  beforeAll(async () => {
    tokens['consumer'] = await world.session(wallets.consumer, ['consumer'])
    tokens['partner'] = await world.session(wallets.stranger, ['consumer'])
  })
  const ask = async (who: string | null, recipient?: string): Promise<string | undefined> => {
    const answer = await world.call('GET', path(recipient), {
      token: who === null ? null : (tokens[who] ?? ''),
    })
    const { sealed, error } = answer.body as Answer
    return sealed ?? error?.code
  }

  it('is given, where callers sign in, to each recipient in his own copy and in no other', async () => {
    const [whole, count] = [encodeBase64Url(copies.consumer), encodeBase64Url(copies.partner)]
    expect(await ask('consumer')).toBe(whole)
    expect(await ask('consumer', consumer)).toBe(whole)
    expect(await ask('partner', partner)).toBe(count)
    expect(await ask('partner', wallets.stranger.address)).toBe(count)
    for (const [who, recipient] of [
      ['partner', undefined],
      ['partner', consumer],
      ['consumer', partner],
      ['partner', addressOfDigit('9')],
    ] as const) {
      expect(await ask(who, recipient)).toBe('ROLE_NOT_ALLOWED')
    }
    expect(await ask(null, partner)).toBe('SIGN_IN_REQUIRED')
    expect(await ask('consumer', addressOfDigit('9'))).toBe('RECIPIENT_UNKNOWN')
    expect(await ask('consumer', 'everybody')).toBe('ADDRESS_INVALID')
  })
})
