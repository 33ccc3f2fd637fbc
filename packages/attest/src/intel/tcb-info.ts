import { integer, list, oneOf, optional, type Reader, record, schema, text } from '../shape/shape.js'
import type { SignedDocument, TcbInfo, TcbLevel, TdxModule } from './collateral.js'
import {
  badCollateral,
  dated,
  hexOf,
  isvLevels,
  type LevelMeaning,
  levelMeaning,
  openEnvelope,
  svn,
} from './signed-document.js'

const component = /* @__PURE__ */ record<{ svn: number }>({ svn }, 'drop')
const sixteen = /* @__PURE__ */ list(component, { min: 16, max: 16 })
const components: Reader<number[]> = (value, place) => sixteen(value, place).map((entry) => entry.svn)

interface RawLevel<Tcb> extends LevelMeaning {
  tcb: Tcb
}
interface Tcb3 {
  sgxtcbcomponents: number[]
  tdxtcbcomponents?: number[]
  pcesvn: number
}

const level3 = /* @__PURE__ */ (() =>
  record<RawLevel<Tcb3>>(
    {
      tcb: /* @__PURE__ */ record<Tcb3>(
        { sgxtcbcomponents: components, tdxtcbcomponents: /* @__PURE__ */ optional(components), pcesvn: svn },
        'drop',
      ),
      ...levelMeaning,
    },
    'drop',
  ))()

/** Version 2 names each of the 16 components. */
const flatNames = /* @__PURE__ */ Array.from(
  { length: 16 },
  (_, i) => `sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`,
)
const flatTcb = /* @__PURE__ */ (() =>
  record<Record<string, number>>(
    /* @__PURE__ */ Object.fromEntries([...flatNames, 'pcesvn'].map((name) => [name, svn])),
    'drop',
  ))()
const level2 = /* @__PURE__ */ (() =>
  record<RawLevel<Record<string, number>>>({ tcb: flatTcb, ...levelMeaning }, 'drop'))()

interface ModuleFields {
  mrsigner: string
  attributes: string
  attributesMask: string
}
const moduleFields = {
  mrsigner: /* @__PURE__ */ hexOf(48),
  attributes: /* @__PURE__ */ hexOf(8),
  attributesMask: /* @__PURE__ */ hexOf(8),
}
const baseModule = /* @__PURE__ */ record<ModuleFields>(moduleFields, 'drop')
const rawModule = /* @__PURE__ */ (() =>
  record<ModuleFields & { id: string; tcbLevels: TdxModule['levels'] }>(
    { id: /* @__PURE__ */ text({ max: 16 }), ...moduleFields, tcbLevels: isvLevels },
    'drop',
  ))()

const moduleOf = (raw: ModuleFields, id: string, levels: TdxModule['levels']): TdxModule => {
  const { mrsigner, attributes, attributesMask } = raw
  return { id, mrSigner: mrsigner, attributes, attributesMask, levels }
}
const module: Reader<TdxModule> = (value, place) => {
  const raw = rawModule(value, place)
  return moduleOf(raw, raw.id, raw.tcbLevels)
}

interface Common {
  issueDate: string
  nextUpdate: string
  tcbEvaluationDataNumber: number
  fmspc: string
  pceId: string
}
const common = /* @__PURE__ */ (() => ({
  ...dated,
  fmspc: /* @__PURE__ */ hexOf(6),
  pceId: /* @__PURE__ */ hexOf(2),
  tcbType: /* @__PURE__ */ oneOf([0]),
}))()

interface Info3 extends Common {
  id: 'SGX' | 'TDX'
  tcbType: 0
  tdxModule?: ModuleFields
  tdxModuleIdentities?: TdxModule[]
  tcbLevels: RawLevel<Tcb3>[]
}
const info3 = /* @__PURE__ */ (() =>
  record<Info3>(
    {
      id: /* @__PURE__ */ oneOf(['SGX', 'TDX']),
      ...common,
      tdxModule: /* @__PURE__ */ optional(baseModule),
      tdxModuleIdentities: /* @__PURE__ */ optional(/* @__PURE__ */ list(module, { max: 256 })),
      tcbLevels: /* @__PURE__ */ list(level3, { min: 1, max: 1000 }),
    },
    'drop',
  ))()

interface Info2 extends Common {
  tcbType: 0
  tcbLevels: RawLevel<Record<string, number>>[]
}
const info2 = /* @__PURE__ */ (() =>
  record<Info2>({ ...common, tcbLevels: /* @__PURE__ */ list(level2, { min: 1, max: 1000 }) }, 'drop'))()

const versioned = /* @__PURE__ */ record<{ version: 2 | 3 }>(
  { version: /* @__PURE__ */ oneOf([2, 3]) },
  'drop',
)

