import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { BlockList, isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { egressOf } from '../config/egress.js'
import { parseNodeConfig } from '../config/node-config.js'
import { egressText, type ResolvedDestination, resolveDestinations } from './egress.js'

const address = `0x${'ab'.repeat(20)}`
const contracts = [
  'protocolToken',
  'nodeRegistry',
  'dataRegistry',
  'contributionBatches',
  'jobBoard',
  'permissions',
  'approvals',
  'poolFactory',
]
const settings = {
  format: 'sealpool/node-config',
  version: 1,
  dataDirectory: '/var/lib/sealpool',
  blobStore: { kind: 'files', directory: '/blobs' } as object,
  chain: {
    rpcUrl: 'https://rpc.example/key',
    crossCheckRpcUrl: 'wss://other.example:8546' as string | null,
    deployment: {
      chainId: 31_337,
      blockNumber: 0,
      ...Object.fromEntries(contracts.map((name) => [name, address])),
    },
  },
  evidence: { provider: 'simulator' },
  keyRelease: { adapter: 'development' } as object,
  pools: [] as readonly object[],
  serveHandOff: {},
}
const hosts = (change: object = {}, database?: string) =>
  egressOf(parseNodeConfig({ ...settings, ...change }), database).map(({ host, port }) => `${host}:${port}`)
const chainHosts = ['rpc.example:443', 'other.example:8546']

describe('where a node that runs jobs for others calls', () => {
  it('is the chain’s endpoints, and whatever else its settings name', () => {
    expect(hosts()).toEqual(chainHosts)
    const s3 = { kind: 's3', endpoint: 'https://s3.example:9000', bucket: 'b', region: 'r' }
    expect(hosts({ blobStore: s3 })).toEqual([...chainHosts, 's3.example:9000'])
    expect(hosts({ blobStore: { ...s3, virtualHost: true } })).toEqual([...chainHosts, 'b.s3.example:9000'])
    const stores = [
      s3,
      { kind: 'http', url: 'http://[2001:db8::1]/x' },
      { kind: 'ipfs', url: 'http://10.0.0.7:5001' },
    ]
    expect(hosts({ blobStore: { kind: 'replicated', stores } })).toEqual([
      ...chainHosts,
      's3.example:9000',
      '2001:db8::1:80',
      '10.0.0.7:5001',
    ])
    expect(hosts({ trace: { url: 'https://rpc.example/v1/traces' } })).toEqual(chainHosts)
    expect(hosts({ trace: { url: 'http://collector.example:4318/v1/traces' } })).toEqual([
      ...chainHosts,
      'collector.example:4318',
    ])
    expect(hosts({ handOff: { nodes: ['https://next.example/'] } })).toEqual([
      ...chainHosts,
      'next.example:443',
    ])
    const broker = {
      adapter: 'key-broker',
      url: 'http://broker.example',
      resource: 'a/b/c',
      root: `sha256:${'0'.repeat(64)}`,
    }
    expect(hosts({ keyRelease: broker })).toEqual([...chainHosts, 'broker.example:80'])
  })

  it('is the vendors’ services, or their mirror, on hardware', () => {
    const intel = ['api.trustedservices.intel.com:443', 'certificates.trustedservices.intel.com:443']
    const amd = 'kdsintf.amd.com:443'
    expect(hosts({ evidence: { provider: 'configfs-tsm' } })).toEqual([...chainHosts, ...intel, amd])
    const machine = { collateralUrl: 'https://pccs.example:8081' }
    expect(hosts({ evidence: { provider: 'dstack' }, machine })).toEqual([
      ...chainHosts,
      'pccs.example:8081',
      amd,
    ])
  })

  it('is a group’s database, of which nothing else is told', () => {
    const state = { kind: 'postgresql', group: 'g', tablesDirectory: '/t' }
    const url = 'postgres://user:a-secret@db.example/sealpool'
    expect(hosts({ state }, url)).toEqual([...chainHosts, 'db.example:5432'])
    expect(JSON.stringify(egressOf(parseNodeConfig({ ...settings, state }), url))).not.toContain('secret')
  })

  it('cannot be closed for a node that fetches what contributors name', () => {
    const pools = [{ address, policy: {} }]
    const config = { ...parseNodeConfig(settings), pools } as unknown as Parameters<typeof egressOf>[0]
    expect(() => egressOf(config)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', place: 'pools' }),
    )
    const validating = { ...parseNodeConfig(settings), validates: {} } as unknown as Parameters<
      typeof egressOf
    >[0]
    expect(() => egressOf(validating)).toThrow(expect.objectContaining({ place: 'validates' }))
  })

  it('is refused where it would break a rule', () => {
    for (const rpcUrl of ['foo://a"b', 'foo:bar', 'unix:/x']) {
      const chain = { ...settings.chain, rpcUrl }
      const config = { ...parseNodeConfig(settings), chain } as unknown as Parameters<typeof egressOf>[0]
      expect(() => egressOf(config), rpcUrl).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    }
  })

  it('has addresses, or is refused', async () => {
    const known: Record<string, string[]> = { 'rpc.example': ['192.0.2.2', '192.0.2.1', '192.0.2.2'] }
    const destination = (host: string) => ({ host, port: 443, why: 'chain.rpcUrl' })
    const found = await resolveDestinations(
      [destination('rpc.example'), destination('2001:db8::1')],
      async (host) => known[host] ?? [],
    )
    expect(found.map(({ addresses }) => addresses)).toEqual([['192.0.2.1', '192.0.2.2'], ['2001:db8::1']])
    for (const addressesOf of [
      async () => [],
      async () => ['no address'],
      async () => Promise.reject(new Error('away')),
    ])
      await expect(resolveDestinations([destination('x.example')], addressesOf)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        place: 'chain.rpcUrl',
      })
  })
})

