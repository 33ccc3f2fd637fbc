/**
 * The home's side: has the validators of a pool judge contributions, and counts what they say with its own word.
 * @module
 */
import {
  type Address,
  addRecipient,
  CryptoError,
  decodeBase64Url,
  encodeBase64Url,
  encodeHex,
  hpkeIdentity,
  hpkeRecipient,
  type JsonValue,
  listRecipients,
  removeRecipient,
} from '@sealpool/crypto'
import { type PocVerdict, signVerdict } from '@sealpool/poc'
import * as z from 'zod'
import { NodeError } from '../errors.js'
import type { JudgingLimits } from '../ingest/judge-contribution.js'
import type { OpenedHeader } from '../ingest/open-contribution.js'
import { keyScope, lastingScope, type ServedPool } from '../ingest/served-pool.js'
import type { NodeKeyRing } from '../key/key-ring.js'
import { type NodeSigner, subjectOf } from '../key/node-signer.js'
import type { AttestedPeer } from '../peer/attest-peer.js'
import type { PeerLine } from '../peer/call-peer.js'
import type { ContributionRow } from '../state/contribution-table.js'
import { type AgreementDecision, decideAgreement, type ExpectedAgreement } from './decide-agreement.js'
import { lackedFiles, type TimesLacked } from './lacked-files.js'
import { questionsOf } from './questions-of.js'
import { inputsOf, itemsAtOnce, type ToldFacts } from './told-facts.js'

/** A contribution that the home has judged. */
export interface OwnVerdict {
  readonly contribution: ContributionRow
  readonly verdict: PocVerdict
  readonly at: number
  /** Empty when nothing was opened. */
  readonly mediaType: string
  readonly told: ToldFacts
  /** Absent when the blob has not the form of a sealed file, or one that no question holds (`isFitHeader`), or is away. */
  readonly file: OpenedHeader | undefined
}

/** The validators of the pools that this node serves. */
export interface ValidatorPanel {
  /**
   * Has contributions of a pool judged by its validators.
   * @returns what they came to, in the order of the contributions
   */
  agree(pool: ServedPool, judged: readonly OwnVerdict[]): Promise<readonly AgreementDecision[]>
  /**
   * @param contribution that waits; absent: none in particular
   * @returns unix seconds at which enough validators may be asked again after some failed; the later, the more often those who do answer have
   *   signed nothing that counts on this contribution
   */
  againAt(pool: ServedPool, contribution?: string): number
  /** How often in a row enough validators have answered, and signed nothing that counts on a contribution. */
  timesInVain(contribution: string): number
  /** How often in a row validators have said that they do not get the contribution's file. */
  timesLacked(contribution: string): TimesLacked
  /** Answers of validators that did not count, since the start; for figures. */
  rejected(): number
}

/** What asking needs. */
export interface AskValidatorsOptions {
  readonly keys: Pick<NodeKeyRing, 'statementKey' | 'statementAddress' | 'poolKey' | 'poolSecret'>
  readonly sign: Pick<NodeSigner, 'deployment'>
  readonly limits: JudgingLimits
  /** Verifies the validator of a pool. @throws NodeError `PEER_NOT_ATTESTED`, `NODE_UNREACHABLE` */
  readonly attest: (
    validator: { readonly address: Address; readonly url: string },
    pool: ServedPool,
  ) => Promise<AttestedPeer>
  readonly call: (peer: AttestedPeer) => PeerLine
  /** Whether this node may sign now; asked right before. @throws NodeError `KEYS_MOVED` */
  readonly requireOwnKeys: () => void
  /** How long those who are slow are waited for once enough have answered. */
  readonly grace: () => Promise<void>
  /** How long all are waited for at most: what has no verdict by then waits. */
  readonly patience: () => Promise<void>
  readonly random: (length: number) => Uint8Array
  /** Unix seconds: when one that failed is asked again. */
  readonly now: () => number
  readonly onError: (validator: Address, error: unknown) => void
}

const answerSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('judged'),
    answers: z
      .array(z.object({ id: z.string().max(20), statement: z.json(), reason: z.string().max(50).nullable() }))
      .max(itemsAtOnce),
  }),
  z.object({ state: z.literal('later'), reason: z.string().max(50) }),
  z.object({ state: z.literal('refused'), reason: z.string().max(50) }),
])

/** Shortest wait before a contribution that lacks verdicts is judged again. */
const shortestWaitSeconds = 30
/** Longest wait before a validator that failed is asked again. */
const longestWaitSeconds = 300
/** Longest wait of a contribution on which those who answer sign nothing that counts. */
const longestVainSeconds = 3_600
/** Contributions of which it is remembered how often that was; beyond, the oldest begin anew. */
const mostVain = 10_000
/** Longest statement that is kept, as JSON, unless this node's own is long as well. */
const longestStatement = 262_144

/** One who is asked, over all pools. */
interface Line {
  failures: number
  /** Unix seconds before which it is left alone. */
  until: number
  /** A question of an earlier batch is still under way. */
  busy: boolean
}

/** Statements by contribution, with who sent them: whoever it is can send those of others. */
type Said = Map<string, { readonly from: Address; readonly statement: unknown }[]>

/** One batch with all who are asked about it. */
interface Round {
  readonly key: Uint8Array
  readonly judged: readonly OwnVerdict[]
  readonly said: Said
  /** Notes that a validator does not get a contribution's file. */
  readonly noteLacking: (contribution: string, validator: Address) => void
  /** Contributions that a validator's settings do not let it judge again. */
  readonly unserved: Set<string>
  /** Nobody waits for more. */
  over: boolean
}

