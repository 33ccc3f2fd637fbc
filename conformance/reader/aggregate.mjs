// Encrypted aggregates, whole: docs/formats/threshold.md, "Encrypted aggregates" and its "Fields". Shares no code with @sealpool/crypto.
// It takes a definition of the right digest as well formed.
import { sha256 } from '@noble/hashes/sha2.js'
import { canonical, digestOf, readStatement } from './statement.mjs'
import {
  attempt,
  bytesOf,
  bytesOfPoint,
  digestBytes,
  hasExactly,
  hash,
  hashToScalar,
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
import { conclude } from './threshold-session.mjs'

/** Whether one encrypted bit is proven, each equation by itself. */
export function isProvenBit({ publicKey, definition, contributor, place, bit }) {
  const key = pointOf(publicKey)
  const bytes = bytesOf(bit, 294)
  const [a, b, ...commitments] = Array.from({ length: 6 }, (_, at) =>
    Point.fromBytes(bytes.subarray(33 * at, 33 * at + 33)),
  )
  const [c0, ...responses] = [198, 230, 262].map((at) => numberOf(bytes.subarray(at, at + 32)))
  if ([c0, ...responses].some((scalar) => scalar >= order)) return false
  const context = hash('aggregate-bit', digestBytes(definition), bytesOf(contributor, 20), u16(place))
  const challenge = hashToScalar('bit', context, ...[key, a, b, ...commitments].map(bytesOfPoint))
  return [c0, mod(challenge - c0)].every((each, value) => {
    const shifted = b.subtract(times(Point.BASE, BigInt(value)))
    return (
      times(Point.BASE, responses[value]).equals(commitments[2 * value].add(times(a, each))) &&
      times(key, responses[value]).equals(commitments[2 * value + 1].add(times(shifted, each)))
    )
  })
}

const pairOf = (bit) => [0, 33].map((at) => Point.fromBytes(bytesOf(bit, 294).subarray(at, at + 33)))
const added = (pairs) => [0, 1].map((side) => sumOf(pairs.map((pair) => pair[side])))

/** The weights of an answer's bits. */
export function weightsOf(measure) {
  if (measure.kind === 'histogram') return new Array(measure.bins).fill(1)
  const range = measure.maximum - measure.minimum
  const weights = []
  for (let reached = 0; reached < range; reached += weights.at(-1)) {
    weights.push(Math.min(reached + 1, range - reached))
  }
  return weights
}

function isInput(body, { definition, id, signer }) {
  const { publicKey, measure } = definition
  const { contributor, bits, one } = body
  const formed =
    hasExactly(body, ['contributor', 'bits', 'one']) &&
    contributor === signer &&
    (definition.contributors?.includes(contributor) ?? true) &&
    bits.length === weightsOf(measure).length
  if (!formed) return false
  const proven = (bit, place) => isProvenBit({ publicKey, definition: id, contributor, place, bit })
  if (!bits.every(proven)) return false
  if (measure.kind === 'sum') return one === null
  const [a, b] = added(bits.map(pairOf))
  const pairs = [
    [Point.BASE, a],
    [pointOf(publicKey), b.subtract(Point.BASE)],
  ]
  return holds(pairs, hash('aggregate-one', digestBytes(id), bytesOf(contributor, 20)), bytesOf(one, 64))
}

const treeHash = (leaves) => {
  if (leaves.length === 0) return sha256(new Uint8Array())
  if (leaves.length === 1) return sha256(join([0], leaves[0]))
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(join([1], treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split))))
}

