/** What `sealpool-verify` says of itself. */
export const usage = `Usage:
  sealpool-verify receipt <folder>  --deployment <file> [--policy attestation-policy.json]
  sealpool-verify steps <folder>    --deployment <file> [--policy attestation-policy.json] [--partner receipt.json]
  sealpool-verify proof <folder>    --deployment <file> [--policy attestation-policy.json]
  sealpool-verify evidence <file>   [--policy attestation-policy.json] [--nonce 0x...]
  sealpool-verify quote <file>      --collateral <file> | --bundle <file>  [--policy attestation-policy.json]
  sealpool-verify snp <file>        --certificates <pem> --crl <der> | --bundle <file>  [--policy attestation-policy.json]
  sealpool-verify gpu <quote>       --collateral <file> | --bundle <file>  --event-log <file> --token <file>
                                    --keys <jwks> --policy platform-policy.json
  sealpool-verify log <file>        --trust <file>
  sealpool-verify bundle <file>     [--policy attestation-policy.json]
All take [--at ISO] [--json]; a file may be - for standard input; quotes and reports may be
hexadecimal, base64 or base64url text. An option that a command does not look at, or one given twice, is a mistake.

Works offline, from files alone. Without --policy the default policy holds: vendors' roots, no simulator, no measurement
named, so that nothing is allowed; "quote" and "snp" without --policy say only whether the evidence verifies (their TCB status
is told, not judged) and that it does not run under debug. --deployment
is the JSON file with the contracts that you trust (chainId, nodeRegistry); without it a receipt could be another chain's.
"steps" says the same receipt in six steps, before and after a computation; the last one needs the other party's receipt.
"proof" writes the short proof of a receipt that verifies (computation_hash, timestamp, tee_attestation, datasets) as JSON.
"gpu" judges the GPUs of a TDX guest by a platform policy with "gpu": the guest's quote and dstack event log, and the token of
NVIDIA's service with the service's keys; it says as well what no evidence of a GPU proves (it is boot-time only).
"log" reads {"entry","index","proof","checkpoint"} with entry and proof as 0x hex, and trust as
{"log","witnesses","quorum","maximumAgeSeconds"} with verifier keys as text. "bundle" tells whether kept collateral holds.
With --json the answer is on standard output, {"ok": null, "error": ...} when there is none.
Exit code: 0 ok, 1 not ok, 2 cannot tell (missing or unreadable files, wrong arguments).
`

/** Wrong arguments: said with the usage, answered with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
