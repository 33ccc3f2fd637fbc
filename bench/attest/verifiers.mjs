// The same question to each verifier. Peers are asked in the way their own readmes show.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Collateral in the peers' form: the same documents, signatures apart, lists as bare hex. */
function peerForm(collateral) {
  const inner = (text, name) => {
    const head = `{"${name}":`
    const tail = ',"signature":"'
    const cut = text.lastIndexOf(tail)
    return { body: text.slice(head.length, cut), signature: text.slice(cut + tail.length, -2) }
  }
  const info = inner(collateral.tcbInfo, 'tcbInfo')
  const identity = inner(collateral.qeIdentity, 'enclaveIdentity')
  return {
    pck_crl_issuer_chain: collateral.pckCrlIssuerChain,
    root_ca_crl: collateral.rootCaCrl.slice(2),
    pck_crl: collateral.pckCrl.slice(2),
    tcb_info_issuer_chain: collateral.tcbInfoIssuerChain,
    tcb_info: info.body,
    tcb_info_signature: info.signature,
    qe_identity_issuer_chain: collateral.qeIdentityIssuerChain,
    qe_identity: identity.body,
    qe_identity_signature: identity.signature,
  }
}

/**
 * @param {{ quote: Uint8Array, collateral: object, at: Date }} question
 * @returns {Record<string, () => Promise<() => string>>} makers of functions that verify once and give the TCB status
 */
export function verifiers({ quote, collateral, at }) {
  const seconds = Math.floor(at.getTime() / 1000)
  const status = (verdict) => {
    if (!verdict.ok) throw new Error('the quote was refused')
    return verdict.tcbStatus
  }
  return {
    async sealpool() {
      const { verifyQuote } = await import('@sealpool/attest')
      // A copy is another object, so that nothing of it was read or checked before.
      return () => status(verifyQuote(quote, { collateral: { ...collateral }, at, trailingBytes: 'any' }))
    },
    async 'sealpool, portable'() {
      const { verifyP256, verifyQuote } = await import('@sealpool/attest')
      const options = { at, trailingBytes: 'any', verifySignature: verifyP256 }
      return () => status(verifyQuote(quote, { ...options, collateral: { ...collateral } }))
    },
    async 'sealpool, again'() {
      const { verifyQuote } = await import('@sealpool/attest')
      return () => status(verifyQuote(quote, { collateral, at, trailingBytes: 'any' }))
    },
    async 'sealpool, prepared'() {
      const { prepareCollateral, verifyQuote } = await import('@sealpool/attest')
      const options = { collateral: prepareCollateral(collateral), at, trailingBytes: 'any' }
      return () => status(verifyQuote(quote, options))
    },
    async '@phala/dcap-qvl'() {
      const { verify } = require('@phala/dcap-qvl')
      const form = peerForm(collateral)
      const bytes = Buffer.from(quote)
      return () => verify(bytes, form, seconds).status
    },
    async '@phala/dcap-qvl, browser path'() {
      // The peer chooses its pure JavaScript by whether there is a window.
      globalThis.window ??= {}
      const { verify } = require('@phala/dcap-qvl')
      const form = peerForm(collateral)
      const bytes = Buffer.from(quote)
      return () => verify(bytes, form, seconds).status
    },
    async '@phala/dcap-qvl-web'() {
      const wasm = await import('@phala/dcap-qvl-web')
      wasm.initSync({ module: readFileSync(require.resolve('@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm')) })
      const form = peerForm(collateral)
      return () => wasm.js_verify(quote, form, BigInt(seconds)).status
    },
  }
}
