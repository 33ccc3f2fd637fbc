/**
 * Cases of the protocol of contributions that several nodes judge: what a pool's home counts, and what a validator signs for whom.
 * @module
 */
import { BlobStoreError, memoryBlobStore } from '@sealpool/client'
import {
  type Address,
  addressOf,
  type JsonObject,
  type SignedStatement,
  sha256Digest,
} from '@sealpool/crypto'
import { type PocVerdict, signVerdict, type VerdictContext } from '@sealpool/poc'
import { readValidationWish } from '../api/validation-endpoints.js'
import { NodeError } from '../errors.js'
import { refusedVerdict } from '../ingest/judge-contribution.js'
import type { ChainContribution } from '../state/contribution-table.js'
import { decideAgreement, type ExpectedAgreement } from '../validation/decide-agreement.js'
import { type ServeValidationOptions, serveValidation } from '../validation/serve-validation.js'
import { inputsOf, type ToldFacts } from '../validation/told-facts.js'
import { chainContribution, keys } from './job-fixture.js'
import { require } from './port-case.js'
import { casesOf, changedLeaves, type ProtocolCase, type ProtocolCases } from './protocol-case.js'
import { addressOfDigit, digestOfDigit, servedPoolFixture } from './served-pool-fixture.js'
import { otherKeys } from './share-fixture.js'

const pool = servedPoolFixture()
const oneRun = { memoryBytes: 1_000_000, timeMs: 1_000, outputBytes: 1_000 }
const limits = { proof: oneRun, refiner: oneRun }
const registry = addressOfDigit('f')
const key = new Uint8Array(32).fill(7)
/** What anybody can name as his contribution. */
const garbage = new TextEncoder().encode('no sealed file')
const contribution: ChainContribution = chainContribution({
  id: '7',
  blobDigest: sha256Digest(garbage),
  locator: sha256Digest(garbage),
  blockNumber: 3n,
})
const at = 1_700_000_000
const told: ToldFacts = {
  // As whoever reads it finds.
  opening: { code: 'SEALED_FILE_INVALID', place: 'magic' },
  clock: false,
  duplicateOf: null,
  isHeld: false,
  novelty: null,
  account: null,
  scaling: null,
}
const verdict: PocVerdict = refusedVerdict(contribution, pool, 'SEALED_FILE_INVALID', 'magic')
const home = keys.statementAddress
const validator = otherKeys.statementAddress
const third = addressOf(new Uint8Array(32).fill(3))
const context = {
  chainId: pool.chainId,
  registry,
  subject: `0x${'7'.padStart(64, '0')}`,
  commitment: contribution.commitment,
  inputs: inputsOf({ key, pool, limits, owner: contribution.owner, at, mediaType: '', told }),
} as const satisfies VerdictContext
const expected: ExpectedAgreement = {
  pool: pool.address,
  contribution: contribution.id,
  poc: pool.poc.digest,
  validators: [home, validator, third],
  threshold: 2,
  context,
}
const signed = (
  change: Partial<PocVerdict> = {},
  place: Partial<VerdictContext> = {},
  privateKey: Uint8Array = otherKeys.statementKey,
): SignedStatement =>
  signVerdict({ verdict: { ...verdict, ...change }, context: { ...context, ...place }, privateKey })
const own = signed({}, {}, keys.statementKey)
const accepted = { valid: true, score: 1, refusal: null }

/** What the home comes to, with its own word: why a statement does not count, or why the contribution waits. */
function counted(...statements: readonly unknown[]): unknown {
  const decision = decideAgreement([own, ...statements], expected)
  if (decision.kind === 'agreed') return decision
  return decision.rejected[0]?.code ?? decision.reason
}

