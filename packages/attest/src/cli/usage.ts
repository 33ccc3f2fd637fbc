/** What `sealpool-verify` says of itself, for terminals of 80 columns. */
export const usage = `sealpool-verify: is the evidence good, and does the receipt hold? Offline.

Usage: sealpool-verify <command> <path> [options]

  receipt <folder>    a job's receipt with its bundle
  steps <folder>      the same in six steps, before and after a computation
  proof <folder>      write the short proof of a receipt that verifies, as JSON
                      (computation_hash, timestamp, tee_attestation, datasets)
  evidence <file>     what a node answers on /v1/evidence
  quote <file>        a TDX or SGX quote
  snp <file>          a SEV-SNP report
  gpu <quote>         the GPUs of a TDX guest, by a platform policy with gpu;
                      says as well what no evidence of a GPU proves
  log <file>          an entry of a log: {"entry","index","proof","checkpoint"}
                      with entry and proof as 0x hex
  bundle <file>       whether collateral that was kept holds

A file may be - for standard input. Quotes and reports may be hexadecimal,
base64 or base64url text.

Options:
  --policy <file>        attestation policy, JSON; of all but log. Of gpu a
                         platform policy
  --deployment <file>    of receipt, steps, proof: the contracts that you trust
                         (chainId, nodeRegistry). Without it a receipt could be
                         another chain's
  --partner <file>       of steps: the other party's receipt, which the last
                         step needs
  --nonce <0x...>        of evidence: what the node was asked with
  --collateral <file>    of quote, gpu: Intel's collateral, JSON
  --certificates <pem>   of snp: the chip's certificates
  --crl <der>            of snp: AMD's revocation list
  --bundle <file>        of quote, snp, gpu: kept collateral instead of these
  --event-log <file>     of gpu: the guest's dstack event log, JSON
  --token <file>         of gpu: what NVIDIA's service answered, JSON
  --keys <file>          of gpu: the service's keys (JWKS)
  --trust <file>         of log: {"log","witnesses","quorum",
                         "maximumAgeSeconds"} with verifier keys as text
  --at <ISO time>        judge as of then; default: now
  --json                 the answer as JSON on standard output,
                         {"ok": null, "error": ...} when there is none
An option that a command does not look at, or one given twice, is a mistake.

Without --policy the default policy holds: vendors' roots, no simulator, no
measurement named, so that nothing is allowed. quote and snp without --policy
say only whether the evidence verifies (their TCB status is told, not judged)
and that it does not run under debug.

Examples:
  sealpool-verify receipt ./receipt-7 --deployment deployment.json \\
    --policy attestation-policy.json
  sealpool-verify quote quote.bin --collateral collateral.json --json

--help and --version are taken alone. Colours only on a terminal, and not with
NO_COLOR. Exit codes: 0 ok; 1 not ok; 2 cannot tell (missing or unreadable
files, wrong arguments).
`

/** Wrong arguments: said with where help is, answered with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
