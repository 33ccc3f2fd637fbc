import { createSimulator } from '@sealpool/attest/simulator'
import { canonicalBytes, decodeBase64Url, platformRandom } from '@sealpool/crypto'
import { describe, expect, it } from 'vitest'
import type { AuditFact } from '../audit/audit-chain.js'
import type { NodeConfig } from '../config/node-config.js'
import { openKeyRing } from '../key/key-ring.js'
import { partResource, peersKeyRelease } from '../key/peers-key-release.js'
import { committeeCeremony, servedMembers } from '../testing/committee-ceremony.js'
import { listedNodes, quotesOf, simulatorPolicy } from '../testing/peer-node.js'
import { digestOfDigit } from '../testing/served-pool-fixture.js'
import { readCommittee } from './committee-file.js'
import type { PartServerOptions } from './part-server.js'
import { servedParts } from './served-parts.js'

const simulator = createSimulator({ random: platformRandom, at: new Date() })
const deployment = { chainId: 31_337, nodeRegistry: `0x${'11'.repeat(20)}` } as const
const members = [1, 2, 3].map((digit) => openKeyRing(new Uint8Array(32).fill(digit), digestOfDigit('1')))
const root = platformRandom(32)
const { file, key, label, envelope } = committeeCeremony({ members, threshold: 2, root, deployment })
const [askerConfig, otherConfig] = [digestOfDigit('8'), digestOfDigit('9')]
const quotes = quotesOf(simulator)
const settings = {
  chain: { deployment },
  committee: { roots: [{ committee: file, envelope, configs: [askerConfig] }], reshares: [] },
} as unknown as NodeConfig
const now = () => Math.floor(Date.now() / 1000)

/** Members that serve, by the place of each; what is changed holds for all. */
function committee(change: Partial<PartServerOptions> = {}, count = 3) {
  const chain = listedNodes()
  chain.allowed.add(quotes.measurement)
  const audited: AuditFact[] = []
  const note = (fact: AuditFact) => audited.push(fact)
  const errors: unknown[] = []
  const audit = { write: note, count: note }
  const rules = { chain, evidencePolicy: simulatorPolicy(simulator), audit, ...change }
  const { apps, peers, fetch } = servedMembers(members.slice(0, count), settings, rules, (error) =>
    errors.push(error),
  )
  const release = (more: Partial<Parameters<typeof peersKeyRelease>[0]> = {}) =>
    peersKeyRelease({
      peers,
      key,
      envelope,
      label,
      quotes,
      member: { config: askerConfig, collateral: (quote) => quotes.collateral(quote) },
      timeoutMs: 20_000,
      fetch,
      ...more,
    }).release()
  return { chain, audited, errors, apps, peers, fetch, release }
}
const unreadable = { code: 'KEY_UNREADABLE' }

describe('a committee of nodes', { timeout: 120_000 }, () => {
  it('gives its parts to a node that the chain and the settings allow, and notes it', async () => {
    const { release, audited } = committee()
    expect(await release()).toEqual(root)
    // It goes on with two; the third may still be at it.
    expect(audited.length).toBeGreaterThanOrEqual(2)
    expect(new Set(audited.map(({ event }) => event))).toEqual(new Set(['part-given']))
    expect(audited[0]?.facts).toMatchObject({ measurement: quotes.measurement, settings: askerConfig })
  })

  it('opens the root with one member away and, of three, with one that lies', async () => {
    const { release, fetch, peers } = committee()
    const away: typeof fetch = (input, init) =>
      String(input).startsWith(peers[1] ?? '') ? Promise.reject(new TypeError('down')) : fetch(input, init)
    expect(await release({ fetch: away })).toEqual(root)
    const liar = committeeCeremony({ members, threshold: 2, root: platformRandom(32), deployment })
    const lies = servedParts({
      config: {
        ...settings,
        committee: {
          roots: [{ ...settings.committee?.roots[0], committee: liar.file, envelope: liar.envelope }],
          reshares: [],
        },
      } as NodeConfig,
      keys: members[2] ?? openKeyRing(root, askerConfig),
      random: platformRandom,
    })
    const honest = committee()
    const third = committee({
      roots: lies.map((one) => ({ ...one, resource: partResource(decodeBase64Url(envelope)) })),
    })
    const lying: typeof fetch = (input, init) =>
      (String(input).startsWith(peers[2] ?? '') ? third : honest).fetch(input, init)
    expect(await release({ fetch: lying })).toEqual(root)
    const alone: typeof fetch = (input, init) =>
      String(input).startsWith(peers[0] ?? '') ? Promise.reject(new TypeError('down')) : lying(input, init)
    await expect(release({ fetch: alone })).rejects.toMatchObject(unreadable)
  })

  it('opens the root as soon as enough parts are there, though a member never answers', async () => {
    const { release, fetch, peers } = committee()
    const hangs: typeof fetch = (input, init) =>
      String(input).startsWith(peers[0] ?? '') ? new Promise(() => undefined) : fetch(input, init)
    expect(await release({ fetch: hangs })).toEqual(root)
  })

  it('opens nothing when fewer than its threshold give their parts', async () => {
    const { release, peers } = committee()
    await expect(release({ peers: peers.slice(0, 1) })).rejects.toMatchObject(unreadable)
  })
})

