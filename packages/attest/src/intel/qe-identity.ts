import { oneOf, record, schema, text } from '../shape/shape.js'
import type { IsvLevel, QeIdentity, SignedDocument } from './collateral.js'
import { dated, hexOf, isvLevels, openEnvelope, svn } from './signed-document.js'

interface RawIdentity {
  id: string
  version: 2
  issueDate: string
  nextUpdate: string
  tcbEvaluationDataNumber: number
  miscselect: string
  miscselectMask: string
  attributes: string
  attributesMask: string
  mrsigner: string
  isvprodid: number
  tcbLevels: IsvLevel[]
}

const identitySchema = /* @__PURE__ */ (() =>
  schema(
    'BAD_COLLATERAL',
    'enclaveIdentity',
    'Unusable collateral',
    /* @__PURE__ */ record<RawIdentity>(
      {
        id: /* @__PURE__ */ text({ max: 16 }),
        version: /* @__PURE__ */ oneOf([2]),
        ...dated,
        miscselect: /* @__PURE__ */ hexOf(4),
        miscselectMask: /* @__PURE__ */ hexOf(4),
        attributes: /* @__PURE__ */ hexOf(16),
        attributesMask: /* @__PURE__ */ hexOf(16),
        mrsigner: /* @__PURE__ */ hexOf(32),
        isvprodid: svn,
        tcbLevels: isvLevels,
      },
      'drop',
    ),
  ))()

/**
 * Reads a QE identity response; see `parseTcbInfo`.
 *
 * @param response `{"enclaveIdentity":{...},"signature":"<128 hex>"}`
 * @returns the identity, the bytes under the signature, and the signature, which is not verified here
 * @throws AttestError `BAD_COLLATERAL`
 */
export function parseQeIdentity(response: string): SignedDocument<QeIdentity> {
  const { json, signed, signature } = openEnvelope(response, 'enclaveIdentity')
  const {
    version: _,
    miscselect,
    miscselectMask,
    mrsigner,
    isvprodid,
    tcbLevels,
    ...rest
  } = identitySchema.parse(json)
  const value: QeIdentity = {
    ...rest,
    miscSelect: miscselect,
    miscSelectMask: miscselectMask,
    mrSigner: mrsigner,
    isvProdId: isvprodid,
    levels: tcbLevels,
  }
  return { value, signed, signature }
}
