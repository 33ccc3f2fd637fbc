import { digestOf, type JsonObject } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import { defaultAttestationPolicy } from '../policy/policy.js'
import {
  at,
  bundle,
  bundleFiles,
  deployment,
  evidence,
  jobParts,
  poolPolicy,
  signReceipt,
  simulator,
  trust,
} from '../testing/fixture.js'
import { nativeP256 } from '../testing/native-p256.js'
import { remembersByContent } from '../testing/remembers-by-content.js'
import { parseReceiptBundle } from './bundle.js'
import type { ReceiptBody } from './receipt.js'
import { type ReceiptVerdict, receiptCheckTitles, verifyReceipt } from './verify.js'

const resultOf = (verdict: ReceiptVerdict, id: string) =>
  verdict.checks.find((check) => check.id === id)?.result
const failing = (verdict: ReceiptVerdict) =>
  verdict.checks.filter(({ result }) => result === 'fail').map(({ id }) => id)

describe('verifyReceipt', () => {
  it('accepts a whole bundle of a query, says SIMULATED, and lists every link', () => {
    const verdict = verifyReceipt(bundle())
    expect(verdict.checks.filter(({ result }) => result !== 'pass')).toEqual([])
    expect(verdict).toMatchObject({ ok: true, simulated: true })
    expect(verdict.checks.map(({ id }) => id)).toEqual(Object.keys(receiptCheckTitles))
  })

  it('accepts a compute job whose plan ties its code to the name that the pools allow', () => {
    expect(verifyReceipt(bundle(undefined, 'compute')).ok).toBe(true)
  })

  it('refuses a simulator under the default policy, whatever else holds', () => {
    const verdict = verifyReceipt({ ...bundle(), trust: defaultAttestationPolicy })
    expect(verdict.ok).toBe(false)
    expect(resultOf(verdict, 'trust')).toBe('fail')
  })

  it('makes anything that is not given not-checked, and not ok', () => {
    const whole = bundle()
    for (const [name, id] of [
      ['policies', 'policies'],
      ['evidence', 'evidence'],
      ['manifest', 'manifest'],
      ['plan', 'plan'],
      ['result', 'result'],
      ['sealedResult', 'sealed-result'],
      ['verdicts', 'verdicts'],
    ] as const) {
      const { [name]: _, ...rest } = whole
      const verdict = verifyReceipt(rest)
      expect([name, verdict.ok, resultOf(verdict, id)]).toEqual([name, false, 'not-checked'])
    }
    const verdict = verifyReceipt({ ...whole, policies: [] })
    expect([verdict.ok, resultOf(verdict, 'policies')]).toEqual([false, 'not-checked'])
  })

  const changed = (change: (body: ReceiptBody) => void) => {
    const whole = bundle((body) => {
      const copy = structuredClone(body)
      change(copy)
      return copy
    })
    return failing(verifyReceipt(whole))
  }
  const other = digestOf('another')
  const budget = (body: ReceiptBody) => {
    const found = body.pools[0]?.budget
    if (found === null || found === undefined) throw new Error('the fixture has a budget')
    return found
  }

  it.each<[string, (body: ReceiptBody) => void]>([
    [
      'receipt-key-set',
      (body) => {
        body.keySet = other
      },
    ],
    [
      'receipt-quote',
      (body) => {
        body.quote = other
      },
    ],
    [
      'simulated',
      (body) => {
        body.simulated = false
      },
    ],
    [
      'policies',
      (body) => {
        body.pools.forEach((pool) => {
          pool.policy = other
        })
      },
    ],
    [
      'policies',
      (body) => {
        body.pools.forEach((pool) => {
          pool.name = 'other'
        })
      },
    ],
    [
      'manifest',
      (body) => {
        body.job.manifest = other
      },
    ],
    [
      'manifest',
      (body) => {
        body.job.consumer = '0x00000000000000000000000000000000000000dd'
      },
    ],
    [
      'manifest',
      (body) => {
        body.job.kind = 'compute'
      },
    ],
    [
      'manifest',
      (body) => {
        body.pools.pop()
      },
    ],
    [
      'plan',
      (body) => {
        body.plan = other
      },
    ],
    [
      'code',
      (body) => {
        body.code = other
      },
    ],
    [
      'verdicts',
      (body) => {
        body.pools.forEach((pool) => {
          pool.verdicts = other
        })
      },
    ],
    [
      'result',
      (body) => {
        body.result = { digest: other, sealed: other, mediaType: 'x' }
      },
    ],
    [
      'outcome',
      (body) => {
        body.refusal = { code: 'X', message: 'y' }
      },
    ],
    [
      'outcome',
      (body) => {
        body.result = null
      },
    ],
    [
      'outcome',
      (body) => {
        body.pools.forEach((pool) => {
          pool.budget = null
        })
      },
    ],
    [
      'outcome',
      (body) => {
        body.approvals = []
      },
    ],
    [
      'outcome',
      (body) => {
        body.approvals.pop()
      },
    ],
    [
      'outcome',
      (body) => {
        body.approvals = body.approvals.map((approval) => ({
          ...approval,
          pool: body.pools[0]?.pool ?? approval.pool,
        }))
      },
    ],
    [
      'outcome',
      (body) => {
        body.approvals.push({ pool: body.job.consumer, block: '12', price: '50' })
      },
    ],
    [
      'outcome',
      (body) => {
        body.approvals.push(...body.approvals.slice(0, 1))
      },
    ],
    [
      'budget',
      (body) => {
        budget(body).charged.epsilon = '0.5'
      },
    ],
    [
      'budget',
      (body) => {
        budget(body).after.epsilonSpent = '6.1'
      },
    ],
    [
      'budget',
      (body) => {
        budget(body).after.version = 9
      },
    ],
    [
      'budget',
      (body) => {
        budget(body).after.head = budget(body).before.head
      },
    ],
    [
      'budget',
      (body) => {
        budget(body).after.deltaSpent = '0.0000003'
      },
    ],
  ])('fails %s when the node states something else there', (id, change) => {
    expect(changed(change)).toContain(id)
  })

  it('fails on a signature by another key', () => {
    const { body } = jobParts()
    const receipt = signReceipt(body, new Uint8Array(32).fill(9))
    expect(failing(verifyReceipt({ ...bundle(), receipt }))).toContain('signature')
  })

  it('fails on a statement of another type', () => {
    const receipt = structuredClone(bundle().receipt)
    const statement = { ...receipt.statement, type: 'sealpool/release' }
    expect(failing(verifyReceipt({ ...bundle(), receipt: { ...receipt, statement } }))).toContain(
      'receipt-form',
    )
  })

  it('fails when the evidence is for other keys than those that signed', () => {
    const quote = simulator.quote({ reportData: new Uint8Array(64) })
    const text = Buffer.from(quote).toString('base64url')
    const verdict = verifyReceipt({ ...bundle(), evidence: { ...evidence, quote: text } })
    expect(failing(verdict)).toContain('key-set')
    expect(resultOf(verdict, 'signature')).toBe('not-checked')
  })

  it('fails when a pool’s own attestation policy does not allow the node', () => {
    const strict = poolPolicy('pay', { ...trust, measurements: [] })
    const whole = bundle((body) => ({
      ...body,
      pools: body.pools.map((pool) => (pool.name === 'pay' ? { ...pool, policy: digestOf(strict) } : pool)),
    }))
    const policies = [strict, ...whole.policies.slice(1)]
    expect(failing(verifyReceipt({ ...whole, policies }))).toEqual(['pool-trust'])
  })

  it('fails when the job took more than the policy allows for one job', () => {
    const small = poolPolicy('pay')
    const privacy = { ...(small['privacy'] as JsonObject), perJob: { epsilon: 0.5, delta: 2.5e-7 } }
    const policy = { ...small, privacy }
    const whole = bundle((body) => ({
      ...body,
      pools: body.pools.map((pool) => (pool.name === 'pay' ? { ...pool, policy: digestOf(policy) } : pool)),
    }))
    const verdict = verifyReceipt({ ...whole, policies: [policy, ...whole.policies.slice(1)] })
    expect(failing(verdict)).toEqual(['budget'])
  })

  it('fails when a compute job’s computation is not allowed, and tells nothing when nobody ties name to code', () => {
    const forbidden = bundle((body) => body, 'compute')
    const manifest = { ...forbidden.manifest, compute: { computation: 'other', parameters: {} } }
    const receipt = signReceipt({
      ...jobParts('compute').body,
      job: { ...jobParts('compute').body.job, manifest: digestOf(manifest) },
    })
    expect(failing(verifyReceipt({ ...forbidden, manifest, receipt }))).toEqual(['code'])
    const { code: _, ...plan } = jobParts('compute').plan
    const loose = bundle((body) => ({ ...body, plan: digestOf(plan) }), 'compute')
    expect(resultOf(verifyReceipt({ ...loose, plan }), 'code')).toBe('not-checked')
    const code = digestOf('code')
    expect(verifyReceipt({ ...loose, plan, code }).ok).toBe(true)
    expect(failing(verifyReceipt({ ...loose, plan, code: other }))).toEqual(['code'])
  })

  it('fails on extra documents that the receipt does not name', () => {
    const whole = bundle()
    expect(
      failing(verifyReceipt({ ...whole, policies: [...whole.policies, poolPolicy('third')] })),
    ).toContain('policies')
    const verdicts = { ...whole.verdicts, '0x00000000000000000000000000000000000000ee': [other] }
    expect(failing(verifyReceipt({ ...whole, verdicts }))).toEqual(['verdicts'])
  })

  it('accepts a refusal without plan, result or budget, and fails it when a result comes along', () => {
    const refused = bundle((body) => ({
      ...body,
      outcome: 'refused',
      refusal: { code: 'BUDGET_EXHAUSTED', message: 'The budget of pool pay does not allow it.' },
      pools: body.pools.map((pool) => ({ ...pool, budget: null })),
      plan: null,
      result: null,
    }))
    const { plan: _, result, sealedResult: __, ...rest } = refused
    expect(verifyReceipt({ ...refused, ...rest }).ok).toBe(false)
    const { result: ___, ...withoutResult } = rest as typeof rest & { result?: Uint8Array }
    expect(failing(verifyReceipt(withoutResult))).toEqual([])
    expect(verifyReceipt(withoutResult).ok).toBe(true)
    expect(failing(verifyReceipt({ ...withoutResult, result }))).toEqual(['result'])
  })

  it('never throws on hostile documents', () => {
    for (const receipt of [null, 1, [], {}, 'x', { statement: {} }, { ...bundle().receipt, extra: 1 }]) {
      const verdict = verifyReceipt({ receipt, evidence: receipt, policies: [], trust, at })
      expect(verdict.ok).toBe(false)
    }
  })
})

