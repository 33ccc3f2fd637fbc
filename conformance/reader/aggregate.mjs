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

/** Whether an input has the form that the question asks for, whatever its proofs are worth. */
function isFormed(body, { definition, signer }) {
  const { measure } = definition
  const { contributor, bits, one } = body
  const formed =
    hasExactly(body, ['contributor', 'bits', 'one']) &&
    contributor === signer &&
    (definition.contributors?.includes(contributor) ?? true) &&
    Array.isArray(bits) &&
    bits.length === weightsOf(measure).length
  if (!formed) return false
  for (const bit of bits) bytesOf(bit, 294)
  if (measure.kind === 'histogram') bytesOf(one, 64)
  return measure.kind === 'histogram' || one === null
}

/** Whether a well-formed input's bits and their sum are proven. */
function isProven({ contributor, bits, one }, { definition, id }) {
  const { publicKey, measure } = definition
  const proven = (bit, place) => isProvenBit({ publicKey, definition: id, contributor, place, bit })
  if (!bits.every(proven)) return false
  if (measure.kind === 'sum') return true
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

/** The inputs that count: rightly signed, of contributors who signed one alone, and proven; proofs are looked at last. */
export function countedInputs(definition, inputs) {
  const id = digestOf(definition)
  const statements = new Map()
  for (const input of inputs) {
    const read = readStatement(input, { type: 'sealpool/aggregate-input', subject: id, place: definition })
    if (read === undefined) continue
    if (!attempt(() => isFormed(read.body, { definition, signer: read.signer }))) continue
    const own = statements.get(read.signer) ?? new Map()
    statements.set(read.signer, own.set(canonical(input.statement), input.statement))
  }
  const single = [...statements].filter(([, own]) => own.size === 1)
  const proven = single.filter(([, own]) => {
    const [{ body }] = own.values()
    return attempt(() => isProven(body, { definition, id }))
  })
  const counted = proven.sort(([one], [two]) => (one < two ? -1 : 1)).map(([, [own]]) => own)
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

/** Parts of the right form for this question and these inputs. */
const formedParts = (parts, { id, inputsRoot, totals }) =>
  parts.filter((part) => {
    const formed =
      hasExactly(part, ['definition', 'inputsRoot', 'member', 'points']) &&
      part.definition === id &&
      part.inputsRoot === inputsRoot &&
      Array.isArray(part.points) &&
      part.points.length === totals.length
    return formed && part.points.every((each) => hasExactly(each, ['point', 'proof']))
  })

/** The members' proven points for one total; of each member's parts the first four are looked at. */
function honestPoints(parts, { key, id, inputsRoot, total, place }) {
  const honest = new Map()
  const looked = new Map()
  const of = hash('aggregate-part', digestBytes(id), digestBytes(inputsRoot), u16(place))
  for (const { member, points } of parts) {
    const listed = Number.isInteger(member) ? key.members[member - 1] : undefined
    const tried = looked.get(member) ?? 0
    looked.set(member, tried + 1)
    if (listed === undefined || tried >= 4) continue
    const { point, proof } = points[place]
    const context = hash('part', digestBytes(key.session), bytesOf(key.publicKey), u16(member), of)
    const proven = attempt(() => {
      const pairs = [
        [Point.BASE, pointOf(listed.verificationKey)],
        [total[0], pointOf(point)],
      ]
      return holds(pairs, context, bytesOf(proof, 64))
    })
    if (proven) honest.set(member, pointOf(point))
  }
  return honest
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
  if (typeof transcript !== 'object' || transcript === null) return 'key'
  const { definition, inputs, claims, parts, result } = transcript
  const names = ['sessions', 'definition', 'inputs', 'claims', 'parts', 'result']
  const key = hasExactly(transcript, names) ? attempt(() => keyOf(transcript.sessions)) : undefined
  if (key === undefined) return 'key'
  const shared = ['chainId', 'registry', 'pool', 'publicKey', 'session']
  const id = attempt(() => digestOf(definition))
  if (id !== expected || shared.some((name) => definition[name] !== key[name])) return 'definition'
  if (!Array.isArray(inputs)) return 'inputs'
  const { bodies, inputsRoot } = countedInputs(definition, inputs)
  if (bodies.length < definition.minimumCohort || bodies.length > definition.maximumCohort) return 'inputs'
  const totals = totalsOf(definition, bodies)
  if (totals.some((pair) => pair.some((point) => point.is0()))) return 'inputs'
  const claimed = new Set()
  for (const claim of Array.isArray(claims) ? claims : []) {
    const read = readStatement(claim, { type: 'sealpool/aggregate-claim', subject: id, place: definition })
    const { member } = read?.body ?? {}
    const wanted = canonical({ member, definition: id, inputsRoot })
    const own = read !== undefined && canonical(read.body) === wanted
    if (own && key.members[member - 1]?.address === read.signer) claimed.add(member)
  }
  // The smallest quorum with 2 q - n >= t.
  if (2 * claimed.size - key.members.length < key.threshold) return 'claims'
  const formed = Array.isArray(parts) ? formedParts(parts, { id, inputsRoot, totals }) : []
  const honest = totals.map((total, place) => honestPoints(formed, { key, id, inputsRoot, total, place }))
  if (honest.some((points) => points.size < key.threshold)) return 'parts'
  const head = { definition: id, inputsRoot, contributors: bodies.length, values: result?.values }
  const shift = definition.measure.kind === 'sum' ? definition.measure.minimum * bodies.length : 0
  const right =
    hasExactly(result, Object.keys(head)) &&
    attempt(() => canonical(result) === canonical(head)) &&
    Array.isArray(result.values) &&
    result.values.length === totals.length &&
    totals.every(([, b], place) => {
      const used = [...honest[place]].slice(0, key.threshold)
      const indices = used.map(([member]) => member)
      const agreement = sumOf(used.map(([member, point]) => times(point, weightOf(member, indices))))
      const count = result.values[place] - shift
      const whole = Number.isSafeInteger(result.values[place]) && Number.isSafeInteger(count) && count >= 0
      return whole && b.subtract(agreement).equals(times(Point.BASE, BigInt(count)))
    })
  return right ? null : 'result'
}
