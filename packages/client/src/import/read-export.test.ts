import type { RequestListener } from 'node:http'
import { canonicalBytes } from '@sealpool/crypto'
import { privateKeyToAccount } from 'viem/accounts'
import { afterAll, describe, expect, test } from 'vitest'
import type { ClientError } from '../errors.js'
import { localServers } from '../store/testing/local-server.js'
import {
  granteeId,
  payslip,
  personalServer,
  reader,
  registry,
  scope,
  secretWage,
  signedGrant,
  wireGrant,
} from '../testing/personal-server.js'
import { at, repeatable } from '../testing/simulated-pool.js'
import { gatewayGrantStatus, importContribution, type ReadExportOptions, readExport } from './index.js'

const servers = localServers()
afterAll(() => servers.close())
const grantor = privateKeyToAccount(`0x${'42'.repeat(32)}`)
const grant = await signedGrant(grantor)

async function world() {
  const server = personalServer(grant, () => at)
  server.state.url = await servers.serve(server.listener)
  const random = repeatable(`import ${server.state.url}`)
  const read = (change: Partial<ReadExportOptions> = {}) =>
    readExport({
      grant,
      registry,
      grantor: grantor.address,
      granteeId,
      scope,
      reader,
      serverUrl: server.state.url,
      status: gatewayGrantStatus({ url: server.state.url }),
      now: () => at,
      random,
      ...change,
    })
  return { ...server, read }
}

/** The error of a read, which shows neither data nor grant. */
async function refusal(work: Promise<unknown>): Promise<ClientError> {
  const error = await work.then(
    () => undefined,
    (thrown: ClientError) => thrown,
  )
  if (error === undefined) throw new Error('it was not refused')
  expect(error.name).toBe('ClientError')
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    expect(one.message).not.toContain(secretWage)
    expect(one.message).not.toContain(grant.signature)
  }
  return error
}

/** A server that answers the read with anything, behind a grant that nobody is asked about. */
async function answering(listener: RequestListener, change: Partial<ReadExportOptions> = {}) {
  const { read } = await world()
  return refusal(read({ serverUrl: await servers.serve(listener), status: 'server', ...change }))
}
const json =
  (body: unknown, code = 200): RequestListener =>
  (_, response) =>
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))

describe('an export', () => {
  test('is read under a grant that counts', async () => {
    const { read, state } = await world()
    const { bytes, mediaType, provenance } = await read()
    expect(bytes).toEqual(canonicalBytes(payslip))
    expect(mediaType).toBe('application/json')
    expect(provenance).toEqual({
      format: 'sealpool/import',
      version: 1,
      server: state.url,
      scope,
      collectedAt: '2026-11-19T08:00:00.000Z',
      schema: null,
      readAt: at.toISOString(),
      take: 'data',
      grant: {
        ...{ chainId: 1480, permissions: registry.permissions, grantId: grant.grantId, granteeId },
        ...{ grantor: grantor.address, version: '3', expiresAt: '0', status: 'active' },
      },
    })
    expect(JSON.stringify(provenance)).not.toContain(secretWage)
    expect(state.asked).toEqual([`/v1/grants/${grant.grantId}`, `/v1/data/${scope}`])
  })

  test('is taken as it came when the envelope is wanted', async () => {
    const { read, state } = await world()
    const { bytes } = await read({ take: 'envelope' })
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(state.envelope)
  })

  test('is read twice in one second', async () => {
    const { read, state } = await world()
    await read()
    await read()
    expect(state.reads).toBe(2)
  })

  test('is not asked for under a grant that was taken back', async () => {
    const { read, state } = await world()
    state.revoked = true
    expect(await refusal(read())).toMatchObject({ code: 'GRANT_REVOKED', place: 'grant.status' })
    expect(state.asked).toEqual([`/v1/grants/${grant.grantId}`])
  })

  test('is refused by the server itself where nobody else is asked, and says so where it is not', async () => {
    const { read, state } = await world()
    expect((await read({ status: 'server' })).provenance.grant.status).toBe('server')
    state.revoked = true
    expect(await refusal(read({ status: 'server' }))).toMatchObject({
      code: 'GRANT_REVOKED',
      place: 'GET /v1/data',
    })
    expect(state.reads).toBe(1)
  })

  test.each<[string, Partial<ReadExportOptions>, string]>([
    ['of another wallet', { grantor: reader.address }, 'GRANT_OF_ANOTHER'],
    ['for another reader', { granteeId: grant.grantId }, 'GRANT_OF_ANOTHER'],
    ['for other scopes', { scope: 'mail.letters' }, 'GRANT_SCOPE'],
    ['for another contract', { registry: { ...registry, chainId: 1 } }, 'GRANT_NOT_SIGNED'],
    ['that no registry knows', { status: async () => undefined }, 'GRANT_STATUS_UNKNOWN'],
    ['that is wanted from a server without protection', { serverUrl: 'http://ps.example' }, 'OPTION_INVALID'],
    ['that is wanted from an address with a query', { serverUrl: 'https://ps.example/?a' }, 'OPTION_INVALID'],
    ['that is wanted from an address with a user', { serverUrl: 'https://a@ps.example' }, 'OPTION_INVALID'],
    ['that is wanted from one with a password', { serverUrl: 'https://:b@ps.example' }, 'OPTION_INVALID'],
    ['that is wanted from one with a fragment', { serverUrl: 'https://ps.example/#a' }, 'OPTION_INVALID'],
    ['that is wanted from what is no address', { serverUrl: 'ps.example' }, 'OPTION_INVALID'],
    ['without a scope', { scope: 'bank' }, 'OPTION_INVALID'],
  ])('%s asks the server nothing', async (_, change, code) => {
    const { read, state } = await world()
    expect(await refusal(read(change))).toMatchObject({ code })
    expect(state.asked.filter((path) => path.startsWith('/v1/data'))).toEqual([])
  })

  test('needs the reader’s own key, and one that signs', async () => {
    const { read } = await world()
    expect(await refusal(read({ reader: grantor }))).toMatchObject({ code: 'IMPORT_REFUSED' })
    const silent = { ...reader, signMessage: undefined } as unknown as typeof reader
    expect(await refusal(read({ reader: silent }))).toMatchObject({ code: 'ACCOUNT_REQUIRED' })
  })
})