describe('a bundle folder', () => {
  const files = bundleFiles()
  // Each changed byte leaves most signatures as they were; remembering those makes the whole folder quick to try.
  const verifySignature = remembersByContent(nativeP256)
  const verify = (changed: Record<string, Uint8Array>) => {
    try {
      return verifyReceipt({ ...parseReceiptBundle(changed), deployment, trust, at, verifySignature }).ok
    } catch (error) {
      return (error as { code?: string }).code === 'BAD_RECEIPT' ? false : error
    }
  }

  it('verifies', () => {
    expect(verify(files)).toBe(true)
  })

  it('refuses files that are not canonical JSON', () => {
    const text = new TextDecoder().decode(files['manifest.json'])
    expect(verify({ ...files, 'manifest.json': new TextEncoder().encode(`${text}\n`) })).toBe(false)
  })

  it('refuses two files of one pool, and what is no bytes', () => {
    const [name = '', verdicts] = Object.entries(files).find(([one]) => one.startsWith('verdicts-0x')) ?? []
    const capitals = name.replace(/[a-f]+(?=\.json)/, (digits) => digits.toUpperCase())
    expect(capitals).not.toBe(name)
    const { [name]: _, ...others } = files
    expect(verify({ ...others, [capitals]: verdicts ?? new Uint8Array() })).toBe(true)
    const refusal = (change: object) => () => parseReceiptBundle({ ...files, ...change })
    const bad = (place: string) => expect.objectContaining({ code: 'BAD_RECEIPT', place })
    expect(refusal({ [capitals]: verdicts })).toThrow(bad(capitals))
    for (const file of ['receipt.json', 'result.json', 'result.sealed'])
      for (const value of [undefined, null, '{}', [1], {}])
        expect(refusal({ [file]: value })).toThrow(bad(file))
  })

  // Every byte of the small files; of the evidence (26 kB) a stride, unless SEALPOOL_EXHAUSTIVE asks for all.
  it.each(Object.keys(files))(
    'is not ok when one byte of %s is flipped',
    (name) => {
      const bytes = files[name] ?? new Uint8Array()
      const stride = process.env['SEALPOOL_EXHAUSTIVE'] === undefined && bytes.length > 6000 ? 37 : 1
      const accepted: string[] = []
      for (let i = 0; i < bytes.length; i += stride) {
        for (const mask of stride === 1 && bytes.length < 400
          ? [0x01, 0x20, 0x80]
          : [i % 2 === 0 ? 0x01 : 0x20]) {
          const copy = bytes.slice()
          copy[i] = (copy[i] ?? 0) ^ mask
          if (verify({ ...files, [name]: copy }) !== false) accepted.push(`${i} ^ ${mask}`)
        }
      }
      expect(accepted).toEqual([])
    },
    300_000,
  )
})