/** @returns what the pool's home must do with what comes as verdicts */
function homeCases(): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('validation', 'home')
  const invalid = [
    'STATEMENT_INVALID',
    'VERDICT_INVALID',
    'VERDICT_OF_ANOTHER_POOL',
    'VERDICT_OF_ANOTHER_CONTRIBUTION',
    'VERDICT_BY_OTHER_CODE',
    'VERDICT_OVER_OTHER_INPUTS',
  ]
  const refused = (title: string, statement: unknown, codes = ['STATEMENT_INVALID']) =>
    hostile(title, codes, async () => counted(statement))
  return [
    valid('the same verdict of two of three', async () => {
      const decision = decideAgreement([own, signed()], expected)
      require(decision.kind === 'agreed' && decision.disputes.length === 0, 'it did not count')
    }),
    valid('the verdict of two against this node’s own, which is in dispute', async () => {
      const byThird = signed(accepted, {}, new Uint8Array(32).fill(3))
      const decision = decideAgreement([own, signed(accepted), byThird], expected)
      require(decision.kind === 'agreed' && decision.verdict.valid, 'this node was not outvoted')
      require(decision.disputes.length === 1, 'nobody is told')
    }),
    ...changedLeaves(JSON.parse(JSON.stringify(signed()))).flatMap(({ place, json }) =>
      // Who signed is read from the signature, whatever stands beside it.
      place === '.signer' ? [] : [refused(`${place} of the statement is changed`, json, invalid)],
    ),
    refused('a statement that a stranger signed', signed({}, {}, new Uint8Array(32).fill(5))),
    refused('a verdict on another contribution', signed({ contribution: '8' }), [
      'VERDICT_OF_ANOTHER_CONTRIBUTION',
    ]),
    refused('a verdict of another pool', signed({ pool: addressOfDigit('b') }), ['VERDICT_OF_ANOTHER_POOL']),
    refused('a verdict by other code', signed({ poc: digestOfDigit('9') }), ['VERDICT_BY_OTHER_CODE']),
    refused('a verdict over other inputs (replay)', signed({}, { inputs: digestOfDigit('9') }), [
      'VERDICT_OVER_OTHER_INPUTS',
    ]),
    refused('a verdict on another plaintext', signed({}, { commitment: digestOfDigit('9') })),
    refused('a verdict for another chain', signed({}, { chainId: 1 })),
    refused('a verdict for another registry', signed({}, { registry: addressOfDigit('e') })),
    refused(
      'a verdict under another number of the chain',
      signed({}, { subject: `0x${'8'.padStart(64, '0')}` }),
    ),
    refused('nothing', null),
    refused('a verdict that nobody signed', { ...verdict }),
    hostile('this node’s own word once more (replay)', ['VALIDATORS_AWAY'], async () => counted(own)),
    hostile('another verdict, while a third one is to be heard', ['VALIDATORS_AWAY'], async () =>
      counted(signed(accepted)),
    ),
    hostile('two verdicts of one validator, one of them this node’s', ['VALIDATORS_AWAY'], async () =>
      counted(signed(), signed(accepted)),
    ),
    hostile('as many verdicts as there are validators', ['VALIDATORS_DISAGREE'], async () =>
      counted(signed(accepted), signed({ ...accepted, score: 0.5 }, {}, new Uint8Array(32).fill(3))),
    ),
  ]
}

/** What a validator says to a question: its statement, or why there is none. */
async function asked(
  change: {
    readonly body?: JsonObject
    readonly item?: JsonObject
    readonly from?: Address
    readonly options?: Partial<ServeValidationOptions>
    readonly onChain?: object
    readonly ofPool?: Address
  } = {},
): Promise<unknown> {
  const blobStore = memoryBlobStore()
  await blobStore.put(garbage)
  const peer = { statementAddress: home } as Awaited<ReturnType<ServeValidationOptions['attest']>>
  const server = serveValidation({
    pools: new Map([[pool.address, pool]]),
    chain: {
      chainId: pool.chainId,
      head: async () => ({ number: 9n, hash: '0x', timestamp: at }),
      blockTime: async () => at,
      contributions: async (from) =>
        from === 3n ? [{ ...contribution, pool: change.ofPool ?? pool.address }] : [],
      pool: async () => ({
        name: pool.name,
        policyDigest: pool.policyDigest,
        pocDigest: pool.poc.digest,
        refinerDigest: pool.refiner.digest,
        keyEpoch: { epoch: 1, policyDigest: pool.policyDigest, keyDigest: digestOfDigit('1'), node: home },
        restrictions: [],
        pausedUntil: 0,
        ...change.onChain,
      }),
    },
    keys: otherKeys,
    sign: { deployment: { chainId: pool.chainId, nodeRegistry: registry } },
    blobStore,
    // No case comes so far: what is no sealed file is judged by nobody's code.
    runtime: {
      name: 'none',
      isolation: 'none',
      run: () => Promise.reject(new Error('no code runs here')),
      close: async () => undefined,
    },
    limits,
    maximumBlobBytes: 1_000,
    giveWay: async () => undefined,
    attest: async () => peer,
    mayWork: () => true,
    elapsed: () => 0,
    onError: () => undefined,
    ...change.options,
  })
  const body = {
    pool: pool.address,
    poc: pool.poc.digest,
    key: `0x${'07'.repeat(32)}`,
    items: [{ id: '7', block: '3', header: null, told, ...change.item }],
    ...change.body,
  }
  const wish = readValidationWish(JSON.parse(JSON.stringify(body)))
  if (wish === undefined) return 'VALIDATION_BODY'
  const answer = await server.judge(change.from ?? home, wish)
  if (answer.state !== 'judged') return answer.reason
  return answer.answers[0]?.reason ?? answer.answers[0]?.statement
}

