// Real TDX quotes with real collateral, verified on a local chain by the Solidity verifier: `npm run conformance -- contracts
// [--data DIR]`. The folder's layout is explained in shared/data/README.md; statuses come from an independent implementation
// of Intel's algorithm. Every case runs at its own moment of chain time, with the collateral of that moment.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Notes of cases whose certificate starts after their moment: the verifier must say that instead of a status. */
const notYetValid = 'pck-not-yet-valid'

/**
 * @param {object} options
 * @param {string} options.data folder with cases-dcap.json and the files it names
 * @param {(line: string) => void} options.print
 * @param {number} [options.every] takes every n-th case only
 * @param {string} [options.hardfork] rules of the chain: `osaka` has the P-256 precompile, `prague` has not
 * @returns {Promise<{ agree: number, differ: number }>}
 */
export async function run({ data, print, every = 1, hardfork = 'osaka' }) {
  const contracts = await import('@sealpool/contracts')
  const { startDevnet } = await import('@sealpool/contracts/devnet')
  const { createWalletClient, http, bytesToHex } = await import('viem')
  const { privateKeyToAccount } = await import('viem/accounts')
  const { foundry } = await import('viem/chains')
  const read = (path) => new Uint8Array(readFileSync(join(data, path)))
  const hex = (path) => bytesToHex(read(path))
  const file = join(data, 'cases-dcap.json')
  const cases = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  const tdx = cases.filter(({ tcbInfo }) => /\/TDX_/.test(tcbInfo)).filter((_, index) => index % every === 0)
  print(`${tdx.length} of ${cases.length} cases are TDX and taken; SGX quotes are not verified on chain`)

  const folder = join(data, '_certs', 'intel')
  const certificates = (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.endsWith('.der'))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }))
    .map(({ name, bytes }) => ({ name, der: bytesToHex(bytes) }))
  const root = certificates.find(({ name }) => /Root_CA_.*_44a0196b\.der$/.test(name))
  if (root === undefined || tdx.length === 0) {
    print('skipped: no cases or no root certificate in this folder')
    return { agree: 0, differ: 0 }
  }
  const devnet = await startDevnet({ hardfork, timestamp: 1_600_000_000 })
  const result = { agree: 0, differ: 0 }
  try {
    const rpc = async (method, params) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
      const headers = { 'content-type': 'application/json' }
      const answer = await (await fetch(devnet.rpcUrl, { method: 'POST', headers, body })).json()
      if (answer.error) throw new Error(answer.error.message)
      return answer.result
    }
    const client = createWalletClient({
      account: privateKeyToAccount(devnet.accounts[0].privateKey),
      chain: foundry,
      transport: http(devnet.rpcUrl),
    })
    const { collateral, verifier } = await contracts.deployTdxVerifier(client, { rootCertificate: root.der })
    const groups = new Map()
    for (const entry of tdx) {
      const key = JSON.stringify([
        entry.tcbInfo,
        entry.qeIdentity,
        entry.rootCaCrl,
        entry.pckCrl,
        entry.atUnix,
      ])
      groups.set(key, [...(groups.get(key) ?? []), entry])
    }
    let snapshot = await rpc('evm_snapshot', [])
    for (const entries of groups.values()) {
      const [first] = entries
      await rpc('evm_revert', [snapshot])
      snapshot = await rpc('evm_snapshot', [])
      await rpc('evm_setNextBlockTimestamp', [first.atUnix])
      await rpc('evm_mine', [])
      const signer = certificates.filter(({ name }) => name.includes('TCB_Signing'))
      const evidences = entries.map((entry) => ({
        entry,
        evidence: contracts.splitTdxQuote(read(entry.quote)),
      }))
      let brought
      let problem
      // Chains of the folder differ in age: the authority is the quote's own, the signer whichever key signed.
      for (const { der } of signer) {
        try {
          brought = await contracts.bringTdxCollateral(client, {
            collateral,
            files: {
              rootRevocationList: hex(first.rootCaCrl),
              authority: evidences[0].evidence.chain[1],
              authorityRevocationList: hex(first.pckCrl),
              signer: der,
              tcbInfo: readFileSync(join(data, first.tcbInfo), 'utf8'),
              identity: readFileSync(join(data, first.qeIdentity), 'utf8'),
            },
          })
          break
        } catch (error) {
          problem = error
        }
      }
      for (const { entry, evidence } of evidences) {
        const expected = (entry.note ?? '').includes(notYetValid) ? 'CertificateOutOfDate' : entry.expect
        let found
        if (brought === undefined) found = problem?.revert?.name ?? problem?.message
        else {
          try {
            const { status } = await contracts.verifyTdxQuote(client, {
              verifier,
              evidence,
              authority: brought.authority,
            })
            found = status
          } catch (error) {
            found = error.revert?.name ?? error.message
          }
        }
        const agrees = found === expected
        result[agrees ? 'agree' : 'differ'] += 1
        if (!agrees && result.differ <= 20)
          print(`  differs: ${entry.quote} at ${entry.at}: ${found}, expected ${expected}`)
      }
    }
  } finally {
    await devnet.stop()
  }
  return result
}
