// What came of a session, from its published messages, and a member's share of it: docs/formats/threshold.md, "Key generation and
// resharing". Shares no code with @sealpool/crypto. It takes the session itself as well formed.
import { digestOf, readStatement } from './statement.mjs'
import {
  attempt,
  bytesOf,
  bytesOfPoint,
  digestBytes,
  hasExactly,
  hash,
  holds,
  join,
  mod,
  numberOf,
  order,
  Point,
  pointOf,
  sumOf,
  times,
  u16,
  weightOf,
} from './threshold-group.mjs'

/** What a message counts: a text its UTF-16 code units and one more, the name of a member its units, every other value one. */
function sizeOf(value) {
  const open = [value]
  let size = 0
  for (let at = 0; at < open.length && size <= 65_536; at++) {
    const each = open[at]
    size += typeof each === 'string' ? each.length + 1 : 1
    if (typeof each !== 'object' || each === null) continue
    for (const [name, inner] of Object.entries(each)) {
      if (!Array.isArray(each)) size += name.length
      open.push(inner)
    }
  }
  return size
}

/** Bodies of a round by their signers; the same body twice is one. */
function bodiesOf(messages, { type, session, id, signers }) {
  const bodies = new Map(signers.map(({ address }) => [address, new Map()]))
  if (!Array.isArray(messages)) throw new Error('a round is a list')
  for (const message of messages) {
    if (sizeOf(message) > 65_536) continue
    const read = readStatement(message, { type: `sealpool/threshold-${type}`, subject: id, place: session })
    if (read !== undefined) bodies.get(read.signer)?.set(digestOf(read.body), read.body)
  }
  const inOrder = (own) => [...own].sort(([one], [two]) => (one < two ? -1 : 1)).map(([, body]) => body)
  return new Map([...bodies].map(([signer, own]) => [signer, inOrder(own)]))
}

const proofContext = (use, id, member) => hash(`proof/${use}`, digestBytes(id), u16(member))

const dealNames = ['dealer', 'commitments', 'proof', 'ephemeralKey', 'ephemeralProof', 'shares']

/** A deal, or the name of its fault. */
function readDeal(body, { session, id, dealer }) {
  const deal = attempt(() => {
    const { threshold, members } = session
    const formed =
      hasExactly(body, dealNames) &&
      body.dealer === dealer &&
      body.commitments.length === threshold &&
      body.shares.length === members.length
    return formed
      ? {
          commitments: body.commitments.map(pointOf),
          proof: bytesOf(body.proof, 64),
          ephemeral: pointOf(body.ephemeralKey),
          ephemeralProof: bytesOf(body.ephemeralProof, 64),
          shares: body.shares.map((share) => bytesOf(share, 32)),
        }
      : undefined
  })
  if (deal === undefined) return 'DEAL_MALFORMED'
  const { commitments, proof, ephemeral, ephemeralProof } = deal
  const known = holds([[Point.BASE, commitments[0]]], proofContext('constant', id, dealer), proof)
  const own = holds([[Point.BASE, ephemeral]], proofContext('ephemeral', id, dealer), ephemeralProof)
  if (!known || !own) return 'PROOF_REFUSED'
  const held = session.previous?.members[dealer - 1].verificationKey
  return held === undefined || held === body.commitments[0] ? deal : 'NOT_PREVIOUS_SHARE'
}

/** A dealer's deal, or the name of its fault. */
function judge(promises, bodies, options) {
  if (promises.length > 1 || bodies.length > 1) return 'EQUIVOCATION'
  if (promises.length === 0) return 'COMMITMENT_MISSING'
  if (bodies.length === 0) return 'DEAL_MISSING'
  const wanted = { dealer: options.dealer, deal: digestOf(bodies[0]) }
  return digestOf(promises[0]) === digestOf(wanted) ? readDeal(bodies[0], options) : 'COMMITMENT_MISMATCH'
}

const imageOf = (commitments, index) =>
  sumOf(commitments.map((point, degree) => times(point, BigInt(index) ** BigInt(degree))))

/** A member's share of one deal with the pad taken off; undefined when it does not fit the commitments. */
function shareOf(deal, { id, dealer, member, agreement }) {
  const parts = [digestBytes(id), join(u16(dealer), u16(member)), deal.ephemeral, agreement]
  const pad = hash('pad', ...parts.map((part) => (part instanceof Uint8Array ? part : bytesOfPoint(part))))
  const share = numberOf(deal.shares[member - 1].map((byte, at) => byte ^ pad[at]))
  const fits =
    share > 0n && share < order && times(Point.BASE, share).equals(imageOf(deal.commitments, member))
  return fits ? share : undefined
}

