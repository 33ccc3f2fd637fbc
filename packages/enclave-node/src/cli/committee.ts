/**
 * `sealpool-node committee`: how nodes make a key that none of them has, and seal a new node's root to it. Everything that is
 * written to a file here is public; what is secret follows from each member's own root and never leaves its process.
 * @module
 */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { addressOf, CryptoError, decodeBase64Url, encodeBase64Url, platformRandom } from '@sealpool/crypto'
import {
  checkEnvelope,
  complain,
  concludeSession,
  dealShares,
  parseThresholdSession,
  sealEnvelope,
  type ThresholdKey,
  type ThresholdSession,
  type ThresholdShare,
} from '@sealpool/crypto/threshold'
import type { ChainPort } from '../chain/chain-port.js'
import { readCommittee, shareOf } from '../committee/committee-file.js'
import { committeePurpose } from '../committee/committee-purpose.js'
import { type MemberCard, memberCard, readMemberCard } from '../committee/member-card.js'
import { requireReshare } from '../committee/reshare-rule.js'
import { configDigest, type NodeConfig } from '../config/node-config.js'
import { NodeError } from '../errors.js'
import { rootDigest } from '../key/key-broker.js'
import { type NodeKeyRing, openKeyRing } from '../key/key-ring.js'
import { rootLabel } from '../key/peers-key-release.js'
import { useFolder } from '../migration/awaiting-folder.js'
import { openPlatform } from '../runtime/open-platform.js'
import type { Given } from './arguments.js'

/** A step of making a committee. */
export type CommitteeStep = 'join' | 'start' | 'deal' | 'check' | 'conclude' | 'seal' | 'renew'

/**
 * Does one step.
 * @param step which
 * @param config settings of the node, whose chain and registry the committee is for
 * @param given its options
 * @param openChain opens the chain of the settings; asked only by a member that hands its share on
 * @returns JSON to print
 * @throws NodeError `OPTION_INVALID` for a missing option, `COMMITTEE_INVALID` naming what is wrong; `CONFIG_FILE_UNREADABLE`,
 * `KEY_UNREADABLE`
 */
export async function committeeStep(
  step: CommitteeStep,
  config: NodeConfig,
  given: Pick<Given, 'get' | 'need' | 'all'>,
  openChain: () => Promise<Pick<ChainPort, 'node'>>,
): Promise<object> {
  const { get, need, all } = given
  switch (step) {
    case 'join':
      return joinCommittee(config, need('purpose'))
    case 'start':
      return start(config, {
        purpose: need('purpose'),
        cards: all('member'),
        threshold: Number(need('threshold')),
        committee: get('committee'),
        to: get('to'),
      })
    case 'deal':
      return deal(
        config,
        {
          session: need('session'),
          messages: need('messages'),
          committee: get('committee'),
          cards: all('member'),
        },
        openChain,
      )
    case 'check':
      return check(config, need('session'), need('messages'))
    case 'conclude':
      return conclude(need('session'), need('messages'), need('to'))
    case 'seal':
      return seal(config, need('committee'), all('peer'))
    case 'renew':
      return renew(config, need('committee'), all('peer'))
  }
}

async function joinCommittee(config: NodeConfig, text: string): Promise<MemberCard> {
  return memberCard(await ownKeys(config), config.chain.deployment, committeePurpose(text))
}

async function start(
  config: NodeConfig,
  wish: {
    readonly purpose: string
    readonly cards: readonly string[]
    readonly threshold: number
    readonly committee: string | undefined
    readonly to: string | undefined
  },
): Promise<object> {
  const purpose = committeePurpose(wish.purpose)
  const { chainId, nodeRegistry } = config.chain.deployment
  const cards = await readCards(wish.cards, { chainId, nodeRegistry, purpose })
  const previous =
    wish.committee === undefined ? null : readCommittee(await readJson(wish.committee), wish.committee).key
  const session = checked('session', () =>
    parseThresholdSession({
      type: 'sealpool/threshold-session',
      version: 1,
      chainId,
      registry: nodeRegistry,
      pool: `0x${'0'.repeat(40)}`,
      purpose,
      threshold: wish.threshold,
      members: cards.map(({ address, encryptionKey }) => ({ address, encryptionKey })),
      previous,
    }),
  )
  if (wish.to !== undefined) await writeNew(wish.to, session)
  return session
}

