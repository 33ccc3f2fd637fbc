import * as z from 'zod'
import { signatureAlgorithms } from '../signature/verify-signature.js'
import { pointerPattern } from './oauth/json-pointer.js'
import { readableUrl } from './oauth/oauth-source.js'
import type { AuthenticitySource } from './source.js'

const text = z.string().max(10_000)
const name = z.string().min(1).max(200)

// Made on first use: whoever imports this package for `definePoc` alone does not pull it into a bundle.
function makeSchema() {
  const jwk = z.object({
    kty: text,
    crv: text.optional(),
    x: text.optional(),
    y: text.optional(),
    n: text.optional(),
    e: text.optional(),
  })
  const trusted = {
    name,
    algorithm: z.enum(signatureAlgorithms as [string, ...string[]]),
    jwk,
    keyId: name.optional(),
  }
  const keys = z.array(z.strictObject(trusted)).max(1000)
  const credentialKeys = z
    .array(z.strictObject({ ...trusted, issuer: name, verificationMethod: name.optional() }))
    .max(1000)
  const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/)
  const pointer = z.string().max(500).regex(pointerPattern)
  const equal = z.strictObject({ answer: pointer, export: pointer })
  const seconds = z.int().min(1).max(86_400)
  const sources = z
    .array(
      z.discriminatedUnion('kind', [
        z.strictObject({
          kind: z.literal('dkim'),
          keys: z.array(z.strictObject({ domain: name, selector: name, record: text })).max(1000),
          require: z
            .array(z.string().regex(/^[a-z0-9-]{1,77}$/))
            .max(50)
            .optional(),
        }),
        z.strictObject({
          kind: z.literal('jws'),
          keys,
          expect: z.strictObject({ issuer: name.optional(), audience: name.optional() }).optional(),
        }),
        z.strictObject({ kind: z.literal('vc-jwt'), keys: credentialKeys }),
        z.strictObject({ kind: z.literal('data-integrity'), keys: credentialKeys }),
        z.strictObject({ kind: z.literal('platform-signature'), keys }),
        z.strictObject({
          kind: z.literal('device-record'),
          domain: z.record(z.string(), z.json()),
          types: z.record(name, z.array(z.strictObject({ name, type: name })).max(200)),
          primaryType: name,
          devices: z.array(z.strictObject({ name, address })).max(10_000),
          uniqueBy: name.optional(),
        }),
        z.strictObject({
          kind: z.literal('reclaim'),
          witnesses: z.array(address).max(1000),
          threshold: z.int().min(1).optional(),
          provider: name,
          parameters: z.array(text).max(100),
          maximumAgeSeconds: z.int().min(0).optional(),
        }),
        z.strictObject({ kind: z.literal('tlsnotary') }),
        z.strictObject({ kind: z.literal('c2pa'), roots: z.array(text).max(100) }),
        z.strictObject({
          kind: z.literal('oauth-read-back'),
          provider: name,
          url: z
            .string()
            .max(2_000)
            .refine((url) => readableUrl(url) !== undefined),
          account: equal,
          fields: z.array(equal).min(1).max(100),
          maximumAgeSeconds: seconds,
          maximumTokenSeconds: seconds.optional(),
        }),
      ]),
    )
    .max(20)
  return sources as unknown as z.ZodType<AuthenticitySource[]>
}

let schema: ReturnType<typeof makeSchema> | undefined

/** Schema of the sources that code declares. */
export function authenticitySourcesSchema(): z.ZodType<AuthenticitySource[]> {
  schema ??= makeSchema()
  return schema
}
