import { describe, expect, it } from 'vitest'
import { type ApiErrorCode, apiErrorTexts } from './api-error.js'
import { apiRoutes, everyRefusal, refusalSchema, refusalStatus } from './api-routes.js'
import { nodeApi } from './node-api.js'
import type { NodeService } from './node-service.js'
import { openApiDocument } from './openapi.js'

const app = nodeApi({ simulated: true } as NodeService, () => undefined)
const document = openApiDocument() as {
  openapi: string
  paths: Record<
    string,
    Record<string, { operationId: string; responses: object; parameters: { name: string; in: string }[] }>
  >
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
)

describe('the OpenAPI document', () => {
  it('lists every call that the API answers, and no other', () => {
    const served = app.routes
      .filter(({ method }) => method !== 'ALL')
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`)
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(served.sort())
    expect(new Set(served).size).toBe(apiRoutes.length)
  })

  it('names every operation once, and every parameter of a path', () => {
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    for (const { path, operationId, parameters } of operations) {
      expect(operationId).toMatch(/^(get|post)V1[A-Za-z0-9]+$/)
      const named = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(named)
    }
  })

  it('is JSON without references to anything outside, of the version that it says', async () => {
    const answer = await app.request('/v1/openapi.json')
    expect(await answer.json()).toEqual(document)
    expect(document.openapi).toBe('3.1.0')
    expect(JSON.stringify(document)).not.toContain('$ref')
    for (const { responses } of operations) {
      expect(Object.keys(responses)).toEqual(
        expect.arrayContaining(['200', '404', '413', '415', '429', '500']),
      )
    }
  })

  it('has a status and a call for each refusal that there is', () => {
    const listed = new Set<ApiErrorCode>([...everyRefusal, ...apiRoutes.flatMap(({ refusals }) => refusals)])
    expect([...listed].sort()).toEqual(Object.keys(apiErrorTexts).sort())
    for (const code of listed) {
      expect(refusalStatus[code]).toBeGreaterThanOrEqual(400)
      const message = apiErrorTexts[code]
      const one = refusalSchema([code])
      expect(one.safeParse({ simulated: true, error: { code, message } }).success).toBe(true)
      expect(
        one.safeParse({ simulated: true, error: { code, message: 'more than it should say' } }).success,
      ).toBe(false)
    }
  })
})