async function deal(
  config: NodeConfig,
  wish: {
    readonly session: string
    readonly messages: string
    readonly committee: string | undefined
    readonly cards: readonly string[]
  },
  openChain: () => Promise<Pick<ChainPort, 'node'>>,
): Promise<object> {
  const { session: sessionPath, messages: folder } = wish
  const session = await readSession(sessionPath)
  const keys = await ownKeys(config)
  const own = keys.statementAddress
  const share =
    session.previous === null ? undefined : await shareToHandOn(config, { ...wish, session, keys }, openChain)
  const { commitment, deal: dealt } = checked(sessionPath, () =>
    dealShares({ session, signingKey: keys.statementKey, random: platformRandom, share }),
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

/** This member's share of the committee before, once it may be handed on. */
async function shareToHandOn(
  config: NodeConfig,
  wish: {
    readonly session: ThresholdSession
    readonly committee: string | undefined
    readonly cards: readonly string[]
    readonly keys: NodeKeyRing
  },
  openChain: () => Promise<Pick<ChainPort, 'node'>>,
): Promise<ThresholdShare> {
  const { session, committee, keys } = wish
  if (committee === undefined)
    throw invalid('--committee', 'the session takes over a key; give the file of the committee that holds it')
  const { deployment } = config.chain
  const { file, key: held } = readCommittee(await readJson(committee), committee)
  const cards = await readCards(wish.cards, { ...deployment, purpose: session.purpose })
  await requireReshare({
    session,
    held,
    cards,
    allowed: config.committee?.reshares ?? [],
    deployment,
    keys,
    chain: await openChain(),
  })
  return shareOf(file, keys, deployment, committee)
}

async function readCards(
  paths: readonly string[],
  expected: Parameters<typeof readMemberCard>[2],
): Promise<readonly MemberCard[]> {
  return Promise.all(paths.map(async (path) => readMemberCard(await readJson(path), path, expected)))
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
  const key = await committeeKeyFor(config, path)
  // Drawn here, sealed here, and gone with this process: only the committee can bring it back.
  const root = platformRandom(32)
  const envelope = encodeBase64Url(
    sealEnvelope({
      publicKey: key.publicKey,
      label: rootLabel(config.chain.deployment),
      plaintext: root,
      random: platformRandom,
    }),
  )
  const settings = settingsFor(config, { path, peers, key, envelope })
  const { statementAddress } = openKeyRing(root, settings.config)
  return { statementKey: statementAddress, root: rootDigest(root), ...settings.printed }
}

/** A root that is sealed already, under the committee that took its key over. */
async function renew(config: NodeConfig, path: string, peers: readonly string[]): Promise<object> {
  const { keyRelease } = config
  if (keyRelease.adapter !== 'peers')
    throw invalid(
      'keyRelease.adapter',
      'only a root that a committee holds can be renewed; see `committee seal`',
    )
  const key = await committeeKeyFor(config, path)
  const { envelope } = keyRelease
  try {
    checkEnvelope({
      publicKey: key.publicKey,
      label: rootLabel(config.chain.deployment),
      envelope: decodeBase64Url(envelope),
    })
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw invalid(path, 'the committee did not take over the key to which the root is sealed', cause)
  }
  return settingsFor(config, { path, peers, key, envelope }).printed
}

async function committeeKeyFor(config: NodeConfig, path: string): Promise<ThresholdKey> {
  const { key } = readCommittee(await readJson(path), path)
  const { deployment } = config.chain
  if (key.chainId !== deployment.chainId || key.registry !== deployment.nodeRegistry.toLowerCase())
    throw invalid(path, 'the committee is for another chain or registry than the settings')
  return key
}

/** What goes into the settings of the node, and of each member. */
function settingsFor(
  config: NodeConfig,
  sealed: {
    readonly path: string
    readonly peers: readonly string[]
    readonly key: ThresholdKey
    readonly envelope: string
  },
) {
  const { path, peers, key, envelope } = sealed
  const keyRelease = {
    adapter: 'peers' as const,
    peers: [...peers],
    key: { ...key, members: key.members.map((member) => ({ ...member })) },
    envelope,
  }
  const after = configDigest({ ...config, keyRelease })
  return {
    config: after,
    printed: { keyRelease, committeeRoot: { committee: path, envelope, configs: [after] } },
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
