import { describe, expect, it } from 'vitest'
import { amd, changed, check, hex, minimum, type Row, type Snp, snp } from '../testing/appraisal-table.js'
import { trust } from '../testing/fixture.js'
import { appraise } from './appraise.js'
import type { AttestationPolicy, SnpRules } from './policy.js'

describe('rules for SEV-SNP', () => {
  const { guestPolicy, platformInfo, tcb } = snp.claims
  if (tcb === null) throw new Error('the fixture has a TCB')
  const below = { ...tcb, reported: { ...tcb.reported, microcode: 80 } }
  const rows: Record<string, Row<Snp, Partial<SnpRules>>> = {
    products: {
      rule: { products: ['Turin'] },
      fail: { claims: { product: 'Genoa' } },
      says: /does not allow Genoa|no minimum TCB/,
    },
    'products, absent': {
      rule: { minimumTcb: { Turin: minimum, Milan: minimum } },
      fail: { claims: { product: 'Milan' } },
      says: /Milan: its chip keys/,
    },
    minimumTcb: {
      rule: {},
      fail: { claims: { tcb: below } },
      unknown: { claims: { tcb: null } },
      says: /microcode is 80, needs 81|no minimum TCB/,
    },
    'minimumTcb of the product': {
      rule: { minimumTcb: { Genoa: minimum } },
      pass: { claims: { product: 'Genoa' } },
      fail: {},
      says: /no minimum TCB for Turin/,
    },
    maximumVmpl: {
      rule: { maximumVmpl: 1 },
      pass: { claims: { vmpl: 1 } },
      fail: { claims: { vmpl: 2 } },
      says: /privilege level 2/,
    },
    'maximumVmpl, absent': { rule: {}, fail: { claims: { vmpl: 1 } }, says: /privilege level 1/ },
    minimumGuestSvn: {
      rule: { minimumGuestSvn: 3 },
      pass: { claims: { guestSvn: 3 } },
      fail: { claims: { guestSvn: 2 } },
      says: /guest’s SVN is 2/,
    },
    minimumFirmware: {
      rule: { minimumFirmware: [1, 55, 10] },
      pass: { claims: { firmware: { current: '1.55.10', committed: '1.55.10' } } },
      fail: { claims: { firmware: { current: '1.54.99', committed: '1.54.99' } } },
      says: /firmware is 1\.54\.99/,
    },
    allowMigrationAgent: {
      rule: { allowMigrationAgent: true },
      pass: { claims: { guestPolicy: { ...guestPolicy, migrationAgent: true } } },
      fail: { claims: { vmpl: 3 } },
      says: /privilege/,
    },
    'allowMigrationAgent, absent': {
      rule: {},
      fail: { claims: { guestPolicy: { ...guestPolicy, migrationAgent: true } } },
      says: /migration agent/,
    },
    'allowSmt, the platform': {
      rule: { allowSmt: false },
      pass: {
        claims: {
          guestPolicy: { ...guestPolicy, smt: false },
          platformInfo: { ...platformInfo, smt: false },
        },
      },
      fail: {
        claims: { guestPolicy: { ...guestPolicy, smt: false }, platformInfo: { ...platformInfo, smt: true } },
      },
      says: /multithreading is on/,
    },
    'allowSmt, the guest': {
      rule: { allowSmt: false },
      pass: {
        claims: {
          guestPolicy: { ...guestPolicy, smt: false },
          platformInfo: { ...platformInfo, smt: false },
        },
      },
      fail: {
        claims: { guestPolicy: { ...guestPolicy, smt: true }, platformInfo: { ...platformInfo, smt: false } },
      },
      says: /guest allows/,
    },
    allowCxl: { rule: {}, fail: { claims: { guestPolicy: { ...guestPolicy, cxl: true } } }, says: /CXL/ },
    allowMissingAliasCheck: {
      rule: {},
      fail: { claims: { platformInfo: { ...platformInfo, aliasCheckComplete: false } } },
      says: /BadRAM/,
    },
    'allowProvisionalFirmware, TCB': {
      rule: {},
      fail: { claims: { tcb: { ...tcb, committed: { ...tcb.committed, microcode: 80 } } } },
      says: /provisional/,
    },
    'allowProvisionalFirmware, version': {
      rule: {},
      fail: { claims: { firmware: { current: '9.9.9', committed: '1.1.1' } } },
      says: /provisional/,
    },
    signingKeys: {
      rule: { signingKeys: ['vcek'] },
      fail: { claims: { signingKey: 'vlek' } },
      says: /vlek to sign/,
    },
    cspIds: {
      rule: { cspIds: ['A'] },
      pass: { claims: { signingKey: 'vlek', cspId: 'A' } },
      fail: { claims: { signingKey: 'vlek', cspId: 'B' } },
      unknown: { claims: { signingKey: 'vlek', cspId: null } },
      says: /provider/,
    },
    chipIds: {
      rule: { chipIds: [hex(1, 64)] },
      pass: { claims: { chipId: hex(1, 64) } },
      fail: { claims: { chipId: hex(2, 64) } },
      unknown: { claims: { chipId: null } },
      says: /chip/,
    },
    familyIds: {
      rule: { familyIds: [hex(1, 16)] },
      pass: { claims: { familyId: hex(1, 16) } },
      fail: { claims: { familyId: hex(2, 16) } },
      says: /family id/,
    },
    imageIds: {
      rule: { imageIds: [hex(1, 16)] },
      pass: { claims: { imageId: hex(1, 16) } },
      fail: { claims: { imageId: hex(2, 16) } },
      says: /image id/,
    },
    'requiredMitigations, launch': {
      rule: { requiredMitigations: '0x0000000000000003' },
      pass: { claims: { mitigations: { launch: '0x0000000000000003', current: '0x0000000000000007' } } },
      fail: { claims: { mitigations: { launch: '0x0000000000000001', current: '0x0000000000000003' } } },
      says: /at launch/,
    },
    'requiredMitigations, now': {
      rule: { requiredMitigations: '0x0000000000000003' },
      pass: { claims: { mitigations: { launch: '0x0000000000000003', current: '0x0000000000000003' } } },
      fail: { claims: { mitigations: { launch: '0x0000000000000003', current: '0x0000000000000002' } } },
      says: /not there now/,
    },
  }
  const base: AttestationPolicy = {
    ...trust,
    roots: [amd.rootDigest],
    measurements: [{ name: 'x', measurement: snp.claims.measurement }],
  }
  const quiet: SnpRules = { minimumTcb: { Turin: minimum } }
  for (const [name, row] of Object.entries(rows)) {
    if (name === 'products') continue
    check(name, snp, row, { ...base, snp: { ...quiet, ...row.rule } })
  }

  it.each([
    'ciphertextHiding',
    'memoryAes256Xts',
    'pageSwapDisabled',
    'raplDisabled',
    'singleSocket',
  ] as const)('require %s', (bit) => {
    const policy = { ...base, snp: { ...quiet, require: [bit] } }
    const ask = (value: boolean) =>
      appraise(changed<Snp>(snp, { claims: { guestPolicy: { ...guestPolicy, [bit]: value } } }), policy)
    expect(ask(true).answer).toBe('allowed')
    expect(ask(false)).toEqual({
      answer: 'not-allowed',
      reasons: [`The guest’s policy does not demand ${bit}.`],
    })
  })

  it('products, the unknown one, and mitigations that are not told, are never allowed', () => {
    const policy = { ...base, snp: { ...quiet, requiredMitigations: hex(0, 8) } }
    expect(appraise(changed<Snp>(snp, { claims: { product: null } }), policy).answer).toBe('not-allowed')
    expect(appraise(changed<Snp>(snp, { claims: { mitigations: null } }), policy).reasons).toHaveLength(2)
    const only = { ...base, snp: { ...quiet, products: ['Genoa' as const] } }
    expect(appraise(snp, only).reasons).toEqual([expect.stringMatching(/does not allow Turin/)])
  })

  it('measurements: host data and keys', () => {
    const { measurement, hostData, idKeyDigest, authorKeyDigest } = snp.claims
    const whole = { name: 'x', measurement, hostData, idKeyDigest, authorKeyDigest }
    const policy = { ...base, snp: quiet, measurements: [whole] }
    expect(appraise(snp, policy).answer).toBe('allowed')
    for (const field of ['measurement', 'hostData', 'idKeyDigest', 'authorKeyDigest'] as const) {
      const other = changed<Snp>(snp, { claims: { [field]: hex(0xee, 48) } })
      expect([field, appraise(other, policy).answer]).toEqual([field, 'not-allowed'])
    }
  })

  it('what is refused by default is allowed by name, one thing at a time', () => {
    const { firmware } = snp.claims
    const rows = [
      ['allowCxl', { guestPolicy: { ...guestPolicy, cxl: true } }],
      ['allowMissingAliasCheck', { platformInfo: { ...platformInfo, aliasCheckComplete: false } }],
      ['allowProvisionalFirmware', { firmware: { ...firmware, current: '9.9.9', committed: '1.1.1' } }],
    ] as const
    for (const [allow] of rows) {
      for (const [name, claims] of rows) {
        const given = { ...base, snp: { ...quiet, [allow]: true } }
        const expected = name === allow ? 'allowed' : 'not-allowed'
        expect([allow, name, appraise(changed<Snp>(snp, { claims }), given).answer]).toEqual([
          allow,
          name,
          expected,
        ])
      }
    }
  })

  it('without rules for SEV-SNP nothing is allowed', () => {
    expect(appraise(snp, base).reasons).toEqual([expect.stringMatching(/no rules for SEV-SNP/)])
  })
})
