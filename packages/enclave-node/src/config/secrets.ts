import type { S3Credentials } from '@sealpool/client/s3-store'
import type { Hex } from '@sealpool/crypto'
import * as z from 'zod'
import { NodeError } from '../errors.js'

/**
 * What the node must not tell: kept apart from the settings so that no status page, digest or log can pick it up.
 */
export interface NodeSecrets {
  /** Private key of the account that pays for the node's transactions. It signs no statement and opens no data. */
  readonly transactionKey: Hex
  /** Address of a node group's PostgreSQL server, with user and password; null when there is none. */
  readonly databaseUrl: string | null
  /** Keys of an S3 store; null when there is none. */
  readonly s3: S3Credentials | null
}

const secretsSchema = z.object({
  transactionKey: z.string().regex(/^0x[0-9a-fA-F]{64}$/),
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .optional(),
  s3: z
    .strictObject({
      accessKeyId: z.string().min(1),
      secretAccessKey: z.string().min(1),
      sessionToken: z.string().min(1).optional(),
    })
    .optional(),
})

/**
 * Checks the secrets.
 * @param input values from the environment or a secrets file
 * @returns the secrets as they were given; `databaseUrl` is null when there was none
 * @throws NodeError `SECRET_MISSING`, which never repeats what it was given
 */
export function parseSecrets(input: {
  readonly transactionKey: unknown
  readonly databaseUrl?: unknown
  readonly s3?: unknown
}): NodeSecrets {
  const parsed = secretsSchema.safeParse(input)
  if (parsed.success) {
    const { transactionKey, databaseUrl = null, s3 } = parsed.data
    return {
      transactionKey: transactionKey as Hex,
      databaseUrl,
      s3: s3 === undefined ? null : credentialsOf(s3),
    }
  }
  const only = (name: string) => parsed.error.issues.every(({ path }) => path[0] === name)
  if (only('s3')) {
    throw new NodeError(
      'SECRET_MISSING',
      'AWS_ACCESS_KEY_ID',
      'the keys of an S3 store are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; set both',
    )
  }
  const database = only('databaseUrl')
  throw new NodeError(
    'SECRET_MISSING',
    database ? 'SEALPOOL_DATABASE_URL' : 'SEALPOOL_TRANSACTION_KEY',
    database
      ? 'the address of the database must begin with postgres://'
      : 'the private key that pays for transactions must be 0x and 64 hex digits; set it in the environment or in the secrets file',
  )
}

function credentialsOf({
  sessionToken,
  ...keys
}: NonNullable<z.output<typeof secretsSchema>['s3']>): S3Credentials {
  return sessionToken === undefined ? keys : { ...keys, sessionToken }
}