/** The inputs that count: rightly signed, proven, of contributors who signed one alone. */
export function countedInputs(definition, inputs) {
  const id = digestOf(definition)
  const statements = new Map()
  for (const input of inputs) {
    const read = readStatement(input, { type: 'sealpool/aggregate-input', subject: id, place: definition })
    if (read === undefined) continue
    if (!attempt(() => isInput(read.body, { definition, id, signer: read.signer }))) continue
    const own = statements.get(read.signer) ?? new Map()
    statements.set(read.signer, own.set(canonical(input.statement), input.statement))
  }
  const single = [...statements].filter(([, own]) => own.size === 1)
  const counted = single.sort(([one], [two]) => (one < two ? -1 : 1)).map(([, [own]]) => own)
  const root = treeHash(counted.map(([text]) => new TextEncoder().encode(text)))
  const hex = Array.from(root, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { bodies: counted.map(([, { body }]) => body), inputsRoot: `sha256:${hex}` }
}

/** The ciphertexts of the totals. */
function totalsOf({ measure }, bodies) {
  const weights = weightsOf(measure)
  const places = weights.map((_, at) => added(bodies.map(({ bits }) => pairOf(bits[at]))))
  if (measure.kind === 'histogram') return places
  return [added(places.map((pair, at) => pair.map((point) => times(point, BigInt(weights[at])))))]
}

/** Whether a part of the totals is honest, each of its points by itself. */
export function isHonestTotalPart(part, { key, id, inputsRoot, totals }) {
  const member = key.members[part.member - 1]
  const formed =
    hasExactly(part, ['definition', 'inputsRoot', 'member', 'points']) &&
    part.definition === id &&
    part.inputsRoot === inputsRoot &&
    member !== undefined &&
    part.points.length === totals.length
  return (
    formed &&
    part.points.every((each, place) => {
      const of = hash('aggregate-part', digestBytes(id), digestBytes(inputsRoot), u16(place))
      const publicKey = bytesOf(key.publicKey)
      const context = hash('part', digestBytes(key.session), publicKey, u16(part.member), of)
      const pairs = [
        [Point.BASE, pointOf(member.verificationKey)],
        [totals[place][0], pointOf(each.point)],
      ]
      return hasExactly(each, ['point', 'proof']) && holds(pairs, context, bytesOf(each.proof, 64))
    })
  )
}

/** The key that came of the sessions, each of which follows on the one before; undefined when none did. */
function keyOf(sessions) {
  let key = null
  for (const each of sessions) {
    const formed =
      hasExactly(each, ['session', 'transcript']) &&
      hasExactly(each.transcript, ['commitments', 'deals', 'complaints']) &&
      canonical(each.session.previous) === canonical(key)
    if (!formed) return undefined
    key = conclude(each.session, each.transcript).key
    if (key === null) return undefined
  }
  return key ?? undefined
}

/**
 * Checks a whole aggregation.
 *
 * @param transcript of unknown origin
 * @param expected the digest of the reader's own question
 * @returns null when all of it is right; else the first step that is not
 */
export function failedStep(transcript, expected) {
  const { definition, inputs, claims, parts, result } = transcript
  const names = ['sessions', 'definition', 'inputs', 'claims', 'parts', 'result']
  const key = hasExactly(transcript, names) ? attempt(() => keyOf(transcript.sessions)) : undefined
  if (key === undefined) return 'key'
  const shared = ['chainId', 'registry', 'pool', 'publicKey', 'session']
  const id = digestOf(definition)
  if (id !== expected || shared.some((name) => definition[name] !== key[name])) return 'definition'
  const { bodies, inputsRoot } = countedInputs(definition, inputs)
  if (bodies.length < definition.minimumCohort || bodies.length > definition.maximumCohort) return 'inputs'
  const totals = totalsOf(definition, bodies)
  if (totals.some((pair) => pair.some((point) => point.is0()))) return 'inputs'
  const claimed = new Set()
  for (const claim of claims) {
    const read = readStatement(claim, { type: 'sealpool/aggregate-claim', subject: id, place: definition })
    const { member } = read?.body ?? {}
    const wanted = canonical({ member, definition: id, inputsRoot })
    const own = read !== undefined && canonical(read.body) === wanted
    if (own && key.members[member - 1]?.address === read.signer) claimed.add(member)
  }
  // The smallest quorum with 2 q - n >= t.
  if (2 * claimed.size - key.members.length < key.threshold) return 'claims'
  const honest = new Map()
  for (const part of parts) {
    if (attempt(() => isHonestTotalPart(part, { key, id, inputsRoot, totals }))) honest.set(part.member, part)
  }
  if (honest.size < key.threshold) return 'parts'
  const used = [...honest.values()].slice(0, key.threshold)
  const indices = used.map(({ member }) => member)
  const head = { definition: id, inputsRoot, contributors: bodies.length, values: result?.values }
  const shift = definition.measure.kind === 'sum' ? definition.measure.minimum * bodies.length : 0
  const right =
    hasExactly(result, Object.keys(head)) &&
    canonical(result) === canonical(head) &&
    result.values.length === totals.length &&
    totals.every(([, b], place) => {
      const agreement = sumOf(
        used.map(({ member, points }) => times(pointOf(points[place].point), weightOf(member, indices))),
      )
      const count = result.values[place] - shift
      const whole = Number.isSafeInteger(count) && count >= 0
      return whole && b.subtract(agreement).equals(times(Point.BASE, BigInt(count)))
    })
  return right ? null : 'result'
}
