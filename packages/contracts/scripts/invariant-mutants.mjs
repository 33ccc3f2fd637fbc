#!/usr/bin/env node
// Plants faults in a copy of solidity/ and lets the invariants of test/*Invariants.t.sol walk it: each fault must break one.
// Prints killed or survived for each; exits 1 when one survives.
//   node scripts/invariant-mutants.mjs [--short] [--from 0] [--to 99] [--faults-only]
// Before anything is planted the walks must hold; --faults-only leaves that out.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageRoot = fileURLToPath(new URL('..', import.meta.url))
const modules = join(dirname(createRequire(import.meta.url).resolve('solc/package.json')), '..')
const [JOBS, BATCHES, MARKET] = ['Invariants', 'BatchInvariants', 'MarketInvariants']
const PERMITS = 'PermitInvariants'

/** The invariants that say what issue 5 names: one of these must find the fault, whatever else would. */
const finders = {
  'no token from nothing': [
    'noTokenFromNothing',
    'balancesAndVotesAreTheSupply',
    'creditedTokensStayUnderTheCap',
  ],
  'no credit from nothing': ['creditsSumToZero', 'escrowHoldsExactlyWhatOpenJobsPaid'],
  'nothing paid twice': [
    ...['noContributionIsPaidTwice', 'poolsCanPayWhatTheyOwe', 'batchesCannotBeClaimedTwice'],
    ...['epochsPayOnceAndNeverMoreThanTheyHold', 'disputesConserve'],
  ],
  'escrow always solvent': [
    ...['escrowHoldsExactlyWhatOpenJobsPaid', 'poolsCanPayWhatTheyOwe', 'stakesConserve'],
    ...['salesHoldExactlyWhatIsUndecided', 'epochsPayOnceAndNeverMoreThanTheyHold'],
  ],
  'budget heads only grow': ['budgetHeadsOnlyGrow', 'anAggregateIsClaimedOnce'],
  'no job runs without approval': ['noJobRunsWithoutApproval'],
  'no grant used past its count': ['noGrantIsUsedPastItsCount'],
  'paused means paused': ['pausedMeansPaused'],
  'no run past its permit': [
    ...['noRunPastWhatTheVoteLetTheIssuerGive', 'aPermitIsRedeemedOnceWhileItsIssuerIsAppointed'],
    'whatWasRevokedRunsNoMore',
  ],
}

