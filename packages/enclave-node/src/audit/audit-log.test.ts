import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { auditText, auditVerdict } from '../cli/audit.js'
import { type AuditFact, emptyAudit, verifyAudit } from './audit-chain.js'
import { openAuditFile } from './audit-file.js'

const folder = mkdtempSync(join(tmpdir(), 'sealpool-audit-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newPath = () => join(folder, String(files++), 'audit.jsonl')
const fact = (n: number): AuditFact => ({ event: 'sign-in', facts: { n } })
const open = (path: string, known = emptyAudit, now = () => 100) => openAuditFile({ path, known, now })

function written(count: number) {
  const path = newPath()
  const { log } = open(path)
  for (let n = 0; n < count; n++) log.write(fact(n))
  return { path, head: log.head(), lines: () => readFileSync(path, 'utf8').split('\n').slice(0, -1) }
}

describe('the audit log', () => {
  it('verifies, goes on where it stood, and is its owner’s alone', () => {
    const { path, head, lines } = written(3)
    expect(verifyAudit(readFileSync(path, 'utf8'))).toMatchObject({ ok: true, head: { length: 3 } })
    const again = open(path, head)
    expect(again.lost).toBe(false)
    again.log.write(fact(3))
    expect(lines()).toHaveLength(4)
    expect(verifyAudit(readFileSync(path, 'utf8'))).toMatchObject({ ok: true, head: again.log.head() })
    expect(again.log.read(1).map(({ facts }) => facts['n'])).toEqual([1, 2, 3])
    expect(again.log.read(4)).toEqual([])
    expect(again.log.read(1e12)).toEqual([])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it.each<[string, (lines: string[]) => string[], number]>([
    ['a changed entry', (lines) => lines.with(1, lines[1]?.replace('"n":1', '"n":7') ?? ''), 3],
    ['a missing entry', (lines) => lines.filter((_, n) => n !== 1), 2],
    ['swapped entries', (lines) => [lines[1] ?? '', lines[0] ?? '', lines[2] ?? ''], 1],
    ['an entry twice', (lines) => [...lines, lines[2] ?? ''], 4],
    ['a line that is no JSON', (lines) => lines.with(2, 'hello'), 3],
    ['a line that is written otherwise', (lines) => lines.with(2, ` ${lines[2]}`), 3],
    ['an entry of another form', (lines) => lines.with(0, '{}'), 1],
  ])('with %s does not verify, and tells the line', (_, change, line) => {
    const text = `${change(written(3).lines()).join('\n')}\n`
    expect(verifyAudit(text)).toMatchObject({ ok: false, line })
  })

  it('verifies in parts, from a head on', () => {
    const { lines } = written(4)
    const first = verifyAudit(`${lines().slice(0, 2).join('\n')}\n`)
    if (!first.ok) throw new Error('it does not verify')
    const rest = `${lines().slice(2).join('\n')}\n`
    expect(verifyAudit(rest, first.head)).toMatchObject({ ok: true, head: { length: 4 } })
    expect(verifyAudit(rest)).toMatchObject({ ok: false, line: 1 })
  })

  it.each<[string, (path: string) => void]>([
    ['cut', (path) => writeFileSync(path, `${readFileSync(path, 'utf8').split('\n')[0]}\n`)],
    ['emptied', (path) => writeFileSync(path, '')],
    ['taken away', (path) => rmSync(path)],
    ['changed', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"n":1', '"n":9'))],
    [
      'made anew by somebody else',
      (path) => writeFileSync(path, readFileSync(written(5).path, 'utf8').replaceAll('"at":100', '"at":101')),
    ],
  ])('that was %s says so in the first entry of the new one, for ever', (_, spoil) => {
    const { path, head } = written(3)
    spoil(path)
    const { log, lost } = open(path, head)
    expect(lost).toBe(true)
    expect(log.read(0)).toMatchObject([{ event: 'log-lost', facts: { length: 3, digest: head.digest } }])
    expect(open(path, log.head()).lost).toBe(false)
  })

  it('is judged by the command as by the node', () => {
    const { path, head } = written(3)
    const text = readFileSync(path, 'utf8')
    const seen = `${head.length}:${head.digest}`
    const told = auditVerdict(text, undefined)
    expect(told).toEqual({ ok: true, head: seen, events: { 'sign-in': 3 }, lost: false })
    expect(auditText(told)).toBe(`verifies: sign-in 3\nhead ${seen}`)
    expect(auditVerdict(text, seen).ok).toBe(true)
    expect(auditVerdict(text, '0:none').ok).toBe(true)
    const shorter = `${text.split('\n').slice(0, 2).join('\n')}\n`
    expect(auditVerdict(shorter, undefined).ok).toBe(true)
    expect(auditVerdict(shorter, seen)).toMatchObject({
      ok: false,
      line: null,
      why: expect.stringContaining('cut'),
    })
    expect(auditVerdict(text.slice(1), undefined)).toMatchObject({ ok: false })
    rmSync(path)
    open(path, head)
    expect(auditText(auditVerdict(readFileSync(path, 'utf8'), undefined))).toContain('LOST')
    for (const wrong of ['3', '3:abc', 'x:none', '']) {
      expect(() => auditVerdict(text, wrong)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    }
  })

  it('keeps what was broken', () => {
    const { path, head } = written(2)
    writeFileSync(path, 'broken\n')
    open(path, head)
    expect(readdirSync(join(path, '..')).sort()).toEqual(['audit.jsonl', 'audit.jsonl.broken-100'])
  })

  it('drops a line that a full disk left half written', () => {
    const { path, head } = written(2)
    appendFileSync(path, '{"at":1')
    const { log, lost } = open(path, head)
    expect(lost).toBe(false)
    log.write(fact(2))
    expect(verifyAudit(readFileSync(path, 'utf8'))).toMatchObject({ ok: true, head: { length: 3 } })
  })

  it('counts what happens often, and writes it once a minute', () => {
    const path = newPath()
    let now = 0
    const { log } = open(path, emptyAudit, () => now)
    const call = { event: 'calls', facts: { status: 200 } } as const
    for (let n = 0; n < 500; n++) log.count(call)
    log.count({ ...call, facts: { status: 403 } })
    expect(log.head().length).toBe(0)
    now = 60
    log.count(call)
    expect(log.read(0).map(({ facts }) => facts)).toEqual([
      { status: 200, count: 501 },
      { status: 403, count: 1 },
    ])
    log.count(call)
    log.flush()
    expect(log.head().length).toBe(3)
    for (let n = 0; n < 1_000; n++) log.count({ event: 'calls', facts: { status: n } })
    expect(log.head().length).toBe(1_003)
  })

  it('that cannot be written stops what it should have noted', () => {
    const { log } = open(newPath())
    const path = written(1).path
    const broken = openAuditFile({ path, known: emptyAudit, now: () => 1 })
    rmSync(join(path, '..'), { recursive: true })
    expect(() => broken.log.write(fact(1))).toThrow()
    expect(broken.log.head().length).toBe(1)
    expect(log.head()).toEqual(emptyAudit)
  })
})