/** What a packet of the machine is asked by the rules. */
interface Packet {
  readonly to: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  readonly established: boolean
  readonly loopback: boolean
}

/** Reads the few rules of nftables that are written, as their manual says they go: top down, the first that decides; a line that it does not know is an error. */
function judged(rules: string, packet: Packet): boolean {
  const lines = rules.split('\n').map((line) => line.replace(/\s*#.*$/, '').trim())
  const from = lines.indexOf('chain output {')
  const chain = lines.slice(from + 1, lines.indexOf('}', from))
  expect(chain.shift()).toBe('type filter hook output priority filter; policy drop;')
  const family = isIP(packet.to) === 6 ? 'ip6' : 'ip'
  for (const line of chain) {
    const to = /^(ip6?) daddr (\S+) tcp dport (\d+) accept$/.exec(line)
    if (to !== null) {
      const [, of, daddr = '', dport] = to
      const list = new BlockList()
      list.addAddress(daddr, of === 'ip6' ? 'ipv6' : 'ipv4')
      const same = of === family && list.check(packet.to, of === 'ip6' ? 'ipv6' : 'ipv4')
      if (same && packet.protocol === 'tcp' && packet.port === Number(dport)) return true
    } else if (line === 'oifname "lo" accept') {
      if (packet.loopback) return true
    } else if (line === 'ct state established,related accept') {
      if (packet.established) return true
    } else if (line === 'counter reject with icmpx type admin-prohibited') return false
    else expect(line).toMatch(/^icmpv6 type \{ nd-[a-z-]+(, nd-[a-z-]+)* \} accept$/)
  }
  return false
}

describe('the rules', () => {
  const address4 = fc.ipV4()
  const address6 = fc.ipV6().map((text) => new URL(`http://[${text}]`).hostname.slice(1, -1))
  const destination = fc.record({
    host: fc.constant('some.example'),
    why: fc.constant('blobStore'),
    port: fc.integer({ min: 1, max: 65_535 }),
    addresses: fc.array(fc.oneof(address4, address6), { minLength: 1, maxLength: 3 }),
  })

  it('let a call through to what is named, on its port, and no other; and answers', () => {
    fc.assert(
      fc.property(
        fc.array(destination, { minLength: 1, maxLength: 4 }),
        fc.oneof(address4, address6),
        fc.integer({ min: 1, max: 65_535 }),
        (destinations: ResolvedDestination[], other, otherPort) => {
          const rules = egressText('nft', destinations)
          const packet = { protocol: 'tcp', established: false, loopback: false } as const
          const isNamed = (to: string, port: number) =>
            destinations.some((one) => one.port === port && one.addresses.includes(to))
          for (const { addresses, port } of destinations) {
            for (const to of addresses) {
              expect(judged(rules, { ...packet, to, port })).toBe(true)
              expect(judged(rules, { ...packet, to, port, protocol: 'udp' })).toBe(false)
              expect(judged(rules, { ...packet, to, port: otherPort })).toBe(isNamed(to, otherPort))
            }
          }
          expect(judged(rules, { ...packet, to: other, port: otherPort })).toBe(isNamed(other, otherPort))
          expect(judged(rules, { ...packet, to: other, port: 53, protocol: 'udp' })).toBe(false)
          expect(judged(rules, { ...packet, to: other, port: otherPort, established: true })).toBe(true)
        },
      ),
    )
  })

  it('forward nothing, and replace what was there of them', () => {
    const rules = egressText('nft', [])
    expect(rules).toMatch(
      /chain forward \{\n {4}type filter hook forward priority filter; policy drop;\n {2}\}/,
    )
    expect(rules.indexOf('add table')).toBeLessThan(rules.indexOf('delete table'))
    expect(rules.indexOf('delete table')).toBeLessThan(rules.indexOf('table inet sealpool_egress {'))
  })

  const named: ResolvedDestination[] = [
    { host: 'rpc.example', port: 443, why: 'chain.rpcUrl', addresses: ['192.0.2.1', '2001:db8::1'] },
    { host: '192.0.2.9', port: 8545, why: 'blobStore', addresses: ['192.0.2.9'] },
  ]

  it('give names their addresses, so that none is looked up', () => {
    expect(egressText('hosts', named)).toBe('192.0.2.1 rpc.example\n2001:db8::1 rpc.example\n')
  })

  it('close the unit but for the same addresses and this machine', () => {
    const lines = egressText('systemd', named).split('\n')
    expect(lines).toContain('IPAddressDeny=any')
    expect(lines).toContain('IPAddressAllow=localhost 192.0.2.1 2001:db8::1 192.0.2.9')
  })

  const verifier = (() => {
    try {
      return execFileSync('systemd-analyze', ['--version'], { encoding: 'utf8' })
    } catch {
      return undefined
    }
  })()
  it.skipIf(verifier === undefined)('are read by systemd as they are meant', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sealpool-egress-'))
    try {
      const unit = join(folder, 'node.service')
      const verify = (drop: string) => {
        writeFileSync(unit, `[Service]\nType=exec\nExecStart=/bin/true\n${drop}`)
        const asked = ['security', '--offline=true', '--no-pager', '--json=short', unit]
        const read = JSON.parse(execFileSync('systemd-analyze', asked, { encoding: 'utf8' })) as {
          json_field: string
          set: boolean | null
          description: string
        }[]
        return read.find(({ json_field: field }) => field === 'IPAddressDeny')?.description
      }
      expect(verify('')).toMatch(/does not define an IP address allow list/)
      expect(verify(egressText('systemd', named).replace('[Service]\n', ''))).toMatch(
        /allow list with non-localhost/,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
