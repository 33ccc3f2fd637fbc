import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '@sealpool/crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditFact } from '../audit/audit-chain.js'
import { nodeLogger } from '../runtime/logger.js'
import { getMeta, setMeta } from '../state/meta-table.js'
import { migrate } from '../state/migration.js'
import type { StateStore } from '../state/state-store.js'
import { memoryStores } from '../testing/memory-store.js'
import type { IncidentOrder } from './incident-order.js'
import { readIncident } from './incident-record.js'
import { openNodeIncident } from './node-incident.js'
import { operatorSocket, sendOrder, serveOrders } from './operator-socket.js'
import { findRewrapped, saveRewrapped } from './rewrapped-header.js'

const node: Address = `0x${'a1'.repeat(20)}`
const pool: Address = `0x${'b2'.repeat(20)}`
const other: Address = `0x${'b3'.repeat(20)}`
const stores = memoryStores()
let store: StateStore
let audit: AuditFact[]
let epoch: number
const open = () =>
  openNodeIncident({
    store,
    chain: { pool: async () => ({ keyEpoch: { epoch, node } }) as never },
    audit: { write: (fact) => audit.push(fact) },
    node,
    pools: [pool],
    underWay: () => 0,
    now: () => 1_800_000_000,
  })
beforeEach(async () => {
  await store.query('delete from meta')
  audit = []
  epoch = 1
})
beforeAll(async () => {
  store = await stores()
  await migrate(store)
})
afterAll(() => store.close())

