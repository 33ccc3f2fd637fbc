/**
 * `sealpool-node committee`: how nodes make a key that none of them has, and seal a new node's root to it. Everything that is
 * written to a file here is public; what is secret follows from each member's own root and never leaves its process.
 * @module
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type Address,
  addressOf,
  CryptoError,
  encodeBase64Url,
  type Hex,
  platformRandom,
} from '@sealpool/crypto'
import {
  complain,
  concludeSession,
  dealShares,
  memberPublicKey,
  parseThresholdSession,
  sealEnvelope,
  type ThresholdSession,
} from '@sealpool/crypto/threshold'
import * as z from 'zod'
import { readCommittee } from '../committee/committee-file.js'
import { committeePurpose } from '../committee/committee-purpose.js'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import { rootDigest } from '../key/key-broker.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { rootLabel } from '../key/peers-key-release.js'
import { useFolder } from '../migration/awaiting-folder.js'
import { openPlatform } from '../runtime/open-platform.js'

const cardSchema = z.strictObject({
  format: z.literal('sealpool/committee-member'),
  version: z.literal(1),
  purpose: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  address: z.string().regex(/^0x[0-9a-f]{40}$/),
  encryptionKey: z.string().regex(/^0x[0-9a-f]{66}$/),
})

/** What one machine of a committee offers: its statement key's address, and where its shares are sent to. */
export type MemberCard = z.output<typeof cardSchema>

/** A step of making a committee, by its flags. */
export interface CommitteeFlags {
  readonly purpose?: string | undefined
  readonly member?: readonly string[] | undefined
  readonly threshold?: string | undefined
  readonly session?: string | undefined
  readonly messages?: string | undefined
  readonly committee?: string | undefined
  readonly peer?: readonly string[] | undefined
  readonly to?: string | undefined
}

/**
 * Does one step.
 * @param step `join`, `start`, `deal`, `check`, `conclude` or `seal`
 * @param config settings of the node, whose chain and registry the committee is for
 * @returns JSON to print; undefined when there is no such step, or a flag is missing
 * @throws NodeError `COMMITTEE_INVALID` naming what is wrong; `CONFIG_FILE_UNREADABLE`, `KEY_UNREADABLE`
 */
export async function committeeStep(
  step: string | undefined,
  config: NodeConfig,
  flags: CommitteeFlags,
): Promise<object | undefined> {
  const { purpose, member, threshold, session, messages, committee, peer, to } = flags
  if (step === 'join' && purpose !== undefined) return joinCommittee(config, purpose)
  if (step === 'start' && purpose !== undefined && member !== undefined && threshold !== undefined)
    return start(config, { purpose, cards: member, threshold: Number(threshold), to })
  if (step === 'deal' && session !== undefined && messages !== undefined)
    return deal(config, session, messages)
  if (step === 'check' && session !== undefined && messages !== undefined)
    return check(config, session, messages)
  if (step === 'conclude' && session !== undefined && messages !== undefined && to !== undefined)
    return conclude(session, messages, to)
  if (step === 'seal' && committee !== undefined && peer !== undefined) return seal(config, committee, peer)
  return undefined
}

async function joinCommittee(config: NodeConfig, text: string): Promise<MemberCard> {
  const keys = await ownKeys(config)
  const purpose = committeePurpose(text)
  return {
    format: 'sealpool/committee-member',
    version: 1,
    purpose,
    address: keys.statementAddress,
    encryptionKey: memberPublicKey(keys.committeeSecret(config.chain.deployment, purpose)),
  }
}

async function start(
  config: NodeConfig,
  wish: {
    readonly purpose: string
    readonly cards: readonly string[]
    readonly threshold: number
    readonly to: string | undefined
  },
): Promise<object> {
  const purpose = committeePurpose(wish.purpose)
  const members = await Promise.all(
    wish.cards.map(async (path) => {
      const card = cardSchema.safeParse(await readJson(path))
      if (!card.success) throw invalid(path, 'it is not what `sealpool-node committee join` prints')
      if (card.data.purpose !== purpose) throw invalid(path, 'it was made for another purpose; join again')
      const { address, encryptionKey } = card.data
      return { address: address as Address, encryptionKey: encryptionKey as Hex }
    }),
  )
  const { chainId, nodeRegistry } = config.chain.deployment
  const session = checked('session', () =>
    parseThresholdSession({
      type: 'sealpool/threshold-session',
      version: 1,
      chainId,
      registry: nodeRegistry,
      pool: `0x${'0'.repeat(40)}`,
      purpose,
      threshold: wish.threshold,
      members,
      previous: null,
    }),
  )
  if (wish.to !== undefined) await writeNew(wish.to, session)
  return session
}

