import {
  type AttestationPolicy,
  AttestError,
  defaultAttestationPolicy,
  formatPemCertificates,
  measurementDigest,
  nodeReportData,
} from '@sealpool/attest'
import { createAmdSimulator } from '@sealpool/attest/simulator'
import {
  addressOf,
  asJson,
  type Digest,
  digestOf,
  digestToHex,
  encodeBase64Url,
  encodeHex,
  keySetDigest,
  publicKeyOf,
  sha256Digest,
} from '@sealpool/crypto'
import { describe, expect, test } from 'vitest'
import {
  at,
  deployment,
  type KeyStatement,
  measurement,
  node,
  nonce,
  policy,
  policyWith,
  pool,
  repeatable,
  simulatedNode,
  simulator,
  trust,
} from '../testing/simulated-pool.js'
import type { ChainFacts } from './chain-facts.js'
import { changedOnChain, isVerifiedPool, type KeyedPoolAnswer, verifyPool } from './verified-pool.js'

type Options = Parameters<typeof verifyPool>[0]

const good: Options = {
  policy,
  pool,
  chainId: deployment.chainId,
  nodeRegistry: deployment.nodeRegistry,
  served: node.answer(),
  evidence: node.evidence(),
  nonce,
  chain: node.facts(),
  at,
}

function verdict(change: Partial<Options>) {
  const answer = verifyPool({ ...good, ...change })
  const failed = answer.checks.filter(({ result }) => result !== 'pass')
  return { answer, ids: failed.map(({ id }) => id), details: failed.map(({ detail }) => detail).join('; ') }
}

/** Every refusal must close the door, and for the reason that the test is about. */
function expectRefused(change: Partial<Options>, id: string, why: RegExp | string): void {
  const { answer, ids, details } = verdict(change)
  expect(ids).toEqual([id])
  expect(details).toMatch(why)
  expect(answer.ok).toBe(false)
  expect(answer.pool).toBeUndefined()
}

const facts = (change: {
  readonly policyDigest?: ChainFacts['policyDigest']
  readonly measurement?: ChainFacts['measurement']
  readonly keyEpoch?: Partial<ChainFacts['keyEpoch']>
  readonly node?: Partial<ChainFacts['node']>
}): ChainFacts => ({
  policyDigest: change.policyDigest ?? good.chain.policyDigest,
  measurement: change.measurement ?? good.chain.measurement,
  keyEpoch: { ...good.chain.keyEpoch, ...change.keyEpoch },
  node: { ...good.chain.node, ...change.node },
})
const served = (change: Partial<KeyedPoolAnswer>): KeyedPoolAnswer => ({ ...good.served, ...change })
const stated = (change: Partial<KeyStatement>): KeyedPoolAnswer =>
  served({ statement: asJson(node.statement(change)) })
const otherDigest: Digest = digestOf('other')
const otherKey = publicKeyOf(new Uint8Array(32).fill(9))

describe('verifyPool', () => {
  test('says yes to a simulated node under a policy that allows it, and says simulated', () => {
    const { answer, ids } = verdict({})
    expect(ids).toEqual([])
    expect(answer.ok).toBe(true)
    expect(answer.simulated).toBe(true)
    expect(answer.pool).toEqual({
      keep: 'escrow',
      chainId: 31337,
      address: pool.toLowerCase(),
      policyDigest: digestOf(policy),
      epoch: 1,
      publicKey: node.poolKey().publicKey,
      keyId: node.poolKey().keyId,
      keySet: node.keySet,
      measurement,
      validUntil: expect.stringMatching(/^20\d\d-/),
      simulated: true,
    })
    expect(answer.checks.map(({ id }) => id).slice(-5)).toEqual([
      'policy-on-chain',
      'node-on-chain',
      'pool-key-statement',
      'pool-key-on-chain',
      'measurement-on-chain',
    ])
  })

  test('does not mind how an address is written', () => {
    const node = { ...good.chain.keyEpoch, node: good.chain.keyEpoch.node.toUpperCase().replace('0X', '0x') }
    const upper = { ...good.chain, keyEpoch: node as ChainFacts['keyEpoch'] }
    expect(verdict({ pool: pool.toLowerCase() as typeof pool, chain: upper }).answer.ok).toBe(true)
  })
})