function readComplaint(body, { dealers, accuser }) {
  return attempt(() => {
    const { dealer, agreement, proof } = body
    const formed =
      hasExactly(body, ['dealer', 'accuser', 'agreement', 'proof']) &&
      body.accuser === accuser &&
      Number.isInteger(dealer) &&
      dealer >= 1 &&
      dealer <= dealers.length
    return formed ? { dealer, agreement: pointOf(agreement), proof: bytesOf(proof, 64) } : undefined
  })
}

/** What everybody must conclude: the key or null, who dealt it, and who did what. */
export function conclude(session, { commitments, deals, complaints }) {
  const id = digestOf(session)
  const { previous, members } = session
  const dealers = previous === null ? members : previous.members
  const faults = []
  const blame = (address, fault, against = null) => {
    if (
      !faults.some((each) => each.address === address && each.fault === fault && each.against === against)
    ) {
      faults.push({ address, fault, against })
    }
  }
  const committed = bodiesOf(commitments, { type: 'commitment', session, id, signers: dealers })
  const dealt = bodiesOf(deals, { type: 'deal', session, id, signers: dealers })
  const good = new Map()
  for (const [at, { address }] of dealers.entries()) {
    const judged = judge(committed.get(address), dealt.get(address), { session, id, dealer: at + 1 })
    if (typeof judged === 'string') blame(address, judged)
    else good.set(at + 1, judged)
  }
  const accused = bodiesOf(complaints, { type: 'complaint', session, id, signers: members })
  members.forEach(({ address, encryptionKey }, at) => {
    const judged = new Set()
    for (const body of accused.get(address)) {
      const complaint = readComplaint(body, { dealers, accuser: at + 1 })
      if (complaint === undefined) {
        blame(address, 'COMPLAINT_UNFOUNDED')
        continue
      }
      const { dealer, agreement, proof } = complaint
      const deal = good.get(dealer)
      if (judged.has(dealer)) continue
      judged.add(dealer)
      if (deal === undefined) continue
      const pairs = [
        [Point.BASE, pointOf(encryptionKey)],
        [deal.ephemeral, agreement],
      ]
      const shown = holds(pairs, proofContext(`complaint/${dealer}`, id, at + 1), proof)
      const wrong = shareOf(deal, { id, dealer, member: at + 1, agreement }) === undefined
      if (shown && wrong) blame(dealers[dealer - 1].address, 'SHARE_WRONG', address)
      else blame(address, 'COMPLAINT_UNFOUNDED', dealers[dealer - 1].address)
    }
  })
  const guilty = new Set(faults.map(({ address }) => address))
  const left = [...good].filter(([dealer]) => !guilty.has(dealers[dealer - 1].address))
  const needed = previous === null ? session.threshold : previous.threshold
  const used = previous === null ? left : left.slice(0, needed)
  const indices = used.map(([dealer]) => dealer)
  const weights = new Map(
    indices.map((dealer) => [dealer, previous === null ? 1n : weightOf(dealer, indices)]),
  )
  const key = used.length < needed ? null : keyOf(session, { id, used, weights })
  return {
    key,
    faults,
    qualified: key === null ? [] : indices.map((dealer) => dealers[dealer - 1].address),
    id,
    deals: used,
    weights,
  }
}

function keyOf({ chainId, registry, pool, threshold, members, previous }, { id, used, weights }) {
  const commitments = Array.from({ length: threshold }, (_, degree) =>
    sumOf(used.map(([dealer, deal]) => times(deal.commitments[degree], weights.get(dealer)))),
  )
  const images = members.map((_, at) => imageOf(commitments, at + 1))
  if ([commitments[0], ...images].some((point) => point.is0())) return null
  const publicKey = `0x${commitments[0].toHex(true)}`
  if (previous !== null && previous.publicKey !== publicKey) return null
  return {
    type: 'sealpool/threshold-key',
    version: 1,
    ...{ chainId, registry, pool, session: id, publicKey, threshold },
    members: members.map((member, at) => ({ ...member, verificationKey: `0x${images[at].toHex(true)}` })),
  }
}

/** A member's share of the key, from its own encryption key; `member` counts from 1. */
export function openShare(session, transcript, { member, encryptionKey }) {
  const { id, deals, weights } = conclude(session, transcript)
  const secret = numberOf(bytesOf(encryptionKey, 32))
  return deals.reduce((sum, [dealer, deal]) => {
    const share = shareOf(deal, { id, dealer, member, agreement: times(deal.ephemeral, secret) })
    return mod(sum + share * weights.get(dealer))
  }, 0n)
}