/** @returns what a validator must do with whoever asks */
function validatorCases(): readonly ProtocolCase[] {
  const { valid, hostile } = casesOf('validation', 'validator')
  const refused = (code: string, title: string, change: Parameters<typeof asked>[0]) =>
    hostile(title, [code], () => asked(change))
  const unlike = (code: 'PEER_NOT_ATTESTED' | 'NODE_UNREACHABLE') => ({
    attest: () => Promise.reject(new NodeError(code, 'x', 'its measurement is not allowed')),
  })
  const opening = (code: string, place = 'magic') => ({ told: { ...told, opening: { code, place } } })
  const older = (digit: string) => ({
    earlier: [{ policyDigest: digestOfDigit(digit), poc: digestOfDigit('1') }],
  })
  const told8 = Array.from({ length: 9 }, () => ({ id: '7', block: '3', header: null, told }))
  return [
    valid('the pool’s home gets a verdict, which it counts', async () => {
      require(typeof counted(await asked()) !== 'string', 'it does not count')
    }),
    valid('it gets the same when it asks again (replay)', async () => {
      const [first, second] = [await asked(), await asked()]
      require(JSON.stringify(first) === JSON.stringify(second), 'it says something else')
    }),
    valid('over other facts it gets another word, which does not count', async () => {
      const other = await asked({ item: { told: { ...told, isHeld: true } } })
      require(counted(other) === 'VERDICT_OVER_OTHER_INPUTS', 'it counts')
    }),
    refused('NOT_ITS_HOME', 'a node that has not the pool’s key', { from: validator }),
    refused('NOT_ITS_HOME', 'a home whose pool has another one’s key by now', {
      onChain: { keyEpoch: null },
    }),
    refused('POOL_NOT_VALIDATED', 'another pool', { body: { pool: addressOfDigit('b') } }),
    refused('CODE_DIFFERS', 'other code', { body: { poc: digestOfDigit('9') } }),
    refused('CODE_DIFFERS', 'code that the pool has replaced', {
      onChain: { pocDigest: digestOfDigit('9') },
    }),
    refused('CODE_DIFFERS', 'code that the pool has now and this node has not', {
      body: { poc: digestOfDigit('9') },
      onChain: { pocDigest: digestOfDigit('9') },
    }),
    refused('POLICY_DIFFERS', 'another policy on the chain', {
      onChain: { policyDigest: digestOfDigit('9') },
    }),
    refused('HOME_NOT_ATTESTED', 'a home of another measurement', { options: unlike('PEER_NOT_ATTESTED') }),
    refused('JUDGING_FAILED', 'a home that gives no evidence', { options: unlike('NODE_UNREACHABLE') }),
    refused('HOME_NOT_ATTESTED', 'evidence of another node', {
      options: { attest: async () => ({ statementAddress: validator }) as never },
    }),
    refused('NODE_NOT_WORKING', 'whoever asks while it may not work', { options: { mayWork: () => false } }),
    refused('CONTRIBUTION_UNKNOWN', 'a contribution of another block', { item: { block: '4' } }),
    refused('CONTRIBUTION_UNKNOWN', 'a contribution that nobody made', { item: { id: '8' } }),
    refused('CONTRIBUTION_UNKNOWN', 'a contribution of another pool', { ofPool: addressOfDigit('b') }),
    refused('CHAIN_BEHIND', 'a block that it has not read', { item: { block: '10' } }),
    refused('OPENING_DIFFERS', 'the word that a file opens which is none', {
      item: { told: { ...told, opening: null } },
    }),
    refused('OPENING_DIFFERS', 'a text that does not count here, which the home has let pass', {
      options: { pools: new Map([[pool.address, { ...pool, consents: [digestOfDigit('9')] }]]) },
    }),
    refused('OPENING_DIFFERS', 'another reason why it does not open', { item: opening('WRONG_OWNER') }),
    refused('OPENING_DIFFERS', 'another place of the same', {
      item: opening('SEALED_FILE_INVALID', '$.salt'),
    }),
    valid('what is no sealed file is none, whatever header comes for it', async () => {
      const statement = await asked({ item: { header: 'AQID' } })
      require(typeof counted(statement) !== 'string', 'it does not count')
    }),
    valid('that the blob is missing it says as well, where it misses it', async () => {
      const missing = { blobStore: memoryBlobStore() }
      const statement = await asked({ item: opening('BLOB_MISSING', 'locator'), options: missing })
      require(typeof statement === 'object', 'it says nothing')
    }),
    refused('BLOB_AWAY', 'the word that a blob is missing whose store does not answer', {
      item: opening('BLOB_MISSING', 'locator'),
      options: {
        blobStore: { get: () => Promise.reject(new BlobStoreError('BLOB_STORE_FAILED', 'x', 'away')) },
      },
    }),
    refused('BLOB_AWAY', 'what the home has opened while its blob is missing here', {
      item: { told: { ...told, opening: null } },
      options: { blobStore: memoryBlobStore() },
    }),
    refused('OPENING_DIFFERS', 'the word that the blob is away', {
      item: opening('BLOB_MISSING', 'locator'),
    }),
    refused('RESCORING_NOT_SERVED', 'what was sealed under an older policy that is not judged again here', {
      item: { told: { ...told, rescored: { policy: digestOfDigit('9') } } },
    }),
    refused('RESCORING_NOT_SERVED', 'what was sealed under another older policy than those', {
      item: { told: { ...told, rescored: { policy: digestOfDigit('9') } } },
      options: { pools: new Map([[pool.address, { ...pool, rescoring: older('8') }]]) },
    }),
    valid(
      'what was sealed under one of those it judges again, over inputs that are no first verdict’s',
      async () => {
        const statement = await asked({
          item: { told: { ...told, rescored: { policy: digestOfDigit('9') } } },
          options: { pools: new Map([[pool.address, { ...pool, rescoring: older('9') }]]) },
        })
        require(counted(statement) === 'VERDICT_OVER_OTHER_INPUTS', 'it counts as a first verdict')
      },
    ),
    refused('VALIDATION_BODY', 'an older policy that is no digest', {
      item: { told: { ...told, rescored: { policy: '9' } } },
    }),
    refused('TURN_OVER', 'what comes after its turn', {
      options: {
        elapsed: (
          (time = 0) =>
          () =>
            (time += 60_001)
        )(),
      },
    }),
    refused('VALIDATION_BODY', 'a refusal that hangs on no opening', { item: opening('EXPIRED') }),
    refused('VALIDATION_BODY', 'more contributions than one question holds', { body: { items: told8 } }),
    refused('VALIDATION_BODY', 'no contribution', { body: { items: [] } }),
    refused('VALIDATION_BODY', 'a short key', { body: { key: '0x07' } }),
    refused('VALIDATION_BODY', 'more than a question', { body: { home } }),
  ]
}

/** @returns the cases of both ends */
export async function validationCases(): Promise<ProtocolCases> {
  return { cases: [...homeCases(), ...validatorCases()], close: async () => undefined }
}