describe('verifyPool of a node in an SEV-SNP guest', () => {
  const amd = createAmdSimulator({ random: repeatable('snp node'), at, product: 'Turin' })
  const launch = new Uint8Array(48).fill(7)
  const rules = policyWith({
    ...trust,
    roots: [amd.rootDigest],
    measurements: [{ name: 'image', measurement: encodeHex(launch) }],
    snp: { minimumTcb: { Turin: { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 } } },
  } as typeof trust)
  const guest = simulatedNode(7, rules)
  const report = amd.report({ reportData: nodeReportData(guest.keySet, good.nonce), measurement: launch })
  const evidence = {
    format: 'sealpool/node-evidence',
    version: 1,
    tee: 'sev-snp',
    quote: encodeBase64Url(report),
    collateral: { certificates: formatPemCertificates(amd.certificates()), crl: encodeHex(amd.crl(at)) },
    keySet: asJson(guest.keySet),
    nonce: good.nonce,
    simulated: true,
  }
  const own = measurementDigest({ measurement: encodeHex(launch), hostData: `0x${'00'.repeat(32)}` })
  const chain = { ...guest.facts(), measurement: own, node: { ...guest.facts().node, measurement: own } }
  const change = { policy: rules, served: guest.answer(), evidence, chain }

  test('measures and judges it by its own rules, and knows no date up to which a yes counts', () => {
    const { answer, ids } = verdict(change)
    expect(ids).toEqual([])
    expect(answer.pool).toMatchObject({ measurement: own, validUntil: null, simulated: true })
    expect(answer.summary.every(({ result }) => result === 'pass')).toBe(true)
  })

  test('refuses it when it is registered with other code', () => {
    const facts = { ...chain, node: { ...chain.node, measurement } }
    expectRefused({ ...change, chain: facts }, 'measurement-on-chain', /registered with other code/)
  })
})

describe('verifyPool refuses the policy', () => {
  test('that is not the one on chain', () => {
    const read = policyWith(trust, 'what I thought I read')
    // Everything else speaks of the policy that was read, so that only the chain's rules differ.
    const other = simulatedNode(7, read)
    const chain = { ...other.facts(), policyDigest: good.chain.policyDigest }
    expectRefused({ policy: read, served: other.answer(), chain }, 'policy-on-chain', /another policy/)
  })

  test('without attestation rules, as an error: there is nothing to judge by', () => {
    expect(() => verdict({ policy: { format: 'sealpool/pool-policy' } })).toThrow(
      expect.objectContaining({ code: 'BAD_POLICY' }),
    )
  })
})

describe('verifyPool refuses evidence', () => {
  const under = (attestation: AttestationPolicy, change: Partial<Options> = {}) => {
    const rules = policyWith(attestation)
    const other = simulatedNode(7, rules)
    return { policy: rules, served: other.answer(), chain: other.facts(), ...change }
  }
  const refusedBy = (change: Partial<Options>) => {
    const { answer, ids } = verdict(change)
    expect(answer.ok).toBe(false)
    expect(answer.pool).toBeUndefined()
    return ids
  }

  test('of a simulator that the policy does not allow', () => {
    expect(refusedBy(under({ ...trust, allowSimulator: false }))).toContain('attestation-policy')
    expect(refusedBy(under({ ...trust, roots: ['intel'] }))).toContain('attestation-policy')
    expect(refusedBy(under({ ...defaultAttestationPolicy }))).toContain('attestation-policy')
  })

  test('of code that the policy does not name', () => {
    const measurements = [{ name: 'other', mrTd: `0x${'77'.repeat(48)}` as const }]
    expect(refusedBy(under({ ...trust, measurements }))).toEqual(['attestation-policy'])
  })

  test('that was made for another nonce: an old recording', () => {
    expect(refusedBy({ evidence: node.evidence(`0x${'11'.repeat(32)}`) })).toEqual(['nonce'])
  })

  test('whose quote vouches for other keys', () => {
    const foreign = asJson(simulatedNode(8).keySet)
    expect(refusedBy({ evidence: { ...node.evidence(), keySet: foreign } })).toContain('key-set')
  })

  test('with collateral that has expired', () => {
    const late = new Date(at.getTime() + 40 * 86_400_000)
    expect(refusedBy({ at: late })).toEqual(
      expect.arrayContaining(['collateral-dates', 'attestation-policy']),
    )
  })

  test('that hides that it is simulated', () => {
    expect(refusedBy({ evidence: { ...node.evidence(), simulated: false } })).toEqual(['simulated-flag'])
  })

  test('that was tampered with', () => {
    const quote = simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-body' })
    const ids = refusedBy({ evidence: { ...node.evidence(), quote: encodeBase64Url(quote) } })
    expect(ids).toContain('quote-signature')
  })

  test.each([
    ['nothing', {}],
    ['an unknown field', { ...node.evidence(), extra: 1 }],
    ['a quote that is none', { ...node.evidence(), quote: 'AAAA' }],
  ])('that cannot be read: %s', (_name, evidence) => {
    expect(() => verdict({ evidence })).toThrow(AttestError)
  })
})

