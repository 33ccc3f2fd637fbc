/**
 * The API's description for machines (OpenAPI 3.1), made of the schemas that the API itself works with.
 * @module
 */
import type { JsonObject } from '@sealpool/crypto'
import * as z from 'zod'
import { apiRoles, roleMatrix } from '../access/role-matrix.js'
import type { ApiErrorCode } from './api-error.js'
import { apiRoutes, everyRefusal, refusalSchema, refusalStatus } from './api-routes.js'
import type { ApiRoute } from './api-shapes.js'

/** @returns the document, as `GET /v1/openapi.json` gives it */
export function openApiDocument(): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const route of apiRoutes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sealpool node',
      version: '1',
      description:
        'Nothing that this API says is to be believed before its evidence was verified: use @sealpool/client. No call returns data of contributors.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    paths,
  }
}

function operationOf({
  method,
  path,
  summary,
  parameters = {},
  body,
  answers,
  media = {},
  refusals,
}: ApiRoute): JsonObject {
  const row = roleMatrix[`${method.toUpperCase()} ${path}`]
  const responses: Record<string, JsonObject> = {}
  for (const [status, codes] of byStatus([...everyRefusal, ...refusals])) {
    responses[status] = response(codes.join(', '), refusalSchema(codes))
  }
  for (const [status, schema] of Object.entries(answers))
    responses[status] = response(summary, schema, media.answer)
  return {
    operationId: `${method} ${path}`
      .replaceAll(/[^a-z0-9]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
      .replaceAll(/[^A-Za-z0-9]/g, ''),
    summary,
    // Tokens travel inside sealed calls, for which OpenAPI has no scheme: who may call is told besides.
    security: [],
    ...(row === undefined
      ? {}
      : {
          'x-sealpool-access': {
            about: row.about,
            sealedCallsOnly: row.sealed === true,
            ...Object.fromEntries(apiRoles.map((role) => [role, row.may[role]])),
          },
        }),
    parameters: Object.entries(parameters).map(([name, { in: place, schema, required }]) => ({
      name,
      in: place,
      required,
      schema: schemaOf(schema),
    })),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { [media.body ?? 'application/json']: { schema: schemaOf(body) } },
          },
        }),
    responses,
  }
}

function byStatus(codes: readonly ApiErrorCode[]): ReadonlyMap<string, readonly ApiErrorCode[]> {
  const all = new Map<string, ApiErrorCode[]>()
  for (const code of codes) {
    const status = String(refusalStatus[code])
    all.set(status, [...(all.get(status) ?? []), code])
  }
  return all
}

function response(description: string, schema: z.ZodType | null, type = 'text/plain'): JsonObject {
  return {
    description,
    content:
      schema === null
        ? { [type]: { schema: { type: 'string' } } }
        : { 'application/json': { schema: schemaOf(schema) } },
  }
}

function schemaOf(schema: z.ZodType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io: 'input' })
  return rest as unknown as JsonObject
}
