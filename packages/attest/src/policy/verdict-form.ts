import { type SnpClaims, snpProducts } from '../amd/claims.js'
import { verdictTcbStatuses } from '../intel/tcb-status.js'
import {
  flag,
  integer,
  isoText,
  list,
  nullable,
  oneOf,
  type Reader,
  record,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'
import type { Check } from '../verdict/check-list.js'
import type { Hex, IntelClaims, RootClaim, SgxClaims, TdxClaims, Verdict } from '../verdict/verdict.js'

// What policies ask a verdict for. One that was kept, cut or written by an older version may have lost a fact, and a fact that is
// not there must never read as "no": who looks for `debug` finds nothing to refuse.

/** An object with these fields of `T`, and any others. */
export const facts = <T extends object>(
  fields: {
    readonly [K in keyof T]?: Reader<unknown>
  },
): Reader<Record<string, unknown>> => record(fields as Record<string, Reader<unknown>>, 'drop')

/** Any text, however long: what a stranger writes into evidence stands in details too, and must not make a verdict none. */
export const anyText: Reader<string> = (value, place) => {
  if (typeof value !== 'string') throw new ShapeError(place, 'expected text')
  return value
}

/** Bytes as verdicts write them. */
export const hexFact: Reader<Hex> = /* @__PURE__ */ text<Hex>({
  pattern: /^0x(?:[0-9a-f]{2})+$/,
  what: '0x and lower-case hex',
})

/** The checks of a verdict. */
export const checkFacts: Reader<unknown> = /* @__PURE__ */ (() =>
  list(
    facts<Check>({
      id: anyText,
      title: anyText,
      result: oneOf(['pass', 'fail', 'not-checked']),
      detail: anyText,
    }),
    { max: 1000 },
  ))()

const claimFacts = /* @__PURE__ */ (() => {
  const number = integer(0)
  const root = nullable(
    facts<RootClaim>({
      commonName: anyText,
      certificate: anyText,
      publicKey: anyText,
      vendor: nullable(oneOf(['intel', 'amd'])),
    }),
  )
  const intel = {
    debug: flag,
    reportData: hexFact,
    platform: nullable(facts({})),
    collateral: nullable(
      facts<NonNullable<IntelClaims['collateral']>>({
        tcbEvaluationDataNumber: number,
        qeTcbEvaluationDataNumber: number,
        issueDate: isoText('time'),
      }),
    ),
    root,
  }
  const levels = { bootloader: number, tee: number, snp: number, microcode: number }
  const tcbOf = (level: Reader<unknown>): Reader<unknown> =>
    nullable(facts<NonNullable<SnpClaims['tcb']>>({ reported: level, committed: level, current: level }))
  const snp = facts<SnpClaims>({
    product: nullable(oneOf(snpProducts)),
    debug: flag,
    reportData: hexFact,
    measurement: hexFact,
    hostData: hexFact,
    familyId: hexFact,
    imageId: hexFact,
    guestSvn: number,
    vmpl: number,
    guestPolicy: facts<SnpClaims['guestPolicy']>({
      smt: flag,
      migrationAgent: flag,
      singleSocket: flag,
      cxl: flag,
      memoryAes256Xts: flag,
      raplDisabled: flag,
      ciphertextHiding: flag,
      pageSwapDisabled: flag,
    }),
    platformInfo: facts<SnpClaims['platformInfo']>({ smt: flag, aliasCheckComplete: flag }),
    signingKey: oneOf(['vcek', 'vlek', 'none', 'unknown']),
    chipId: nullable(hexFact),
    cspId: nullable(anyText),
    firmware: facts<SnpClaims['firmware']>({ current: anyText, committed: anyText }),
    mitigations: nullable(
      facts<NonNullable<SnpClaims['mitigations']>>({ launch: hexFact, current: hexFact }),
    ),
    root,
  })
  // Only Turin has `fmc`; where it is lost, firmware that can be rolled back would not be seen.
  const tcb = facts<SnpClaims>({ tcb: tcbOf(facts(levels)) })
  const turinTcb = facts<SnpClaims>({ tcb: tcbOf(facts({ fmc: number, ...levels })) })
  return {
    tdx: facts<TdxClaims>({
      ...intel,
      mrTd: hexFact,
      rtmrs: list(hexFact, { min: 4, max: 4 }),
      mrSeam: hexFact,
      mrServiceTd: nullable(hexFact),
      tdAttributes: hexFact,
      xfam: hexFact,
    }),
    sgx: facts<SgxClaims>({
      ...intel,
      mrEnclave: hexFact,
      mrSigner: hexFact,
      isvProdId: number,
      isvSvn: number,
      attributes: hexFact,
    }),
    'sev-snp': (value: unknown, place: string): unknown => {
      const { product } = snp(value, place)
      return (product === 'Turin' ? turinTcb : tcb)(value, place)
    },
  } as const
})()

const verdictFacts = /* @__PURE__ */ (() =>
  facts<Verdict>({
    tee: oneOf(['tdx', 'sgx', 'sev-snp']),
    at: isoText('time'),
    simulated: flag,
    tcbStatus: nullable(oneOf(verdictTcbStatuses)),
    // Those of platform, quoting enclave and module, at most 1000 each.
    advisories: list(anyText, { max: 3000 }),
    tcbDate: nullable(isoText('time')),
    checks: checkFacts,
    claims: facts<TdxClaims>({ tee: oneOf(['tdx', 'sgx', 'sev-snp']) }),
  }))()

/**
 * The facts that a policy asks a verdict for, each there and in its form. Whether `ok` is true is for the appraisal to say.
 */
export const verdictSchema = /* @__PURE__ */ (() =>
  schema('BAD_ARGUMENT', 'verdict', 'The answer of a verifier is expected', (value, place): unknown => {
    const { tee } = verdictFacts(value, place)
    const { claims } = value as Verdict
    if (claims.tee !== tee) throw new ShapeError(`${place}.claims.tee`, 'its claims are of another kind')
    return claimFacts[claims.tee](claims, `${place}.claims`)
  }))()