describe('verifyPool refuses the node', () => {
  test('that the registry does not list as active', () => {
    expectRefused({ chain: facts({ node: { active: false } }) }, 'node-on-chain', /active/)
  })
  test('to which the key epoch does not belong', () => {
    const stranger = addressOf(new Uint8Array(32).fill(3))
    expectRefused({ chain: facts({ keyEpoch: { node: stranger } }) }, 'node-on-chain', /another node/)
  })
  test('whose registration has another key set', () => {
    const keySetDigestOnChain = digestToHex(keySetDigest(simulatedNode(8).keySet))
    const chain = facts({ node: { keySetDigest: keySetDigestOnChain } })
    expectRefused({ chain }, 'node-on-chain', /another key set/)
  })
  test('that runs other code than it is registered with', () => {
    const chain = facts({ node: { measurement: digestToHex(otherDigest) } })
    expectRefused({ chain }, 'measurement-on-chain', /registered with other code/)
  })
  test('that runs other code than the pool demands', () => {
    const chain = facts({ measurement: digestToHex(otherDigest) })
    expectRefused({ chain }, 'measurement-on-chain', /pool demands other code/)
    const any = facts({ measurement: `0x${'00'.repeat(32)}` })
    expect(verdict({ chain: any }).answer.ok).toBe(true)
  })
  test.each(['fail', 'not-checked'] as const)('whose code the log answers with %s', (result) => {
    expectRefused({ logged: { result, detail: 'as the log says' } }, 'measurement-logged', /as the log says/)
  })
  test('not when the log has its code', () => {
    const { answer } = verdict({ logged: { result: 'pass', detail: 'Entry 3' } })
    expect(answer.ok).toBe(true)
    expect(answer.checks.at(-1)).toMatchObject({
      id: 'measurement-logged',
      result: 'pass',
      detail: 'Entry 3',
    })
  })
})

describe('verifyPool refuses a pool-key statement', () => {
  const cases: readonly [string, KeyedPoolAnswer, RegExp][] = [
    ['signed by another key', served({ statement: asJson(simulatedNode(8).statement()) }), /signature/],
    ['of another type', stated({ type: 'sealpool/receipt' }), /something else/],
    ['of another version', stated({ version: 2 }), /something else/],
    ['for another chain', stated({ chainId: 1 }), /another chain/],
    ['for another registry', stated({ registry: deployment.jobBoard }), /another registry/],
    ['for another pool', stated({ pool: deployment.jobBoard }), /another pool/],
    ['for another policy', stated({ policy: otherDigest }), /another policy/],
    ['for another epoch', stated({ epoch: 2, publicKey: good.served.poolKey.publicKey }), /another epoch/],
    ['for another key', stated({ publicKey: encodeBase64Url(otherKey) }), /another publicKey/],
    ['that is none', served({ statement: { signed: 'yes' } }), /not a signed statement/],
  ]
  test.each(cases)('%s', (_name, answer, why) => {
    expectRefused({ served: answer }, 'pool-key-statement', why)
  })

  test('that was changed after it was signed', () => {
    const signed = node.statement()
    const { statement } = signed
    const changed = { ...signed, statement: { ...statement, body: { ...statement.body, note: 'x' } } }
    const answer = served({ statement: asJson(changed) })
    expectRefused({ served: answer }, 'pool-key-statement', /signature/)
  })
})

