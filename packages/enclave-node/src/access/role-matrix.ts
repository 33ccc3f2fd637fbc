/**
 * Who may call what: every role times every endpoint. An endpoint without a row may be called by nobody.
 * @module
 */
/** Everybody there is for the API. An agent holds a capability token and acts for the wallet that gave it. */
export const apiRoles = ['anonymous', 'contributor', 'consumer', 'operator', 'peer', 'agent'] as const
/** One of {@link apiRoles}. */
export type ApiRole = (typeof apiRoles)[number]

/**
 * What a role may: `yes`; `own`, when the contribution or job is the caller's; `open`, as long as the settings leave the API open
 * (`api.access`); `no`.
 */
export type Permission = 'yes' | 'own' | 'open' | 'no'

/** Which thing a call is about: what `own` and the caveats of tokens are judged by. */
export type Subject = 'nothing' | 'contribution' | 'job' | 'result' | 'pool' | 'manifest'

/** One endpoint. */
export interface AccessRow {
  readonly about: Subject
  /** In the order of {@link apiRoles}. */
  readonly may: Readonly<Record<ApiRole, Permission>>
  /** The call or its answer holds a secret: it is taken from inside a sealed call only. */
  readonly sealed?: true
}

const row = (
  about: Subject,
  may: readonly [Permission, Permission, Permission, Permission, Permission, Permission],
  sealed?: true,
): AccessRow => {
  const [anonymous, contributor, consumer, operator, peer, agent] = may
  return {
    about,
    may: { anonymous, contributor, consumer, operator, peer, agent },
    ...(sealed === undefined ? {} : { sealed }),
  }
}

/** What everybody may: what is public, or what the rest begins with. */
const everybody = ['yes', 'yes', 'yes', 'yes', 'yes', 'yes'] as const

/**
 * The matrix. Operators read figures and the audit log; no row of theirs leads to a contribution, a plan or a result.
 * Columns:                        anonymous, contributor, consumer, operator, peer, agent
 */
export const roleMatrix: Readonly<Record<string, AccessRow>> = {
  'GET /v1/health': row('nothing', everybody),
  'GET /v1/ready': row('nothing', everybody),
  'GET /v1/openapi.json': row('nothing', everybody),
  'GET /v1/evidence': row('nothing', everybody),
  'GET /v1/pools': row('nothing', everybody),
  'GET /v1/catalogue': row('nothing', everybody),
  'GET /v1/catalogue/{pool}/similar': row('nothing', everybody),
  'GET /v1/facts': row('pool', everybody),
  'GET /v1/rescorings': row('pool', everybody),
  'GET /v1/deletions': row('nothing', everybody),
  'GET /v1/metrics': row('nothing', ['open', 'no', 'no', 'yes', 'no', 'no']),
  'POST /v1/sealed': row('nothing', everybody),
  'GET /v1/sign-in': row('nothing', everybody),
  'POST /v1/sign-in': row('nothing', everybody, true),
  'POST /v1/sign-out': row('nothing', ['no', 'yes', 'yes', 'yes', 'yes', 'no'], true),
  'POST /v1/tokens': row('nothing', ['no', 'yes', 'yes', 'no', 'no', 'no'], true),
  'POST /v1/tokens/revoke': row('nothing', ['no', 'yes', 'yes', 'no', 'no', 'no'], true),
  'GET /v1/presentation': row('nothing', ['no', 'no', 'yes', 'no', 'no', 'no'], true),
  // An agent acts for a wallet; what its owner shows of himself he shows himself.
  'POST /v1/presentation': row('nothing', ['no', 'no', 'yes', 'no', 'no', 'no'], true),
  'GET /v1/contributions': row('pool', everybody),
  'GET /v1/contributions/{id}': row('contribution', ['open', 'own', 'no', 'no', 'no', 'own']),
  'GET /v1/contributions/{id}/verdicts': row('contribution', ['open', 'own', 'no', 'no', 'no', 'own']),
  'GET /v1/disputes': row('nothing', everybody),
  'GET /v1/proposals': row('pool', everybody),
  'GET /v1/proposals/{id}': row('job', everybody),
  'POST /v1/plan': row('manifest', ['open', 'no', 'yes', 'no', 'no', 'yes']),
  'POST /v1/price': row('manifest', ['open', 'no', 'yes', 'no', 'no', 'yes']),
  'GET /v1/jobs': row('nothing', everybody),
  'GET /v1/jobs/{id}': row('job', everybody),
  'POST /v1/jobs/{id}/run': row('job', ['open', 'no', 'own', 'no', 'no', 'own']),
  'GET /v1/jobs/{id}/receipt': row('job', everybody),
  // Digests and numbers that stand on the chain, and statements over them.
  'GET /v1/jobs/{id}/lineage': row('job', everybody),
  'GET /v1/jobs/{id}/result': row('result', ['open', 'no', 'own', 'no', 'no', 'own']),
  'GET /v1/jobs/{id}/work': row('job', everybody),
  'GET /v1/jobs/{id}/shares': row('job', everybody),
  'POST /v1/federation/share': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/validation/verdicts': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/hand-off/open': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/hand-off/announce': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/hand-off/chunk': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/hand-off/status': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/hand-off/answer': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  'POST /v1/hand-off/end': row('nothing', ['no', 'no', 'no', 'no', 'yes', 'no'], true),
  // Who is named and has signed is answered, whatever his role: a node asks before it is registered, too.
  'POST /v1/heads/ask': row('nothing', everybody, true),
  'POST /v1/heads/keep': row('nothing', everybody, true),
  'GET /v1/heads/conflicts': row('nothing', everybody),
  'GET /v1/log/key': row('nothing', everybody),
  'GET /v1/log/checkpoint': row('nothing', everybody),
  'GET /v1/log/tile/{level}/{tile}': row('nothing', everybody),
  // Its evidence is what lets a successor in.
  'GET /v1/migration': row('nothing', everybody),
  'POST /v1/migration': row('nothing', everybody, true),
  'GET /v1/audit': row('nothing', ['no', 'yes', 'yes', 'yes', 'yes', 'no'], true),
}