describe('a member gives no part', () => {
  const refusals = (audited: readonly AuditFact[]) =>
    new Set(audited.map(({ event, facts }) => `${event} ${facts['reason']}`))

  it('while an incident has stopped its work', async () => {
    const world = committee({ stopped: () => true })
    await expect(world.release()).rejects.toMatchObject(unreadable)
    expect(refusals(world.audited)).toEqual(new Set(['part-refused stopped']))
  })

  it('to code that the chain does not allow, or withdraws between quote and part', async () => {
    const world = committee()
    world.chain.allowed.clear()
    await expect(world.release()).rejects.toMatchObject(unreadable)
    expect(refusals(world.audited)).toEqual(new Set(['part-refused measurement']))
    const mrTd = new Uint8Array(48).fill(7)
    const other = committee()
    await expect(other.release({ quotes: quotesOf(simulator, mrTd) })).rejects.toMatchObject(unreadable)
    expect(refusals(other.audited)).toEqual(new Set(['part-refused measurement']))
  })

  it('to settings that it does not name for this root', async () => {
    const { release, audited } = committee()
    const member = { config: otherConfig, collateral: (quote: Uint8Array) => quotes.collateral(quote) }
    await expect(release({ member })).rejects.toMatchObject(unreadable)
    expect(refusals(audited)).toEqual(new Set(['part-refused settings']))
  })

  it('of another root', async () => {
    const { release, audited } = committee()
    const other = committeeCeremony({ members, threshold: 2, root, deployment })
    await expect(release({ envelope: other.envelope })).rejects.toMatchObject(unreadable)
    expect(refusals(audited)).toEqual(new Set(['part-refused root']))
  })

  it('while the registry does not list it with its present keys', async () => {
    const { release, audited } = committee({ isListed: async () => false })
    await expect(release()).rejects.toMatchObject(unreadable)
    expect(refusals(audited)).toEqual(new Set(['part-refused not-listed']))
  })

  it('to a simulator when it is hardware itself, to a simulator of nobody’s, or over other report data', async () => {
    const hardware = committee({ simulated: false })
    await expect(hardware.release()).rejects.toMatchObject(unreadable)
    expect(refusals(hardware.audited)).toEqual(new Set(['part-refused quote']))
    const stranger = quotesOf(createSimulator({ random: platformRandom, at: new Date() }))
    const world = committee()
    const member = { config: askerConfig, collateral: (quote: Uint8Array) => stranger.collateral(quote) }
    await expect(world.release({ quotes: stranger, member })).rejects.toMatchObject(unreadable)
    const replayed = { quote: () => quotes.quote(new Uint8Array(64).fill(1)) }
    await expect(world.release({ quotes: replayed })).rejects.toMatchObject(unreadable)
    const bare = { config: askerConfig, collateral: async () => ({}) }
    await expect(world.release({ member: bare })).rejects.toMatchObject(unreadable)
    expect(refusals(world.audited)).toEqual(new Set(['part-refused quote']))
    expect(world.errors).toEqual([])
  })

  it('to whoever changes key or settings after the quote was made', async () => {
    const world = committee()
    for (const name of ['config', 'tee-pubkey'] as const) {
      const swapping: typeof fetch = (input, init) => {
        if (!String(input).endsWith('/attest')) return world.fetch(input, init)
        const body = JSON.parse(String(init?.body)) as { 'runtime-data': Record<string, unknown> }
        const other =
          name === 'config'
            ? askerConfig
            : { kty: 'EC', crv: 'P-256', alg: 'ECDH-ES+A256KW', x: 'A'.repeat(43), y: 'A'.repeat(43) }
        body['runtime-data'][name] = other
        return world.fetch(input, { ...init, body: JSON.stringify(body) })
      }
      const member = { config: otherConfig, collateral: (quote: Uint8Array) => quotes.collateral(quote) }
      await expect(world.release({ fetch: swapping, member })).rejects.toMatchObject(unreadable)
    }
    expect(refusals(world.audited)).toEqual(new Set(['part-refused quote']))
  })

  it('for an attestation that was made in another conversation', async () => {
    const world = committee({}, 1)
    let said = ''
    const listening: typeof fetch = (input, init) => {
      if (String(input).endsWith('/attest')) said = String(init?.body)
      return world.fetch(input, init)
    }
    await expect(world.release({ fetch: listening })).rejects.toMatchObject(unreadable)
    expect(world.audited.map(({ event }) => event)).toEqual(['part-given'])
    const post = (path: string, body: string, cookie?: string) =>
      world.fetch(`${world.peers[0]}/kbs/v0/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) },
        body,
      })
    const begun = await post('auth', JSON.stringify({ version: '0.4.0', tee: 'tdx' }))
    const cookie = begun.headers.get('set-cookie')?.split(';')[0]
    expect((await post('attest', said, cookie)).status).toBe(401)
    expect(refusals(world.audited)).toContain('part-refused nonce')
    // Nor does it count twice in its own, when its part was given.
    const { nonce } = (JSON.parse(said) as { 'runtime-data': { nonce: string } })['runtime-data']
    expect((await post('attest', said, `kbs-session-id=${nonce}`)).status).toBe(401)
    const twice = await world.fetch(
      `${world.peers[0]}/kbs/v0/resource/${partResource(decodeBase64Url(envelope))}`,
      {
        headers: { cookie: `kbs-session-id=${nonce}` },
      },
    )
    expect(twice.status).toBe(401)
    expect(refusals(world.audited)).toContain('part-refused conversation')
  })

  it('without a conversation, twice in one, in another’s, or after its time', async () => {
    let time = now()
    const { apps } = committee({ now: () => time }, 1)
    const [app] = apps
    const ask = async (path: string, cookie: string | undefined, body?: object) => {
      const response = await app?.request(`/kbs/v0/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', ...(cookie === undefined ? {} : { cookie }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      if (response === undefined) throw new Error('nobody serves')
      return response
    }
    const resource = `resource/${partResource(decodeBase64Url(envelope))}`
    expect((await ask(resource, undefined)).status).toBe(401)
    expect((await ask(resource, `kbs-session-id=${'0'.repeat(74)}`)).status).toBe(401)
    expect((await ask('auth', undefined, { version: '0.1.0', tee: 'tdx' })).status).toBe(400)
    expect((await ask('attest', undefined, {})).status).toBe(401)
    const begun = await ask('auth', undefined, { version: '0.4.0', tee: 'tdx', 'extra-params': '' })
    const cookie = begun.headers.get('set-cookie')?.split(';')[0]
    // A challenge alone is no attestation.
    expect((await ask(resource, cookie)).status).toBe(401)
    expect((await ask('attest', cookie, { wrong: 1 })).status).toBe(400)
    // Neither its time nor its code can be changed.
    const flipped = (at: number) => {
      const digit = cookie?.at(at) === '0' ? '1' : '0'
      return `${cookie?.slice(0, at)}${digit}${at === -1 ? '' : cookie?.slice(at + 1)}`
    }
    for (const at of [-74, -33, -1]) expect((await ask('attest', flipped(at), {})).status).toBe(401)
    const [stranger] = committee({ now: () => time }, 1).apps
    const foreign = await stranger?.request('/kbs/v0/attest', {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: cookie ?? '' },
      body: '{}',
    })
    expect(foreign?.status).toBe(401)
    const late = await ask('auth', undefined, { version: '0.4.0', tee: 'tdx', 'extra-params': '' })
    time += 61
    expect((await ask('attest', late.headers.get('set-cookie')?.split(';')[0], {})).status).toBe(401)
    expect((await ask('nothing', undefined)).status).toBe(404)
    expect((await ask('auth', undefined, { pad: 'x'.repeat(300_000) })).status).toBe(413)
  })

  it('to nobody else for all the challenges that anybody asks for', async () => {
    const { apps, release } = committee()
    const auth = async () => {
      const body = JSON.stringify({ version: '0.4.0', tee: 'snp' })
      return (await apps[0]?.request('/kbs/v0/auth', { method: 'POST', body }))?.status
    }
    for (let count = 0; count < 1_100; count++) expect(await auth()).toBe(200)
    expect(await release()).toEqual(root)
  })

  it('after its time, though the quote came within it', async () => {
    let time = now()
    const world = committee({ now: () => time }, 1)
    const late: typeof fetch = (input, init) => {
      if (String(input).includes('/resource/')) time += 61
      return world.fetch(input, init)
    }
    await expect(world.release({ fetch: late })).rejects.toMatchObject(unreadable)
    expect(refusals(world.audited)).toEqual(new Set(['part-refused conversation']))
  })

  it('once so many good quotes are remembered, until their time is over', async () => {
    let time = now()
    const { release, audited } = committee({ now: () => time, capacity: 1 })
    expect(await release()).toEqual(root)
    await expect(release()).rejects.toMatchObject({ code: expect.stringMatching(/^KEY_/) })
    expect(audited.map(({ facts }) => facts['reason'])).toContain('busy')
    time += 61
    expect(await release()).toEqual(root)
  })
})