describe('verifyPool refuses a pool key', () => {
  test('whose digest is not the one on chain', () => {
    const chain = facts({ keyEpoch: { keyDigest: digestToHex(sha256Digest(otherKey)) } })
    expectRefused({ chain }, 'pool-key-on-chain', /digest of another key/)
  })
  test('of another epoch than the chain’s', () => {
    expectRefused({ chain: facts({ keyEpoch: { epoch: 2 } }) }, 'pool-key-on-chain', /another epoch/)
  })
  test('that was published for another policy', () => {
    const chain = facts({ keyEpoch: { policyDigest: digestToHex(otherDigest) } })
    expectRefused({ chain }, 'pool-key-on-chain', /another policy/)
  })
  test('under a name that is not its own', () => {
    const poolKey = { ...good.served.poolKey, keyId: otherDigest }
    expectRefused({ served: served({ poolKey }) }, 'pool-key-on-chain', /name/)
  })
  test.each([
    ['too short', encodeBase64Url(new Uint8Array(31).fill(1))],
    ['not base64url', '+/=='],
    ['of low order, with which anybody could open', encodeBase64Url(new Uint8Array(32))],
  ])('%s', (_name, publicKey) => {
    // The node signs it and the chain has its digest: only the key itself is wrong.
    const bytes =
      publicKey === '+/==' ? new Uint8Array() : Uint8Array.from(Buffer.from(publicKey, 'base64url'))
    const keyId = sha256Digest(bytes)
    const answer = { ...stated({ publicKey }), poolKey: { publicKey, keyId } }
    const chain = facts({ keyEpoch: { keyDigest: digestToHex(keyId) } })
    expectRefused({ served: answer, chain }, 'pool-key-on-chain', /not an X25519 key/)
  })
})

describe('isVerifiedPool', () => {
  const { pool: verified } = verdict({}).answer
  if (verified === undefined) throw new Error('the fixture does not verify')

  test('knows what verifyPool made, and no copy of it', () => {
    expect(isVerifiedPool(verified)).toBe(true)
    expect(isVerifiedPool({ ...verified })).toBe(false)
    expect(Object.isFrozen(verified)).toBe(true)
  })

  test('notices when the key’s bytes were changed since', () => {
    const { pool: changed } = verdict({}).answer
    if (changed === undefined) throw new Error('the fixture does not verify')
    changed.publicKey.set(otherKey)
    expect(isVerifiedPool(changed)).toBe(false)
  })
})

describe('changedOnChain', () => {
  const { pool: verified } = verdict({}).answer
  if (verified === undefined) throw new Error('the fixture does not verify')

  test('is undefined while the chain says the same', () => {
    expect(changedOnChain(verified, good.chain)).toBeUndefined()
  })
  test.each([
    ['policy', facts({ policyDigest: digestToHex(otherDigest) })],
    ['node is active', facts({ node: { active: false } })],
    ['key set', facts({ node: { keySetDigest: digestToHex(otherDigest) } })],
    ['node', facts({ keyEpoch: { node: deployment.jobBoard } })],
    ['epoch', facts({ keyEpoch: { epoch: 2 } })],
    ['key', facts({ keyEpoch: { keyDigest: digestToHex(otherDigest) } })],
    ['registered code', facts({ node: { measurement: digestToHex(otherDigest) } })],
    ['demanded code', facts({ measurement: digestToHex(otherDigest) })],
    ['policy of the epoch', facts({ keyEpoch: { policyDigest: digestToHex(otherDigest) } })],
  ])('notices another %s', (_name, chain) => {
    expect(changedOnChain(verified, chain)).toBeDefined()
  })
})