describe('an incident in the node', () => {
  it('is remembered before it counts, written down once, and survives the process', async () => {
    const first = await open()
    expect(first.reasons()).toEqual([])
    await first.order({ order: 'notice', kind: 'vulnerable' })
    await first.order({ order: 'notice', kind: 'vulnerable' })
    await first.order({ order: 'stop-work' })
    await first.order({ order: 'stop-work' })
    expect(audit.map(({ facts }) => facts['step'])).toEqual(['notice', 'stop-work'])
    const again = await open()
    expect(again.current()).toEqual({
      kinds: ['vulnerable'],
      openedAt: 1_800_000_000,
      stopped: true,
      epochs: {},
    })
    expect(again.reasons()).toEqual([
      'incident: vulnerable since 2027-01-15T08:00:00.000Z; this node takes no work',
    ])
    // It gets worse: what was stopped stays stopped, and the first time and kind stay.
    await again.order({ order: 'notice', kind: 'workload' })
    await again.order({ order: 'notice', kind: 'vulnerable' })
    expect(again.current()).toMatchObject({ kinds: ['vulnerable', 'workload'], stopped: true })
    expect(again.reasons()).toEqual([expect.stringContaining('incident: vulnerable, workload since')])
    await again.order({ order: 'end' })
    await again.order({ order: 'end' })
    expect(again.reasons()).toEqual([])
    expect(audit.filter(({ event }) => event === 'incident-ended')).toHaveLength(1)
    expect(await readIncident(store)).toBeNull()
  })

  it('gives up one epoch for each order, and none that the chain has not come to', async () => {
    const incident = await open()
    const rotate = (from: number, which = pool) => incident.order({ order: 'rotate', pool: which, from })
    await expect(rotate(1)).rejects.toMatchObject({ code: 'INCIDENT_NOT_OPEN' })
    await incident.order({ order: 'notice', kind: 'key' })
    await expect(rotate(1, other)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    // Else one order would have the node publish thousands of keys.
    await expect(rotate(5)).rejects.toMatchObject({ code: 'CONFIG_INVALID', place: 'epoch 5' })
    await rotate(1)
    await rotate(1)
    expect(incident.firstEpoch(pool)).toBe(2)
    expect(incident.firstEpoch(other)).toBe(1)
    epoch = 2
    await rotate(1)
    expect(incident.firstEpoch(pool)).toBe(2)
    await rotate(2)
    expect((await open()).firstEpoch(pool)).toBe(3)
    // A stolen key stays stolen when the incident is over, in this process and the next.
    await incident.order({ order: 'end' })
    expect(incident.firstEpoch(pool)).toBe(3)
    expect((await open()).firstEpoch(pool)).toBe(3)
  })

  it('a note of when an incident had one kind is read, and goes on', async () => {
    const note = { kind: 'vulnerable', openedAt: 1_700_000_000, stopped: true, epochs: { [pool]: 2 } }
    await setMeta(store, 'incident', JSON.stringify(note))
    const incident = await open()
    const { kind, ...rest } = note
    expect(incident.current()).toEqual({ kinds: [kind], ...rest })
    await incident.order({ order: 'notice', kind: 'key' })
    expect((await open()).current()).toMatchObject({ kinds: ['vulnerable', 'key'], stopped: true })
  })

  it('a note of another form is no quiet day', async () => {
    for (const text of [
      '{"kind":"fire"}',
      '{"kind":"key","openedAt":1,"stopped":false,"epochs":{},"more":1}',
      '{"kind":"key","kinds":["key"],"openedAt":1,"stopped":false,"epochs":{}}',
      '{"kinds":["key"],"openedAt":1,"stopped":false,"epochs":{},"more":1}',
    ]) {
      await setMeta(store, 'incident', text)
      await expect(open()).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
    }
  })

  it('keeps a renewed header beside the contribution, and refuses one of another form', async () => {
    await saveRewrapped(store, '7', { epoch: 2, header: Uint8Array.of(1, 2, 3) })
    expect(await findRewrapped(store, '7')).toEqual({ epoch: 2, header: Uint8Array.of(1, 2, 3) })
    expect(await findRewrapped(store, '8')).toBeUndefined()
    await setMeta(store, 'rewrapped header 7', '{"epoch":0,"header":"AQID"}')
    await expect(findRewrapped(store, '7')).rejects.toMatchObject({ code: 'STATE_UNREADABLE' })
    expect(await getMeta(store, 'incident')).toBeUndefined()
  })
})

describe('orders over the socket', () => {
  let folder: string
  let path: string
  let close: () => Promise<void>
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealpool-orders-'))
    path = operatorSocket(folder) ?? ''
    const incident = await open()
    close = await serveOrders({
      path,
      order: incident.order,
      log: nodeLogger({ level: 'silent', simulated: true }),
    })
  })
  afterEach(async () => {
    await close()
    await rm(folder, { recursive: true })
  })

  it('are carried out, and refusals come back by their codes', async () => {
    expect(await sendOrder(path, { order: 'look' })).toEqual({
      node,
      incident: null,
      underWay: 0,
      pools: [{ pool, epoch: 1, toRewrap: 0 }],
    })
    await expect(sendOrder(path, { order: 'stop-work' })).rejects.toMatchObject({ code: 'INCIDENT_NOT_OPEN' })
    const { incident } = await sendOrder(path, { order: 'notice', kind: 'key' })
    expect(incident?.kinds).toEqual(['key'])
  })

  it.each([
    ['no JSON', 'stop\n'],
    ['an unknown order', '{"order":"read-data"}\n'],
    ['a member too many', '{"order":"end","force":true}\n'],
    ['an epoch past all numbers', `{"order":"rotate","pool":"${pool}","from":4294967295}\n`],
    ['a pool that is a prototype', '{"order":"rotate","pool":"__proto__","from":1}\n'],
  ])('%s is refused', async (_name, line) => {
    const socket = createConnection({ path })
    socket.write(line)
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (part) => resolve(String(part))),
    )
    expect(JSON.parse(answer)).toMatchObject({ error: { code: 'CONFIG_INVALID', place: 'order' } })
    socket.destroy()
  })

  it('a line without an end is cut off', async () => {
    const socket = createConnection({ path })
    socket.on('error', () => undefined)
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.write('x'.repeat(200_000))
    await gone
    expect((await sendOrder(path, { order: 'look' })).incident).toBeNull()
  })

  it('nobody there is told as such, and a folder’s name may be too long', async () => {
    await expect(
      sendOrder(join(folder, 'none.sock'), { order: 'end' } as IncidentOrder),
    ).rejects.toMatchObject({
      code: 'NODE_UNREACHABLE',
    })
    expect(operatorSocket(`/${'long/'.repeat(30)}`)).toBeUndefined()
  })
})