describe('a committee’s file', () => {
  const invalid = { code: 'COMMITTEE_INVALID', place: 'here' }
  it('is judged anew by whoever reads it', () => {
    expect(readCommittee(JSON.parse(JSON.stringify(file)), 'here').key).toEqual(key)
    for (const wrong of [null, {}, { ...file, version: 2 }, { ...file, session: {} }, { ...file, more: 1 }])
      expect(() => readCommittee(wrong, 'here')).toThrow(expect.objectContaining(invalid))
    const few = { ...file, transcript: { ...file.transcript, deals: file.transcript.deals.slice(0, 1) } }
    expect(() => readCommittee(few, 'here')).toThrow(expect.objectContaining(invalid))
  })

  it('is of no use to a node that is no member, nor for a root that is sealed elsewhere', () => {
    const stranger = openKeyRing(new Uint8Array(32).fill(9), digestOfDigit('1'))
    const open = (config: NodeConfig, keys = members[0] ?? stranger) =>
      servedParts({ config, keys, random: platformRandom })
    expect(() => open(settings, stranger)).toThrow(
      expect.objectContaining({ code: 'COMMITTEE_INVALID', place: 'committee.roots.0' }),
    )
    const elsewhere = { ...settings, chain: { deployment: { ...deployment, chainId: 1 } } } as NodeConfig
    expect(() => open(elsewhere)).toThrow(expect.objectContaining({ code: 'COMMITTEE_INVALID' }))
    const other = committeeCeremony({ members, threshold: 2, root, deployment })
    const mixed = {
      ...settings,
      committee: { roots: [{ committee: file, envelope: other.envelope, configs: [askerConfig] }] },
    } as unknown as NodeConfig
    expect(() => open(mixed)).toThrow(
      expect.objectContaining({ code: 'COMMITTEE_INVALID', place: 'committee.roots.0.envelope' }),
    )
  })

  it('holds nothing that opens a part: its bytes have no member’s secret in them', () => {
    const text = Buffer.from(canonicalBytes(file as never)).toString()
    for (const keys of members) {
      expect(text).not.toContain(Buffer.from(keys.statementKey).toString('hex'))
      const { purpose } = file.session as { purpose: `sha256:${string}` }
      expect(text).not.toContain(Buffer.from(keys.committeeSecret(deployment, purpose)).toString('hex'))
    }
  })
})
