import type { CredentialKey } from './credential/verify-credential.js'
import type { DeviceSource } from './device/verify-device-records.js'
import type { DkimKey } from './dkim/verify-dkim.js'
import type { JwsExpectation, TrustedKey } from './jose/verify-jws.js'
import type { OAuthSource } from './oauth/oauth-source.js'
import type { ReclaimSource } from './reclaim/verify-reclaim.js'

/** Where the authenticity of an export comes from, and whose word counts. Plain data: it stands in the approved code. */
export type AuthenticitySource =
  /**
   * Mail, one message or a mailbox, with the senders' keys. `require`: header fields that the signature must cover beside `From`, every
   * one that the proof reads: whoever contributes can put any other in front of the message.
   */
  | { readonly kind: 'dkim'; readonly keys: readonly DkimKey[]; readonly require?: readonly string[] }
  /** The file is a compact JWS or JWT. */
  | { readonly kind: 'jws'; readonly keys: readonly TrustedKey[]; readonly expect?: JwsExpectation }
  /** The file is a verifiable credential as a JWT. */
  | { readonly kind: 'vc-jwt'; readonly keys: readonly CredentialKey[] }
  /** The file is a verifiable credential with a Data Integrity proof (eddsa-jcs-2022). */
  | { readonly kind: 'data-integrity'; readonly keys: readonly CredentialKey[] }
  /** The file is `{ payload, issuer, signature }`. */
  | { readonly kind: 'platform-signature'; readonly keys: readonly TrustedKey[] }
  /** The file is `{ records: [{ message, signature }] }` of one device. */
  | ({ readonly kind: 'device-record' } & DeviceSource)
  /** The file is a Reclaim proof. */
  | ({ readonly kind: 'reclaim' } & ReclaimSource)
  /** The file is a TLSNotary presentation; recognised, never authentic. */
  | { readonly kind: 'tlsnotary' }
  /** The file is an image or a manifest store with C2PA; root certificates in base64 of DER. */
  | { readonly kind: 'c2pa'; readonly roots: readonly string[] }
  /**
   * The contributor seals a token beside the export, and the host asks the provider (`oauthReadBack`). Where nobody asks, as in
   * today's nodes, nothing is authentic by it.
   */
  | ({ readonly kind: 'oauth-read-back' } & OAuthSource)