/** By the invariant that issue 5 names: what is planted, where, and whose walk must find it. */
const mutants = [
  [
    'no token from nothing',
    'a reward pays one unit more',
    JOBS,
    'pool/PoolLedger.sol',
    [
      '            amounts[i] = amount;\n            _earn(contributor, score, 0',
      '            amounts[i] = amount + 1;\n            _earn(contributor, score, 0',
    ],
  ],
  [
    'no token from nothing',
    'a transfer takes nothing from its sender',
    JOBS,
    'token/VotingToken.sol',
    [
      'held.balance = more ? held.balance + value : held.balance - value;',
      'if (more) held.balance += value;',
    ],
  ],
  [
    'no token from nothing',
    'votes stay with the sender',
    JOBS,
    'token/VotingToken.sol',
    ['moves && giver == from)', 'false)'],
  ],
  [
    'no token from nothing',
    'collecting twice',
    BATCHES,
    'pool/PoolLedger.sol',
    ['        account.uncollected = 0;\n', ''],
  ],
  [
    'no token from nothing',
    'credits past the cap',
    BATCHES,
    'pool/PoolLedger.sol',
    [
      '                if (amount > left) amount = left;\n                left -= amount;',
      '                if (amount <= left) left -= amount;',
    ],
  ],
  [
    'no token from nothing',
    'promised tokens are minted to others',
    BATCHES,
    'pool/PoolLedger.sol',
    ['PoolToken(token).totalSupply() - reserved;', 'PoolToken(token).totalSupply();'],
  ],
  [
    'no credit from nothing',
    'credits that do not sum to zero',
    JOBS,
    'market/Credits.sol',
    ['            outstanding[pool] -= payment.credits;\n', ''],
  ],
  [
    'no credit from nothing',
    'points are turned into credits twice',
    JOBS,
    'market/Credits.sol',
    ['        countedPoints[pool][account] += amount;\n', ''],
  ],
  [
    'no credit from nothing',
    'what is held for a job can be spent again',
    JOBS,
    'market/Credits.sol',
    ['        balanceOf[pool][account] = balance - amount;\n', ''],
  ],
  [
    'no credit from nothing',
    'credits of a settled job come back',
    JOBS,
    'market/Credits.sol',
    ['        if (spent) {', '        if (spent && jobId == 0) {'],
  ],
  [
    'no credit from nothing',
    'credits are paid out in tokens',
    JOBS,
    'job/JobEscrow.sol',
    ['if (part.credited) run.price -= credits.end(', 'if (part.credited) credits.end('],
  ],

  [
    'nothing paid twice',
    'a second verdict',
    JOBS,
    'registry/DataRegistry.sol',
    [
      '        if (record.state != ContributionState.Offered) {\n            emit VerdictSkipped(id, pool, record.state);\n            return address(0);\n        }\n',
      '',
    ],
  ],
  [
    'nothing paid twice',
    'points stay after a withdrawal',
    JOBS,
    'pool/PoolLedger.sol',
    ['        _totals.points -= uint64(score);\n', ''],
  ],
  [
    'nothing paid twice',
    'fees are claimed twice',
    JOBS,
    'pool/PoolLedger.sol',
    ['        _owedScaled[contributor] = owed % SCALE;\n', ''],
  ],
  [
    'nothing paid twice',
    'an entry is paid twice',
    BATCHES,
    'registry/ContributionBatches.sol',
    ['if (withdrawn || payment.paid & bit != 0) {', 'if (withdrawn) {'],
  ],
  [
    'nothing paid twice',
    'a payment is not marked',
    BATCHES,
    'registry/ContributionBatches.sol',
    ['        _paid[id][payment.place] = payment.paid;\n        // Leaves', '        // Leaves'],
  ],
  [
    'nothing paid twice',
    'an entry is forfeited twice',
    BATCHES,
    'registry/ContributionBatches.sol',
    ['if (!isPaid(id, index) || !_mark(_paid[id], MAXIMUM_ENTRIES + index))', 'if (!isPaid(id, index))'],
  ],
  [
    'nothing paid twice',
    'a leaf of a reward epoch is paid twice',
    MARKET,
    'market/RewardEpochs.sol',
    ['        if (isClaimed(id, index)) revert AlreadyClaimed(id, index);\n', ''],
  ],
  [
    'nothing paid twice',
    'a dispute is closed twice',
    MARKET,
    'market/Disputes.sol',
    ['        _move(d, DisputeState.Closed);\n', ''],
  ],

  [
    'escrow always solvent',
    'a job is settled twice',
    JOBS,
    'job/JobState.sol',
    [
      'SETTLED << (ROW * uint256(JobState.Released));',
      'SETTLED << (ROW * uint256(JobState.Released)) | SETTLED << (ROW * uint256(JobState.Settled));',
    ],
  ],
  [
    'escrow always solvent',
    'a refund pays one unit more',
    JOBS,
    'job/JobEscrow.sol',
    [
      '            price += run.price;\n            if (untouched)',
      '            price += run.price + 1;\n            if (untouched)',
    ],
  ],
  [
    'escrow always solvent',
    'settled pool tokens are burned twice',
    JOBS,
    'job/JobEscrow.sol',
    ['        settledTokens[token] = 0;\n', ''],
  ],
  [
    'escrow always solvent',
    'a pool gets the burn share, too',
    JOBS,
    'job/JobEscrow.sol',
    ['uint256 rest = run.price - burn;', 'uint256 rest = run.price;'],
  ],
  [
    'escrow always solvent',
    'a pool owes more than came in',
    JOBS,
    'pool/PoolLedger.sol',
    ['totals.liability += contributors.toUint136()', 'totals.liability += (contributors + 1).toUint136()'],
  ],
  [
    'escrow always solvent',
    'a stake is slashed twice',
    MARKET,
    'node/NodeStakes.sol',
    ['        totalOf[node] = 0;\n', ''],
  ],
  [
    'escrow always solvent',
    'a sale ends twice',
    MARKET,
    'market/DirectPayments.sol',
    ['        _move(offerHash, sale, state, sale.receiptDigest);\n', ''],
  ],
  [
    'escrow always solvent',
    'a reward epoch pays more than it holds',
    MARKET,
    'market/RewardEpochs.sol',
    ['        epoch.left -= amount;\n', ''],
  ],

  [
    'budget heads only grow',
    'a head skips or goes back',
    BATCHES,
    'anchor/Anchors.sol',
    ['        if (sequence != expected) revert SequenceNotNext(sequence, expected);\n', ''],
  ],
  [
    'budget heads only grow',
    'a head names another before it',
    BATCHES,
    'anchor/Anchors.sol',
    ['        if (previous != head.value) revert PreviousOther(previous, head.value);\n', ''],
  ],
  [
    'budget heads only grow',
    'an aggregate is claimed again',
    BATCHES,
    'anchor/Anchors.sol',
    [
      '        if (claimed.inputsRoot != 0) revert AggregateAlreadyClaimed(pool, definition, claimed.inputsRoot);\n',
      '',
    ],
  ],

  [
    'no job runs without approval',
    'one approval is enough for two pools',
    JOBS,
    'job/JobBoard.sol',
    ['if (++job.approvals == job.poolCount)', 'if (++job.approvals >= 1)'],
  ],
  [
    'no job runs without approval',
    'every pool counts as having granted',
    JOBS,
    'job/JobBoard.sol',
    ['bool approved = permissions.approveIfGranted(pool, asked);', 'bool approved = true;'],
  ],
  [
    'no job runs without approval',
    'an approved job starts unpaid',
    JOBS,
    'job/JobState.sol',
    [
      '| (FUNDED | REFUSED | CANCELLED | EXPIRED) <<',
      '| (RUNNING | FUNDED | REFUSED | CANCELLED | EXPIRED) <<',
    ],
  ],

  [
    'no grant used past its count',
    'one run too many',
    JOBS,
    'permission/Permissions.sol',
    ['if (head.used >= head.runs)', 'if (head.used > head.runs)'],
  ],
  [
    'no grant used past its count',
    'runs are not counted',
    JOBS,
    'permission/Permissions.sol',
    ['        _heads[key].used = head.used + 1;\n', ''],
  ],
  [
    'no grant used past its count',
    'runs that began are given back',
    JOBS,
    'job/JobEscrow.sol',
    ['if (untouched) _giveBack(', '_giveBack('],
  ],

  [
    'paused means paused',
    'funding',
    JOBS,
    'job/JobEscrow.sol',
    ['        IPool(pool).requireFundable(granted, declared.codeDigest);\n', ''],
  ],
  [
    'paused means paused',
    'starting',
    JOBS,
    'job/JobNodes.sol',
    [
      '        _requireNew(id, job, node);\n        _requireOpen(id, job);\n',
      '        _requireNew(id, job, node);\n',
    ],
  ],
  [
    'paused means paused',
    'a lot falls',
    JOBS,
    'job/JobNodes.sol',
    ['        (bool held,) = _holds(id, job);\n        if (held) {', '        if (false) {'],
  ],
  [
    'paused means paused',
    'contributing',
    JOBS,
    'registry/DataRegistry.sol',
    ['        IPool(contribution.pool).requireOpenEpoch(contribution.epoch);\n', ''],
  ],

  [
    'no run past its permit',
    'runs that an issuer gives away are not counted',
    PERMITS,
    'permission/PermitIssuers.sol',
    ['        appointment.issued = issued;\n', ''],
  ],
  [
    'no run past its permit',
    'a permit is redeemed twice',
    PERMITS,
    'permission/PermitIssuers.sol',
    ['        if (redemption.generation != 0) revert PermitAlreadyRedeemed(permitDigest);\n', ''],
  ],
  [
    'no run past its permit',
    'a dismissed issuer’s permit is redeemed',
    PERMITS,
    'permission/PermitIssuers.sol',
    [' || appointment.ended) {', ') {'],
  ],
  [
    'no run past its permit',
    'the grant of a revoked permit goes on',
    PERMITS,
    'permission/PermitIssuers.sol',
    ['        if (redemption.generation != 0) _endGrant(permit, redemption.generation);\n', ''],
  ],
  [
    'no run past its permit',
    'a permit revives what a vote revoked',
    PERMITS,
    'permission/Permissions.sol',
    ['if (head.revoked || !over) revert', 'if (!over) revert'],
  ],
]
/** Cheap ones, of three walks' kinds of books: CI's short form. */
const short = ['a second verdict', 'one run too many', 'funding']

