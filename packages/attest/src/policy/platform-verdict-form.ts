import type { AzureVerdict } from '../azure/verify.js'
import type { DstackFacts, DstackVerdict } from '../dstack/event-log.js'
import type { DstackSnpVerdict } from '../dstack/snp-attestation.js'
import type { NitroClaims, NitroVerdict } from '../nitro/verify.js'
import type { NvidiaTokenDevice, NvidiaTokenVerdict } from '../nvidia/token.js'
import type { NvidiaVerdict } from '../nvidia/verify.js'
import {
  flag,
  isoText,
  list,
  nullable,
  oneOf,
  optional,
  type Reader,
  record,
  ShapeError,
  schema,
  text,
} from '../shape/shape.js'
import type { PlatformVerdicts } from './appraise-platform.js'
import { anyText, checkFacts, facts, hexFact } from './verdict-form.js'

// The same as for the hardware's verdicts: what policies ask for must be there. The hardware's verdict inside is looked at where it is
// appraised; one that was lost is an answer of its own there.

/** A fact that need not be there; undefined is absent, as it is for who reads it. */
const absentOr = (reader: Reader<unknown>): Reader<unknown> =>
  optional((value, place) => (value === undefined ? value : reader(value, place)))

/** Payload of an event, or bytes of a document, as the verifiers' own readers bound them: the host's word, which may be empty. */
const payloadFact: Reader<unknown> = /* @__PURE__ */ text({
  max: 2_097_154,
  pattern: /^0x(?:[0-9a-f]{2})*$/,
  what: '0x and lower-case hex',
})

/** Registers by index. */
const registers: Reader<unknown> = (value, place) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ShapeError(place, 'expected an object of registers')
  for (const [index, register] of Object.entries(value)) anyText(register, `${place}.${index}`)
  return value
}

const dstackFacts = /* @__PURE__ */ (() =>
  facts<DstackFacts>({
    appId: nullable(payloadFact),
    composeHash: nullable(payloadFact),
    keyProvider: nullable(anyText),
    osImageHash: nullable(payloadFact),
    appEvents: list(facts({}), { max: 100_000 }),
  }))()

const dstack: Reader<unknown> = /* @__PURE__ */ (() => {
  const common = { checks: checkFacts, facts: dstackFacts }
  const snp = facts<DstackSnpVerdict>({ ...common, platform: oneOf(['sev-snp']), mrConfig: hexFact })
  const tdx = facts<DstackVerdict & { publicKey: string }>({
    ...common,
    rtmrs: nullable(list(hexFact, { min: 4, max: 4 })),
    publicKey: absentOr(hexFact),
  })
  return (value, place) => {
    const { platform, mrConfig } = facts<{ platform: string; mrConfig: string }>({
      platform: absentOr(oneOf(['sev-snp'])),
      mrConfig: absentOr(hexFact),
    })(value, place)
    return (platform === undefined && mrConfig === undefined ? tdx : snp)(value, place)
  }
})()

/** The facts that a policy asks each kind of verdict for, each there and in its form. */
export const platformVerdictsSchema = /* @__PURE__ */ (() =>
  schema(
    'BAD_ARGUMENT',
    'verdicts',
    'The answers of verifiers are expected, by kind',
    record<{ [K in keyof PlatformVerdicts]: unknown }>(
      {
        dstack: absentOr(dstack),
        azure: absentOr(
          facts<AzureVerdict>({
            tee: oneOf(['tdx', 'sev-snp']),
            checks: checkFacts,
            reportData: hexFact,
            nonce: anyText,
            attestationKey: hexFact,
            registers,
          }),
        ),
        nitro: absentOr(
          facts<NitroVerdict>({
            at: isoText('time'),
            checks: checkFacts,
            claims: facts<NitroClaims>({
              moduleId: anyText,
              timestamp: isoText('time'),
              pcrs: registers,
              debug: flag,
              nonce: nullable(anyText),
            }),
          }),
        ),
        nvidia: absentOr(
          facts<NvidiaVerdict>({
            checks: checkFacts,
            device: anyText,
            deviceKey: nullable(hexFact),
            nonce: anyText,
            measurements: registers,
          }),
        ),
        nvidiaToken: absentOr(
          facts<NvidiaTokenVerdict>({
            at: isoText('time'),
            checks: checkFacts,
            issuedAt: nullable(isoText('time')),
            nonce: nullable(anyText),
            devices: list(
              facts<NvidiaTokenDevice>({
                name: anyText,
                hardwareModel: nullable(anyText),
                driverVersion: nullable(anyText),
                vbiosVersion: nullable(anyText),
              }),
              { max: 1000 },
            ),
          }),
        ),
      },
      'drop',
    ),
  ))()