async function deal(config: NodeConfig, sessionPath: string, folder: string): Promise<object> {
  const session = await readSession(sessionPath)
  const keys = await ownKeys(config)
  const own = keys.statementAddress
  const { commitment, deal: dealt } = checked(sessionPath, () =>
    dealShares({ session, signingKey: keys.statementKey, random: platformRandom }),
  )
  const dealPath = join(folder, `deal-${own}.json`)
  const commitmentPath = join(folder, `commitment-${own}.json`)
  // Left by a kill: without its commitment nobody can have had it.
  if (!existsSync(commitmentPath)) await rm(dealPath, { force: true })
  // The deal first: a commitment without its deal would cost this member its place, a second one as well.
  await writeNew(dealPath, dealt)
  await writeNew(commitmentPath, commitment)
  return { dealt: own, publishFirst: `commitment-${own}.json`, publishThen: `deal-${own}.json` }
}

async function check(config: NodeConfig, sessionPath: string, folder: string): Promise<object> {
  const session = await readSession(sessionPath)
  const keys = await ownKeys(config)
  const { commitments, deals } = await readMessages(folder)
  const complaints = checked(sessionPath, () =>
    complain({
      session,
      commitments,
      deals,
      encryptionKey: keys.committeeSecret(config.chain.deployment, session.purpose),
      signingKey: keys.statementKey,
      random: platformRandom,
    }),
  )
  const own = addressOf(keys.statementKey)
  for (const [index, complaint] of complaints.entries())
    await writeNew(join(folder, `complaint-${own}-${index}.json`), complaint)
  const { faults } = checked(sessionPath, () => concludeSession(session, { commitments, deals, complaints }))
  return { checked: own, complaints: complaints.length, faults }
}

async function conclude(sessionPath: string, folder: string, to: string): Promise<object> {
  const session = await readSession(sessionPath)
  const transcript = await readMessages(folder)
  const file = { format: 'sealpool/node-committee', version: 1, session, transcript }
  const { key, outcome } = readCommittee(file, sessionPath)
  await writeNew(to, file)
  return { committee: to, publicKey: key.publicKey, threshold: key.threshold, faults: outcome.faults }
}

async function seal(config: NodeConfig, path: string, peers: readonly string[]): Promise<object> {
  const { key } = readCommittee(await readJson(path), path)
  const { deployment } = config.chain
  if (key.chainId !== deployment.chainId || key.registry !== deployment.nodeRegistry)
    throw invalid(path, 'the committee is for another chain or registry than the settings')
  // Drawn here, sealed here, and gone with this process: only the committee can bring it back.
  const root = platformRandom(32)
  const envelope = encodeBase64Url(
    sealEnvelope({
      publicKey: key.publicKey,
      label: rootLabel(deployment),
      plaintext: root,
      random: platformRandom,
    }),
  )
  const keyRelease = { adapter: 'peers', peers, key, envelope } as const
  const after = { ...config, keyRelease } as unknown as NodeConfig
  const { statementAddress } = openKeyRing(root, configDigest(after))
  return {
    statementKey: statementAddress,
    root: rootDigest(root),
    keyRelease,
    committeeRoot: { committee: path, envelope, configs: [configDigest(after)] },
  }
}

async function ownKeys(config: NodeConfig): Promise<NodeKeyRing> {
  useFolder(config.dataDirectory)
  return openKeyRing(await openPlatform(config).keyRelease.release(), configDigest(config))
}

async function readSession(path: string): Promise<ThresholdSession> {
  const json = await readJson(path)
  return checked(path, () => parseThresholdSession(json))
}

/** All messages of a folder, by the round that their names tell. */
async function readMessages(folder: string) {
  const names = (await readdir(resolve(folder)).catch(() => [])).sort()
  const round = (kind: string) =>
    Promise.all(
      names
        .filter((name) => new RegExp(`^${kind}-[\\w-]+\\.json$`).test(name))
        .map((name) => readJson(join(folder, name))),
    )
  const [commitments, deals, complaints] = await Promise.all([
    round('commitment'),
    round('deal'),
    round('complaint'),
  ])
  return { commitments, deals, complaints }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(resolve(path), 'utf8')) as unknown
  } catch (cause) {
    throw new NodeError('CONFIG_FILE_UNREADABLE', path, 'it cannot be read as JSON; check its path', {
      cause,
    })
  }
}

/** Never over another file: a second deal of the same member is equivocation, and ends its part in the session. */
async function writeNew(path: string, value: object): Promise<void> {
  try {
    await writeFile(resolve(path), `${JSON.stringify(value)}\n`, { flag: 'wx', flush: true })
  } catch (cause) {
    throw invalid(path, 'it is there already, or cannot be written; nothing is written over', cause)
  }
}

function checked<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw invalid(place, `${cause.code} at ${cause.place}`, cause)
  }
}

function invalid(place: string, why: string, cause?: unknown): NodeError {
  return new NodeError('COMMITTEE_INVALID', place, why, { cause })
}
