/**
 * Reads from the chain what a condition hangs on, and judges it.
 * @module
 */
import {
  type Client,
  decodeAbiParameters,
  encodeDeployData,
  type Hash,
  type Hex,
  isAddress,
  isHash,
} from 'viem'
import { call, getBlock } from 'viem/actions'
import { accessProbeAbi, accessProbeBytecode } from '../abi/AccessProbe.js'
import { ContractsError } from '../errors.js'
import type { AccessCondition, AccessLeaf } from './access-condition.js'
import {
  type AccessAnswer,
  type AccessSubject,
  type IsPresented,
  leafVerdict,
  questionOf,
} from './access-question.js'
import { type AccessVerdict, judge, leavesOf, type UnmetLeaf, unmetLeaves } from './access-verdict.js'

/** Gas that one contract may use for its answer; an ERC-20 behind a proxy takes a tenth. */
export const accessGasShare = 300_000n
/** What the probe itself uses at most for {@link maximumAccessQuestions}, with the creation and what it answers. */
const probeGas = 3_000_000n

/** What one endpoint says of everything that a condition hangs on, at one block. Plain data, so that two can be compared. */
export interface AccessReading {
  readonly block: {
    readonly number: bigint
    readonly hash: Hash
    /** Unix seconds. */
    readonly timestamp: number
  }
  /** By leaf, in the order of the condition; null where nothing was asked. */
  readonly answers: readonly (AccessAnswer | null)[]
}

/** What a condition comes to. */
export interface AccessDecision {
  readonly verdict: AccessVerdict
  /** The leaves that keep it from being met; none when the verdict is `yes`. */
  readonly unmet: readonly UnmetLeaf[]
}

/**
 * Reads everything that a condition hangs on, in one simulated call in which every contract that is asked has the same share of gas.
 * Give it as the read of a `ChainView`, which believes only what two endpoints say alike.
 *
 * @param client - one endpoint
 * @param asked - the condition, for whom, and at which block
 * @returns what the endpoint says; what contracts refuse to say is part of it
 * @throws {ContractsError} `ARGUMENT_INVALID` for a wallet or code that is none; `CHAIN_UNREACHABLE` when the endpoint does not answer, or does not simulate
 */
export async function readAccess(
  client: Client,
  asked: AccessSubject & { readonly condition: AccessCondition; readonly blockNumber: bigint },
): Promise<AccessReading> {
  const { condition, blockNumber, wallet, code } = asked
  if (!isAddress(wallet, { strict: false }) || (code !== null && !isHash(code))) {
    throw new ContractsError('ARGUMENT_INVALID', 'readAccess', 'expected an address and 32 bytes or null')
  }
  const questions = leavesOf(condition).map(({ leaf }) => questionOf(leaf, asked))
  const open = questions.filter((question) => question !== null)
  try {
    const [{ hash, timestamp }, answers] = await Promise.all([
      getBlock(client, { blockNumber }),
      open.length === 0 ? [] : probe(client, open, blockNumber),
    ])
    const left = [...answers]
    return {
      block: { number: blockNumber, hash, timestamp: Number(timestamp) },
      answers: questions.map((question) => (question === null ? null : (left.shift() ?? null))),
    }
  } catch (cause) {
    throw new ContractsError(
      'CHAIN_UNREACHABLE',
      'readAccess',
      `the endpoint does not say what an access condition hangs on at block ${blockNumber}; it must keep that state and simulate creations`,
      { cause },
    )
  }
}

async function probe(
  client: Client,
  questions: readonly { readonly target: Hex; readonly data: Hex }[],
  blockNumber: bigint,
): Promise<readonly AccessAnswer[]> {
  const count = BigInt(questions.length)
  const { data = '0x' } = await call(client, {
    data: encodeDeployData({
      abi: accessProbeAbi,
      bytecode: accessProbeBytecode,
      args: [questions, accessGasShare],
    }),
    // Said, not left to the endpoint: two endpoints with other limits would answer differently.
    gas: probeGas + (count * accessGasShare * 64n) / 63n,
    blockNumber,
  })
  const [answers] = decodeAbiParameters(answersParameter, data)
  if (answers.length !== questions.length)
    throw new RangeError('the endpoint answered another number of questions')
  return answers
}

const answersParameter = [
  {
    type: 'tuple[]',
    components: [
      { name: 'ended', type: 'bool' },
      { name: 'size', type: 'uint256' },
      { name: 'word', type: 'bytes32' },
      { name: 'code', type: 'bytes32' },
    ],
  },
] as const

/**
 * Judges a condition by what was read.
 *
 * @param condition - the one that was read for
 * @param subject - the one that was read for
 * @param reading - what the chain said
 * @param isPresented - which credentials the wallet has presented to whoever judges; absent: none, so that what asks for one is not known
 * @returns the verdict, and what keeps it from being `yes`
 */
export function decideAccess(
  condition: AccessCondition,
  subject: AccessSubject,
  reading: AccessReading,
  isPresented: IsPresented = () => false,
): AccessDecision {
  const { timestamp } = reading.block
  const verdicts = new Map(
    leavesOf(condition).map(({ leaf }, index) => [
      leaf,
      leafVerdict(leaf, { ...subject, timestamp, answer: reading.answers[index] ?? null, isPresented }),
    ]),
  )
  const verdictOf = (leaf: AccessLeaf): AccessVerdict => verdicts.get(leaf) ?? 'unknown'
  return { verdict: judge(condition, verdictOf), unmet: unmetLeaves(condition, verdictOf) }
}