const numberOf = (flag, otherwise) => {
  const at = process.argv.indexOf(flag)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
const chosen = process.argv.includes('--short')
  ? mutants.filter(([, fault]) => short.includes(fault))
  : mutants.slice(numberOf('--from', 0), numberOf('--to', mutants.length))

const folder = mkdtempSync(join(tmpdir(), 'sealpool-mutants-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const part of ['solidity', 'test', 'scripts', 'foundry.toml', 'package.json']) {
  cpSync(join(packageRoot, part), join(folder, part), { recursive: true })
}
symlinkSync(modules, join(folder, 'node_modules'))

const environment = {
  // One seed: what is found today is found tomorrow.
  FOUNDRY_FUZZ_SEED: '0x5ea1',
  FOUNDRY_INVARIANT_RUNS: '24',
  FOUNDRY_INVARIANT_DEPTH: '80',
  ...process.env,
  FOUNDRY_PROFILE: 'default',
}
/** Names of the invariants that a walk broke, of those that are given (default: all). */
function broken(walk, names = ['']) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(folder, 'scripts', 'test-contracts.mjs'),
      ...[
        '--match-path',
        `test/${walk}.t.sol`,
        '--match-test',
        `invariant_(${names.join('|')})`,
        '--fail-fast',
        '--json',
      ],
    ],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28, env: environment },
  )
  const start = stdout.indexOf('{"test/')
  if (start < 0) return { problem: `${stdout}${stderr}`.slice(-2_000) }
  const suites = JSON.parse(stdout.slice(start).split('\n')[0])
  const results = Object.values(suites).flatMap(({ test_results }) => Object.entries(test_results))
  const walked = results.filter(([name]) => name.startsWith('invariant_'))
  if (walked.length === 0) return { problem: `no invariant was walked: ${results.map(([name]) => name)}` }
  return {
    failed: walked.filter(([, { status }]) => status !== 'Success').map(([name]) => name.replace('()', '')),
  }
}