const tcbInfo: Reader<TcbInfo> = (value, place) => {
  if (versioned(value, place).version === 2) {
    const { tcbType: _, tcbLevels, ...rest } = info2(value, place)
    const levels = tcbLevels.map((level) => {
      return tcbLevel(
        level,
        flatNames.map((name) => level.tcb[name] ?? 0),
        [],
        level.tcb['pcesvn'] ?? 0,
      )
    })
    return { ...rest, id: 'SGX', version: 2, baseModule: undefined, modules: [], levels }
  }
  const { tcbType: _, tdxModule, tdxModuleIdentities = [], tcbLevels, ...rest } = info3(value, place)
  if (rest.id === 'TDX' && tdxModule === undefined) throw badCollateral(`${place}.tdxModule`, 'it is missing')
  return {
    ...rest,
    version: 3,
    baseModule: tdxModule && moduleOf(tdxModule, '', []),
    modules: tdxModuleIdentities,
    levels: tcbLevels.map((level, index) => {
      const { sgxtcbcomponents, tdxtcbcomponents, pcesvn } = level.tcb
      if (rest.id === 'TDX' && tdxtcbcomponents === undefined) {
        throw badCollateral(`${place}.tcbLevels.${index}.tcb.tdxtcbcomponents`, 'it is missing')
      }
      return tcbLevel(level, sgxtcbcomponents, tdxtcbcomponents ?? [], pcesvn)
    }),
  }
}

function tcbLevel(
  { tcbStatus, tcbDate, advisoryIDs = [] }: LevelMeaning,
  sgxComponents: readonly number[],
  tdxComponents: readonly number[],
  pceSvn: number,
): TcbLevel {
  return { sgxComponents, tdxComponents, pceSvn, status: tcbStatus, tcbDate, advisories: advisoryIDs }
}

const tcbInfoSchema = /* @__PURE__ */ schema('BAD_COLLATERAL', 'tcbInfo', 'Unusable collateral', tcbInfo)

/**
 * Reads a TCB info response. The envelope must be byte for byte as Intel serves it, since only the inner document is signed.
 *
 * @param response `{"tcbInfo":{...},"signature":"<128 hex>"}`
 * @returns the parsed document with the signed bytes; the signature is not verified here
 * @throws AttestError `BAD_COLLATERAL`
 */
export function parseTcbInfo(response: string): SignedDocument<TcbInfo> {
  const { json, signed, signature } = openEnvelope(response, 'tcbInfo')
  return { value: tcbInfoSchema.parse(json), signed, signature }
}

const evaluationNumbersReader = /* @__PURE__ */ (() =>
  record<TcbEvaluationDataNumbers>(
    {
      id: /* @__PURE__ */ oneOf(['SGX', 'TDX']),
      version: /* @__PURE__ */ oneOf([1]),
      issueDate: dated.issueDate,
      nextUpdate: dated.nextUpdate,
      tcbEvalNumbers: /* @__PURE__ */ list(
        /* @__PURE__ */ record<TcbEvaluationDataNumbers['tcbEvalNumbers'][number]>(
          {
            tcbEvaluationDataNumber: /* @__PURE__ */ integer(0, 0xffffffff),
            tcbRecoveryEventDate: dated.issueDate,
            tcbDate: dated.issueDate,
          },
          'drop',
        ),
        { min: 1, max: 1000 },
      ),
    },
    'drop',
  ))()
const evaluationNumbersSchema = /* @__PURE__ */ schema(
  'BAD_COLLATERAL',
  'tcbEvaluationDataNumbers',
  'Unusable collateral',
  evaluationNumbersReader,
)

/** Which TCB evaluation data numbers Intel serves, and since when: what a policy on TCB recoveries is chosen from. */
export interface TcbEvaluationDataNumbers {
  id: 'SGX' | 'TDX'
  version: 1
  issueDate: string
  nextUpdate: string
  tcbEvalNumbers: { tcbEvaluationDataNumber: number; tcbRecoveryEventDate: string; tcbDate: string }[]
}

/**
 * Reads a TCB evaluation data numbers response; see {@link parseTcbInfo}.
 *
 * @param response the text as Intel serves it
 * @returns the numbers, the bytes under the signature, and the signature, which is not verified here
 * @throws AttestError `BAD_COLLATERAL`
 */
export function parseTcbEvaluationDataNumbers(response: string): SignedDocument<TcbEvaluationDataNumbers> {
  const { json, signed, signature } = openEnvelope(response, 'tcbEvaluationDataNumbers')
  return { value: evaluationNumbersSchema.parse(json), signed, signature }
}
