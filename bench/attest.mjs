// Full verification of a quote against the signature checks that nobody can leave out.
import { createPublicKey, verify } from 'node:crypto'
import { verifyP256, verifyQuote } from '@sealpool/attest'
import { createSimulator } from '@sealpool/attest/simulator'
import { platformRandom } from '@sealpool/crypto'
import { compare } from './measure/compare.mjs'
import { printMachine } from './measure/machine.mjs'
import { figure, printTable, ratio } from './measure/table.mjs'

const base64url = (bytes) => Buffer.from(bytes).toString('base64url')
const keyObject = (point) =>
  createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: base64url(point.subarray(1, 33)),
      y: base64url(point.subarray(33, 65)),
    },
  })
const nativeCheck = (key, message, signature) =>
  verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)

/** The port of `verifyQuote`, filled with OpenSSL through node:crypto. */
const nativeP256 = (publicKey, message, signature) => {
  try {
    return nativeCheck(keyObject(publicKey), message, signature)
  } catch {
    return false
  }
}

export async function run({ print }) {
  printMachine(print)
  const at = new Date()
  const simulator = createSimulator({ random: platformRandom, at })
  const quote = simulator.quote({ reportData: platformRandom(64) })
  const options = { collateral: simulator.collateral(at), at, trustedRoots: [simulator.rootDigest] }

  const calls = []
  const recorded = verifyQuote(quote, {
    ...options,
    verifySignature: (publicKey, message, signature) => {
      calls.push({ publicKey, message, signature, key: keyObject(publicKey) })
      return nativeP256(publicKey, message, signature)
    },
  })
  if (!recorded.ok) throw new Error('the simulated quote was refused: nothing to measure')

  const count = 8
  const times = (work) => () => {
    for (let index = 0; index < count; index++) if (work() === false) throw new Error('not verified')
  }
  const took = await compare(
    {
      portable: times(() => verifyQuote(quote, options).ok),
      native: times(() => verifyQuote(quote, { ...options, verifySignature: nativeP256 }).ok),
      limit: times(() => calls.every(({ key, message, signature }) => nativeCheck(key, message, signature))),
      portableLimit: times(() =>
        calls.every(({ publicKey, message, signature }) => verifyP256(publicKey, message, signature)),
      ),
    },
    { turns: 7 },
  )
  const row = (label, name) => [
    label,
    figure(count / took[name]),
    figure((took[name] / count) * 1000),
    ratio(took[name], took.limit),
  ]
  printTable(print, {
    title: `A simulated TDX quote of ${quote.length} bytes with its collateral: ${recorded.checks.length} checks, ${calls.length} P-256 signatures`,
    columns: ['', 'quotes/s', 'ms each', 'time / limit'],
    rows: [
      row('verifyQuote, portable (noble)', 'portable'),
      row(`of which the ${calls.length} signatures (noble)`, 'portableLimit'),
      row('verifyQuote with node:crypto as verifySignature', 'native'),
      row(`limit: the ${calls.length} signatures by node:crypto, keys ready`, 'limit'),
    ],
    notes: [
      'The simulator’s quotes and collateral have the layout and the signatures of Intel’s; no hardware is involved.',
    ],
  })
}