let survived = 0
const walks = process.argv.includes('--faults-only') ? [] : chosen.map(([, , walk]) => walk)
for (const walk of new Set(walks)) {
  const { failed, problem } = broken(walk)
  if (problem !== undefined || failed.length > 0) {
    process.stderr.write(`${walk} does not hold without any fault: ${problem ?? failed}\n`)
    process.exit(1)
  }
}
for (const [invariant, fault, walk, file, [from, to]] of chosen) {
  const path = join(folder, 'solidity', file)
  const source = readFileSync(path, 'utf8')
  const places = source.split(from).length - 1
  if (places !== 1) {
    process.stderr.write(`${fault}: ${file} has ${places} places to plant it in, not one\n`)
    process.exit(1)
  }
  writeFileSync(
    path,
    source.replace(from, () => to),
  )
  const { failed, problem } = broken(walk, finders[invariant])
  writeFileSync(path, source)
  if (problem !== undefined) {
    process.stderr.write(`${fault}: could not be walked: ${problem}\n`)
    process.exit(1)
  }
  if (failed.length === 0) survived += 1
  const verdict = failed.length === 0 ? 'SURVIVED' : `killed by ${failed.join(', ')}`
  process.stdout.write(`${invariant.padEnd(30)} ${fault.padEnd(42)} ${verdict}\n`)
}
process.stdout.write(`${chosen.length - survived} of ${chosen.length} faults killed, ${survived} survived\n`)
process.exit(survived === 0 ? 0 : 1)
