/** The only error texts that leave the API: none is made from what happened inside. */
export const apiErrorTexts = {
  NOT_FOUND: 'there is nothing under this address',
  NONCE_INVALID: 'nonce must be 0x and 64 lower-case hex digits',
  GPUS_INVALID: 'gpus must be true or left out, and is asked for together with a nonce',
  ADDRESS_INVALID: 'a pool or recipient must be 0x and 40 hex digits',
  ID_INVALID: 'the id must be a decimal number',
  BODY_INVALID: 'the body must be JSON: { "manifest": <job manifest> }',
  BODY_TOO_LARGE: 'the body is larger than 256 KiB',
  ENCODING_UNSUPPORTED: 'bodies are taken as they are; send it without content-encoding',
  ADDRESS_TOO_LONG: 'the address is longer than 2 kB',
  RATE_LIMITED: 'too many calls from this address; come again after the seconds in retry-after',
  PLANS_WAIT:
    'as many plans and prices as can wait are asked for already; come again after the seconds in retry-after',
  CONTRIBUTION_UNKNOWN: 'the node has seen no such contribution; it follows the chain with a delay',
  JOB_UNKNOWN: 'the node has seen no such job over pools that it serves; it follows the chain with a delay',
  RECEIPT_NOT_READY: 'there is no receipt yet; ask for the state of the job',
  RESULT_NOT_READY: 'there is no result, or it is not released yet; ask for the state of the job',
  RECIPIENT_UNKNOWN:
    'nothing of the result is sealed to this address; ask for one to whom the job’s manifest gives more than the receipt',
  RESULT_DELETED:
    'the time for which answers are kept is over; the receipt stays, the deletion stands in a signed list',
  CATALOGUE_QUERY_INVALID:
    'give text of at most 200 letters, schema as sha256:<hex>, after as it stood in next, own as true or false',
  POOL_NOT_LISTED: 'the catalogue lists no such pool now; search it for one that it lists',
  TILE_UNKNOWN: 'the log has no such tile; ask for its checkpoint first',
  SIGN_IN_REQUIRED: 'sign in (EIP-4361) or show a token, inside a sealed call',
  ROLE_NOT_ALLOWED: 'nobody may call this in your role, or it is not yours',
  TOKEN_INVALID: 'the token is none of this node with its present keys; sign in again',
  TOKEN_EXPIRED: 'the token is over; sign in again or ask for another one',
  TOKEN_REVOKED: 'the token was revoked',
  TOKEN_OUT_OF_SCOPE: 'the token does not allow this call, or not for this pool or job',
  CREDENTIAL_EXPOSED:
    'a credential came in the clear and was not looked at: revoke it, and send it inside a sealed call',
  SEALED_CALL_REQUIRED:
    'this call is taken only inside a sealed call; see the media type application/vnd.sealpool.sealed-call',
  MEDIA_TYPE_INVALID: 'send application/vnd.sealpool.sealed-call',
  SEALED_CALL_INVALID: 'it cannot be opened with the present keys of this node; verify the evidence again',
  CALL_STALE:
    'the call is too old, from the future, or from before the node was started; set the clock and seal it again',
  CALL_REPEATED: 'this very call was made before; seal it again',
  BUSY: 'the node can remember no more calls at the moment; come again in some minutes',
  SIGN_IN_BODY: 'the body must be JSON: { "message": <EIP-4361 text>, "signature": <0x hex> }',
  SIGN_IN_MESSAGE: 'the message is not written as EIP-4361 writes it, or has no expiration time',
  SIGN_IN_DOMAIN: 'the message is for another domain or URI',
  SIGN_IN_CHAIN: 'the message is for another chain',
  SIGN_IN_KEY_SET: 'the message does not name the present key set of this node, once, among its resources',
  SIGN_IN_EXPIRED: 'the message is over, or too old',
  SIGN_IN_NOT_YET: 'the message is not valid yet',
  SIGN_IN_NONCE: 'the nonce is not of this node, over, or was used before; ask for another one',
  SIGN_IN_SIGNATURE: 'the signature is not that of the address in the message',
  SIGN_IN_ROLE: 'the message asks for a role that there is not, or that this address does not have',
  TOKEN_REQUEST_INVALID:
    'the body must be JSON: { "expiresAt": <unix seconds>, "caveats": [...] }, within 90 days',
  REVOCATION_INVALID: 'the body must be JSON: { "token": <a token that was made for you> }',
  CREDENTIAL_BODY:
    'the body must be JSON: { "pool": <address>, "nonce": <from GET /v1/presentation>, "presentation": <SD-JWT with key binding>, "statusList": <JWT or null> }',
  CREDENTIAL_NONCE:
    'the nonce is not of this node or for another wallet, is over, or was used before; ask for another one',
  CREDENTIAL_POOL:
    'this node knows no such pool now, or the pool’s access conditions ask for no credential; read its policy',
  HAND_OFF_NOT_SERVED: 'this node runs no jobs for others; its settings do not say so',
  HAND_OFF_BODY: 'the body is not what this call of a hand-off takes',
  HAND_OFF_JOB: 'the chain does not show that you have begun this job, with this manifest',
  HAND_OFF_FULL: 'as many jobs as this node takes are here already; come again later',
  HAND_OFF_UNKNOWN:
    'there is no such transfer of yours: it is over, or the node was started anew; begin another one',
  HAND_OFF_TOO_LARGE: 'the files of the transfer are larger than this node takes',
  HAND_OFF_DIFFERS: 'other files, or another chunk in its place, were given before; begin another transfer',
  HAND_OFF_CHUNK: 'the chunk is none of the transfer, or has another length or digest',
  HAND_OFF_NOT_READY: 'there is no answer yet; ask how the transfer stands',
  FEDERATION_NOT_SERVED: 'this node answers no jobs together with others; its settings do not say so',
  FEDERATION_BODY: 'the body must be JSON: { "job": <number>, "plan": <digest>, "step": "look" or "charge" }',
  VALIDATION_NOT_SERVED: 'this node judges contributions for no other home; its settings do not say so',
  VALIDATION_BODY:
    'the body must be JSON: { "pool": <address>, "poc": <digest>, "key": <32 bytes>, "items": [ { "id", "block", "header", "told" } ] }',
  VERDICTS_UNKNOWN:
    'no validators have judged this contribution: its home alone does, or has not asked them yet',
  HEADS_NOT_KEPT: 'this node remembers no other node’s state; its settings do not say so',
  HEADS_BODY:
    'the body must be JSON: { "question": <signed statement> }, or { "head": <signed statement>, "previous": <digest or null> }',
  STATE_UNCONFIRMED:
    'this node does nothing until the nodes that remember its state have said that it is the newest; come again later',
  SHARES_UNKNOWN: 'no other home had a share in this job',
  WORK_UNKNOWN: 'no other node has run this job for this one',
  LINEAGE_UNKNOWN: 'the job has read nothing here: it has not been charged, or was refused before',
  KEYS_MOVED: 'this node has handed its keys to a successor and works no more; ask that one',
  MIGRATION_NOT_OPEN: 'this node hands its keys to nobody: its settings name no successor',
  MIGRATION_NONCE: 'the nonce is not of this node, over, or was used before; ask for another one',
  MIGRATION_NOT_ATTESTED:
    'the successor is not attested as the code and key set that the settings name, or the chain does not allow it',
  MIGRATION_SETTINGS:
    'the successor would treat data otherwise, keeps no root of its own (keyRelease), or would be the same node; compare the settings',
  MIGRATION_DONE: 'the keys are with another successor already, or the registry does not list this node',
  INTERNAL: 'the node failed; the operator finds the reason in the log',
} as const

/** Codes of the API's errors. */
export type ApiErrorCode = keyof typeof apiErrorTexts