/** @returns the validators, to this node */
export function askValidators(options: AskValidatorsOptions): ValidatorPanel {
  const { keys, sign, limits, random, now, onError } = options
  const lines = new Map<Address, Line>()
  const vain = new Map<string, number>()
  const lacked = lackedFiles(mostVain)
  let rejected = 0

  return {
    rejected: () => rejected,
    timesInVain: (contribution) => vain.get(contribution) ?? 0,
    timesLacked: lacked.timesOf,
    againAt({ validators }, contribution = '') {
      const free = (validators?.nodes ?? [])
        .map(({ address }) => lines.get(address)?.until ?? 0)
        .sort((a, b) => a - b)
      const times = Math.min(Math.max((vain.get(contribution) ?? 0) - 1, 0), 10)
      const wait = Math.min(shortestWaitSeconds * 2 ** times, longestVainSeconds)
      return Math.max(now() + wait, free[(validators?.threshold ?? 2) - 2] ?? 0)
    },
    async agree(pool, judged) {
      const { validators } = pool
      if (validators === null) throw new RangeError('the pool has no validators')
      const key = keys.poolSecret('verdict-inputs', lastingScope(pool))
      const all = [keys.statementAddress, ...validators.nodes.map(({ address }) => address)]
      const expected = judged.map((one) => expectedOf(pool, one, { key, validators: all }))
      const said: Said = new Map(judged.map((one) => [one.contribution.id, []]))
      const round: Round = {
        ...{ key, judged, said, over: false, unserved: new Set<string>() },
        noteLacking: lacked.ask([...said.keys()], all.length - validators.threshold + 1),
      }
      const saidOn = ({ contribution: { id } }: OwnVerdict) => said.get(id) ?? []
      const heard = (one: OwnVerdict) => saidOn(one).map(({ statement }) => statement)
      options.requireOwnKeys()
      judged.forEach((one, place) => {
        const context = expected[place]?.context
        if (context === undefined) return
        const { statementKey: privateKey } = keys
        const statement = signVerdict({ verdict: one.verdict, context, privateKey })
        said.get(one.contribution.id)?.push({ from: keys.statementAddress, statement })
      })
      const isHeard = await listen(
        validators.nodes.map((validator) => ask(pool, validator, round)),
        validators.threshold - 1,
        () =>
          judged.every((one, place) => {
            const about = expected[place]
            return about !== undefined && decideAgreement(heard(one), about).kind === 'agreed'
          }),
      )
      round.over = true
      return judged.flatMap((one, place) => {
        const about = expected[place]
        if (about === undefined) return []
        const senders = saidOn(one).map(({ from }) => from)
        const decision = decideAgreement(heard(one), about)
        const { id } = one.contribution
        noteVain(id, isHeard && decision.kind === 'waits' && !round.unserved.has(id))
        rejected += decision.rejected.length
        for (const { index, code } of decision.rejected)
          onError(senders[index] ?? keys.statementAddress, notCounted(pool, one, code))
        return [decision]
      })
    },
  }

  function expectedOf(
    pool: ServedPool,
    { contribution, at, mediaType, told }: OwnVerdict,
    { key, validators }: { readonly key: Uint8Array; readonly validators: readonly Address[] },
  ): ExpectedAgreement {
    const { owner, commitment, id } = contribution
    return {
      pool: pool.address,
      contribution: id,
      poc: pool.poc.digest,
      validators,
      threshold: pool.validators?.threshold ?? validators.length,
      context: {
        chainId: pool.chainId,
        registry: sign.deployment.nodeRegistry,
        subject: subjectOf(id),
        commitment,
        inputs: inputsOf({ key, pool, limits, owner, at, mediaType, told }),
        ...(told.rescored === undefined ? {} : { earlierPolicy: told.rescored.policy }),
      },
    }
  }

  /** Counts how often a contribution was asked about in vain, though enough answered: whoever made it so must not keep all from their work. */
  function noteVain(contribution: string, isVain: boolean): void {
    const times = vain.get(contribution) ?? 0
    vain.delete(contribution)
    if (!isVain) return
    vain.set(contribution, times + 1)
    const [oldest] = vain.keys()
    if (vain.size > mostVain && oldest !== undefined) vain.delete(oldest)
  }

  /**
   * Waits for all, as long as there is patience; once `enough` have answered and all is decided, only a little longer.
   * @returns whether enough have answered
   */
  async function listen(
    asked: readonly Promise<boolean>[],
    enough: number,
    decided: () => boolean,
  ): Promise<boolean> {
    let answered = 0
    let over: () => void = () => undefined
    const early = new Promise<void>((resolve) => {
      over = resolve
    })
    const heard = asked.map(async (one) => {
      if (!(await one)) return
      answered += 1
      // Slow ones must not keep this from ending either.
      if (answered >= enough && answered < asked.length && decided()) options.grace().then(over, over)
    })
    await Promise.race([Promise.all(heard), early, options.patience()])
    return answered >= enough
  }

  /** @returns whether it has answered; it never throws */
  async function ask(
    pool: ServedPool,
    validator: { readonly address: Address; readonly url: string },
    round: Round,
  ): Promise<boolean> {
    const line = lines.get(validator.address) ?? { failures: 0, until: 0, busy: false }
    lines.set(validator.address, line)
    if (line.busy || line.until > now()) return false
    line.busy = true
    try {
      const peer = await options.attest(validator, pool)
      const call = options.call(peer)
      for (const part of questionsOf(round.judged)) {
        // What is answered from here on counts for nothing.
        if (round.over) break
        await askPart({ pool, peer, call, part, round })
      }
      line.failures = 0
      return true
    } catch (error) {
      line.failures += 1
      line.until = now() + Math.min(2 ** Math.min(line.failures, 8), longestWaitSeconds)
      onError(validator.address, error)
      return false
    } finally {
      line.busy = false
    }
  }

  async function askPart(asked: {
    readonly pool: ServedPool
    readonly peer: AttestedPeer
    readonly call: PeerLine
    readonly part: readonly OwnVerdict[]
    readonly round: Round
  }): Promise<void> {
    const { pool, peer, call, part, round } = asked
    const { key, said } = round
    const publicKey = decodeBase64Url(peer.keySet.hpke.publicKey)
    const items = await Promise.all(
      part.map(async (one) => {
        const header = await headerFor(pool, one, publicKey)
        return {
          id: one.contribution.id,
          block: one.contribution.blockNumber.toString(),
          header: header === undefined ? null : encodeBase64Url(header),
          told: one.told,
        }
      }),
    )
    const answer = await call({
      method: 'POST',
      path: '/v1/validation/verdicts',
      body: { pool: pool.address, poc: pool.poc.digest, key: encodeHex(key), items },
    })
    const read = answerSchema.safeParse(answer.body)
    if (answer.status !== 200 || !read.success) {
      throw new NodeError(
        'NODE_UNREACHABLE',
        peer.url,
        'the validator did not answer what it was asked; try again',
      )
    }
    if (read.data.state !== 'judged') {
      const { state, reason } = read.data
      throw new NodeError(
        'VALIDATION_WITHHELD',
        peer.url,
        `the validator judges nothing now (${state}: ${reason})`,
      )
    }
    for (const { id, statement, reason } of read.data.answers) {
      // What was not asked about is no answer; one statement of each validator is as many as count.
      const about = part.find(({ contribution }) => contribution.id === id)
      if (about === undefined) continue
      if (reason === 'BLOB_AWAY') round.noteLacking(id, peer.statementAddress)
      if (reason === 'RESCORING_NOT_SERVED') round.unserved.add(id)
      const isKept =
        statement !== null && lengthOf(statement) <= Math.max(longestStatement, 4 * lengthOf(about.verdict))
      if (isKept) said.get(id)?.push({ from: peer.statementAddress, statement })
      else
        onError(
          peer.statementAddress,
          withheld(pool, id, reason ?? (statement === null ? 'without a reason' : 'TOO_LONG')),
        )
    }
  }

  /** The file's header with the validator among its recipients; undefined when the file's key cannot be had. */
  async function headerFor(
    pool: ServedPool,
    { contribution, file, told }: OwnVerdict,
    publicKey: Uint8Array,
  ): Promise<Uint8Array | undefined> {
    if (file === undefined) return undefined
    // What is judged again was sealed under an older policy, and to its keys.
    const policyDigest = told.rescored?.policy ?? pool.policyDigest
    const { privateKey } = keys.poolKey(keyScope({ ...pool, policyDigest }, file.epoch))
    const { chainId, address } = pool
    const opening = {
      identities: [hpkeIdentity({ privateKey })],
      expect: { chainId, pool: address, policyDigest },
    }
    const recipient = hpkeRecipient({ publicKey })
    const { type, keyId } = recipient
    try {
      // Validators' keys are public: whoever sealed the file may have put something under their names that opens nothing.
      const isTaken = listRecipients(file.header).some((one) => one.type === type && one.keyId === keyId)
      const free = isTaken ? await removeRecipient(file.header, { ...opening, type, keyId }) : file.header
      return await addRecipient(free, { ...opening, recipient, random })
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error
      if (told.opening === null) onError(keys.statementAddress, withheld(pool, contribution.id, error.code))
      return undefined
    }
  }
}

function notCounted(pool: ServedPool, { contribution }: OwnVerdict, code: string): NodeError {
  const place = `pool ${pool.address} contribution ${contribution.id}`
  return new NodeError('VALIDATION_WITHHELD', place, `a validator's statement does not count (${code})`)
}

function lengthOf(value: JsonValue): number {
  return JSON.stringify(value).length
}

function withheld(pool: ServedPool, id: string, reason: string): NodeError {
  const place = `pool ${pool.address} contribution ${id}`
  return new NodeError('VALIDATION_WITHHELD', place, `a validator signs no verdict on it (${reason})`)
}