describe('a personal server that', () => {
  const good = { version: '1.0', scope, collectedAt: '2026-11-19T08:00:00.000Z', data: payslip }

  test.each<[string, unknown]>([
    ['is about another scope', { ...good, scope: 'bank.loans' }],
    ['has another version', { ...good, version: '2.0' }],
    ['has no data', { ...good, data: undefined }],
    ['has a list for data', { ...good, data: [payslip] }],
    ['has no moment', { ...good, collectedAt: 'yesterday' }],
    ['has a day for a moment', { ...good, collectedAt: '2026-11-19' }],
    ['has a moment that is none', { ...good, collectedAt: '2026-13-45T08:00:00Z' }],
    ['names its schema at length', { ...good, schemaId: 'x'.repeat(257) }],
    ['is a list', [good]],
    ['is nested too deeply', { ...good, data: { a: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`) } }],
    ['has a number that would be rounded', { ...good, data: { id: 2 ** 60 } }],
    ['has one further in', { ...good, data: { list: [{ id: -(2 ** 60) }] } }],
    ['has half a letter', { ...good, data: { note: '\ud800' } }],
    ['has a name of a schema in two words', { ...good, schemaId: 'a b' }],
  ])('gives an answer that %s is told so', async (_, body) => {
    expect(await answering(json(body))).toMatchObject({ code: 'IMPORT_INVALID', place: 'GET /v1/data' })
  })

  test('says no more than the protocol asks for is read: a schema, and that nothing was deleted', async () => {
    const { read } = await world()
    const body = { ...good, schemaId: 'payslip-1', deletedAt: null }
    for (const type of ['application/json; charset="UTF-8"', 'application/vnd.ps+json']) {
      const serverUrl = await servers.serve((_, response) =>
        response.writeHead(200, { 'content-type': type }).end(JSON.stringify(body)),
      )
      expect((await read({ serverUrl, status: 'server' })).provenance.schema).toBe('payslip-1')
    }
  })

  test('gives numbers that would be rounded is taken by its bytes', async () => {
    const { read } = await world()
    const serverUrl = await servers.serve(json({ ...good, data: { id: 2 ** 60 } }))
    const { bytes } = await read({ serverUrl, status: 'server', take: 'envelope' })
    expect(new TextDecoder().decode(bytes)).toContain('1152921504606847000')
  })

  test.each<[string, string, string | Uint8Array]>([
    ['no JSON', 'application/json', `{"wage": ${secretWage}`],
    ['a page', 'text/html', JSON.stringify(good)],
    ['no media type', '', JSON.stringify(good)],
    ['another charset', 'application/json; charset=utf-16', JSON.stringify(good)],
    [
      'no UTF-8',
      'application/json',
      Buffer.from(JSON.stringify({ ...good, data: { note: '\xff' } }), 'latin1'),
    ],
  ])('gives %s is told so', async (_, type, body) => {
    const found = await answering((__, response) => {
      if (type !== '') response.setHeader('content-type', type)
      response.end(body)
    })
    expect(found).toMatchObject({ code: 'IMPORT_INVALID' })
  })

  test('sends too much is not read to the end', async () => {
    const endless: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    }
    expect(await answering(endless, { maximumBytes: 100_000 })).toMatchObject({ code: 'IMPORT_INVALID' })
    expect(await answering(endless, { maximumBytes: 0 })).toMatchObject({ code: 'OPTION_INVALID' })
  })

  test('sends elsewhere is not followed', async () => {
    const other = await world()
    const away: RequestListener = (request, response) =>
      response.writeHead(307, { location: `${other.state.url}${request.url}` }).end()
    const sent = { code: 'IMPORT_REFUSED', message: expect.stringContaining('sends elsewhere') }
    expect(await answering(away)).toMatchObject(sent)
    expect(other.state.asked).toEqual([])
  })

  test('does not answer is given up, at the time or at the signal', async () => {
    expect(await answering(() => undefined, { timeoutMs: 50 })).toMatchObject({ code: 'IMPORT_UNREACHABLE' })
    const { read } = await world()
    const deaf = () => new Promise<never>(() => undefined)
    expect(await refusal(read({ status: 'server', fetch: deaf, timeoutMs: 50 }))).toMatchObject({
      code: 'IMPORT_UNREACHABLE',
    })
    const stop = new AbortController()
    const hang: RequestListener = () => stop.abort()
    const waiting = read({ serverUrl: await servers.serve(hang), status: 'server', signal: stop.signal })
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  })

  test.each<[string, number, unknown, string]>([
    ['says that the grant is over', 403, { error: { errorCode: 'GRANT_EXPIRED' } }, 'GRANT_EXPIRED'],
    ['says that the scope is none of it', 403, { error: { errorCode: 'SCOPE_MISMATCH' } }, 'GRANT_SCOPE'],
    ['is another’s', 403, { error: { errorCode: 'GRANT_OWNER_MISMATCH' } }, 'GRANT_OF_ANOTHER'],
    ['wants a fee', 403, { error: { errorCode: 'FEE_REQUIRED' } }, 'IMPORT_REFUSED'],
    ['wants to be paid', 402, {}, 'IMPORT_REFUSED'],
    ['has deleted it', 410, {}, 'IMPORT_REFUSED'],
    [
      'gives the row of what it deleted',
      200,
      { ...good, deletedAt: '2026-11-19T08:00:00Z' },
      'IMPORT_REFUSED',
    ],
    ['says no in words of its own', 403, { error: { errorCode: 'constructor' } }, 'IMPORT_REFUSED'],
    ['is busy', 503, {}, 'IMPORT_UNREACHABLE'],
    ['gave up waiting', 408, {}, 'IMPORT_UNREACHABLE'],
    ['finds it too early', 425, {}, 'IMPORT_UNREACHABLE'],
    ['was asked too often', 429, {}, 'IMPORT_UNREACHABLE'],
    ['says that the grant was taken back', 403, { error: { errorCode: 'GRANT_REVOKED' } }, 'GRANT_REVOKED'],
    ['answers with something else', 204, null, 'IMPORT_REFUSED'],
  ])('%s is told so', async (_, code, body, expected) => {
    expect(await answering(json(body, code))).toMatchObject({ code: expected })
  })
})

describe('a gateway that', () => {
  const status = async (listener: RequestListener) => {
    const { read } = await world()
    return refusal(read({ status: gatewayGrantStatus({ url: await servers.serve(listener) }) }))
  }
  test.each<[string, RequestListener]>([
    ['does not know the grant', json({}, 404)],
    ['refuses', json({}, 403)],
    ['answers with another shape', json({ data: { revokedAt: null } })],
    ['leaves out whether it was taken back', json({ data: { ...grant, grantVersion: '3', expiresAt: '0' } })],
    ['is no gateway', (_, response) => response.end('<html>')],
  ])('%s leaves the grant unknown', async (_, listener) => {
    expect(await status(listener)).toMatchObject({ code: 'GRANT_STATUS_UNKNOWN' })
  })

  test('says why: it does not know, it refuses, it answers with another shape or too much', async () => {
    const asked = async (listener: RequestListener) =>
      gatewayGrantStatus({ url: await servers.serve(listener) })(grant, {})
    expect(await asked(json({}, 404))).toBeUndefined()
    const known = { data: { ...wireGrant(grant), revokedAt: null } }
    expect(await asked(json(known))).toMatchObject({ revoked: false, grantVersion: 3n })
    await expect(asked(json(known, 403))).rejects.toMatchObject({ code: 'IMPORT_REFUSED' })
    await expect(asked(json({ data: {} }))).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
    const much = json({ ...known, pad: 'x'.repeat(2 ** 20) })
    await expect(asked(much)).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
  })

  test('has no protection is refused', () => {
    expect(() => gatewayGrantStatus({ url: 'http://gateway.example' })).toThrow(/OPTION_INVALID/)
  })
})

describe('a contribution', () => {
  test('of an export under another wallet’s grant is made only where the caller names that wallet', async () => {
    const { state } = await world()
    const contributed: Uint8Array[] = []
    const stop = new Error('as far as this test goes')
    const options = {
      ...{ grant, registry, granteeId, scope, reader, serverUrl: state.url, now: () => at },
      status: 'server',
      account: reader,
      client: {
        contribute: async (_: unknown, { bytes }: { bytes: Uint8Array }) => {
          contributed.push(bytes)
          throw stop
        },
      },
      input: {
        schemaId: `sha256:${'0'.repeat(64)}`,
        consentDigest: `sha256:${'0'.repeat(64)}`,
        walletPublicKey: new Uint8Array(32),
      },
    } as const
    expect(await refusal(importContribution(options))).toMatchObject({ code: 'GRANT_OF_ANOTHER' })
    expect(state.asked).toEqual([])
    await expect(importContribution({ ...options, grantor: grantor.address })).rejects.toBe(stop)
    expect(contributed).toEqual([canonicalBytes(payslip)])
  })
})
