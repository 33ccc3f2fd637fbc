import type { JsonObject } from '@sealpool/crypto'
import { type AuthenticityFinding, failed, finding, notChecked, passed } from '../finding.js'

/**
 * Recognises a TLSNotary presentation as tlsn-js writes it (`{ version, data, meta }`) and says what is not verified: all of it that
 * counts. The encoding of `data` changes with every alpha version of TLSNotary and has no specification, so the notary's signature,
 * the server's identity and the transcript commitments are `not-checked`, and a presentation is never authentic here. It is there so
 * that a pool can take presentations as evidence for later without a verdict that promises more.
 *
 * @param options `file`: the parsed presentation
 * @returns a finding that is never authentic: what was recognised, and what was not checked
 */
export function inspectPresentation(options: { readonly file: JsonObject }): AuthenticityFinding {
  const { version, data } = options.file
  const sound =
    typeof version === 'string' &&
    /^\d{1,4}\.\d{1,4}\.\d{1,4}(-[a-z0-9.]{1,30})?$/.test(version) &&
    typeof data === 'string' &&
    data.length > 0 &&
    /^([0-9a-f]{2})*$/i.test(data)
  if (!sound) return finding('tlsnotary', [failed('syntax', 'MALFORMED_PRESENTATION')], null)
  return finding(
    'tlsnotary',
    [
      passed('syntax'),
      notChecked('notary-signature', 'FORMAT_WITHOUT_SPECIFICATION'),
      notChecked('server-identity', 'FORMAT_WITHOUT_SPECIFICATION'),
      notChecked('transcript', 'FORMAT_WITHOUT_SPECIFICATION'),
    ],
    null,
  )
}
