import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'

// The verification is another package's and tested there; here it is replaced by one that looks at one file alone.
vi.mock('@sealpool/attest', () => ({
  parseReceiptBundle: (files: Readonly<Record<string, Uint8Array>>) => ({ files }),
  verifyReceipt: ({ files }: { files: Readonly<Record<string, Uint8Array>> }) => ({
    ok: files['receipt.json']?.every((byte) => byte === 7) === true,
  }),
}))

const { flipBits } = await import('./verify.js')
const trust = {} as never
const at = new Date(0)
const deployment = {} as never

test('flips that the verification does not notice are not counted as detected', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealpool-flips-'))
  try {
    writeFileSync(join(folder, 'receipt.json'), new Uint8Array(50).fill(7))
    writeFileSync(join(folder, 'unread.json'), new Uint8Array(50))
    expect(flipBits({ folder, deployment, trust, at, perFile: 10 })).toEqual({ flipped: 20, detected: 10 })
    writeFileSync(join(folder, 'receipt.json'), new Uint8Array(50))
    expect(() => flipBits({ folder, deployment, trust, at, perFile: 10 })).toThrow('does not verify')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
