import { describe, expect, it } from 'vitest'
import { formatPemCertificates, parsePemCertificates } from '../encoding/pem.js'
import { AttestError } from '../errors.js'
import { verifyP256 } from '../signature/p256.js'
import type { VerifySignature } from '../signature/port.js'
import { at, quote, simulator } from '../testing/fixture.js'
import type { Collateral } from './collateral.js'
import { type PreparedCollateral, prepareCollateral } from './prepared-collateral.js'
import { verifyQuote } from './verify.js'

const trustedRoots = [simulator.rootDigest]

function counting() {
  const counter = { asked: 0 }
  const port: VerifySignature = (...question) => {
    counter.asked += 1
    return verifyP256(...question)
  }
  const ask = (collateral: Collateral | PreparedCollateral, bytes = quote, when = at) => {
    counter.asked = 0
    const verdict = verifyQuote(bytes, { collateral, at: when, trustedRoots, verifySignature: port })
    return { ...verdict, asked: counter.asked }
  }
  return { ask, port }
}

describe('prepared collateral', () => {
  const collateral = simulator.collateral(at)

  it('leaves three signatures to check, and gives the same verdict', () => {
    const { ask } = counting()
    const prepared = prepareCollateral(collateral)
    const plain = ask({ ...collateral })
    const { asked, ...verdict } = ask(prepared)
    const { asked: all, ...expected } = plain
    expect([all, asked]).toEqual([10, 3])
    expect(verdict).toEqual(expected)
    expect(ask(prepared, simulator.quote({ reportData: new Uint8Array(64).fill(1) }))).toMatchObject({
      ok: true,
      asked: 3,
    })
  })

  it('remembers what fails as well, and asks about time every time', () => {
    const { ask } = counting()
    const prepared = prepareCollateral(simulator.collateral(at, { defect: 'tampered-tcb-info' }))
    for (let i = 0; i < 2; i += 1) {
      const verdict = ask(prepared)
      expect(verdict.ok).toBe(false)
      expect(verdict.checks.find(({ id }) => id === 'tcb-info-signature')?.result).toBe('fail')
    }
    const good = prepareCollateral(collateral)
    expect(ask(good).ok).toBe(true)
    expect(ask(good, quote, new Date('2027-06-01')).ok).toBe(false)
    expect(ask(good, simulator.quote({ reportData: new Uint8Array(64), defect: 'tampered-body' })).ok).toBe(
      false,
    )
  })

  it('is made by prepareCollateral only: a copy or a look-alike is no collateral', () => {
    const { ask } = counting()
    const prepared = prepareCollateral(collateral)
    for (const fake of [{ ...prepared }, { format: 'prepared-collateral' as const, collateral }]) {
      expect(ask(fake).ok).toBe(false)
    }
    expect(Object.isFrozen(prepared)).toBe(true)
  })

  it('refuses what cannot be read, at once', () => {
    for (const bad of [{}, { ...collateral, pckCrl: '0x00' }, { ...collateral, tcbInfo: '{}' }]) {
      expect(() => prepareCollateral(bad as Collateral)).toThrowError(AttestError)
    }
  })
})

describe('the text of an issuer chain', () => {
  const collateral = simulator.collateral(at)
  const chain = collateral.tcbInfoIssuerChain
  const begin = '-----BEGIN CERTIFICATE-----'
  const ask = (tcbInfoIssuerChain: string) => () => prepareCollateral({ ...collateral, tcbInfoIssuerChain })

  it('may have CRLF and blank lines between its certificates', () => {
    const [first = '', second = ''] = chain.split(/(?<=END CERTIFICATE-----\n)/)
    for (const text of [
      chain.replaceAll('\n', '\r\n'),
      `${first}\n\n${second}`,
      `\n${chain}\n`,
      chain.trimEnd(),
    ])
      expect(ask(text)).not.toThrow()
  })

  it.each([
    ['nothing', ''],
    ['blank lines only', '\n\n'],
    [
      'two certificates on one line',
      chain
        .replace(`\n${begin}`, (found) => found.slice(1))
        .replace(/END CERTIFICATE-----\n-----/, 'END CERTIFICATE----------'),
    ],
    [
      'a space between two certificates',
      chain.replace(/END CERTIFICATE-----\n-----/, 'END CERTIFICATE----- -----'),
    ],
    ['text in front', `x${chain}`],
    ['text behind', `${chain}x`],
    ['a third of a kind that is none', `${chain}${begin}\nAAAA\n-----END CERTIFICATE-----\n`],
    ['a hundred certificates', chain.repeat(50)],
  ])('is refused with %s', (_, text) => {
    expect(ask(text)).toThrow(AttestError)
  })
})

describe('plain collateral that is used again', () => {
  it('is read and checked once per object, port and texts, and never otherwise', () => {
    const { ask } = counting()
    const collateral = { ...simulator.collateral(at) }
    expect(ask(collateral)).toMatchObject({ ok: true, asked: 10 })
    expect(ask(collateral)).toMatchObject({ ok: true, asked: 3 })
    // Another port has to find out for itself.
    expect(counting().ask(collateral)).toMatchObject({ ok: true, asked: 10 })
    // A changed text is another collateral, although the object is the same.
    const bad = simulator.collateral(at, { defect: 'tampered-qe-identity' })
    Object.assign(collateral, { qeIdentity: bad.qeIdentity })
    expect(ask(collateral).ok).toBe(false)
    Object.assign(collateral, simulator.collateral(at))
    // Its authorities are the same: their three certificates are not checked again, all else is.
    expect(ask(collateral)).toMatchObject({ ok: true, asked: 7 })
    expect(ask({ ...collateral })).toMatchObject({ ok: true, asked: 7 })
  })

  it('does not take another certificate for one that it knows', () => {
    const { ask } = counting()
    expect(ask({ ...simulator.collateral(at) })).toMatchObject({ ok: true })
    const collateral = simulator.collateral(at)
    const [signer, root] = parsePemCertificates(collateral.tcbInfoIssuerChain)
    if (signer === undefined || root === undefined) throw new Error('a chain of two is expected')
    for (let at = 0; at < signer.length; at += 7) {
      const changed = signer.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      const tcbInfoIssuerChain = formatPemCertificates([changed, root])
      expect(ask({ ...collateral, tcbInfoIssuerChain }).ok).toBe(false)
    }
  })

  it('a port that says yes to everything does not make another port believe it', () => {
    const collateral = { ...simulator.collateral(at, { defect: 'tampered-crl' }) }
    const yes: VerifySignature = () => true
    expect(verifyQuote(quote, { collateral, at, trustedRoots, verifySignature: yes }).ok).toBe(true)
    expect(verifyQuote(quote, { collateral, at, trustedRoots }).ok).toBe(false)
  })
})
