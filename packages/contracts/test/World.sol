// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Approvals} from "../solidity/governance/Approvals.sol";
import {GovernorDeployer} from "../solidity/governance/GovernorDeployer.sol";
import {GovernanceSettings} from "../solidity/governance/PoolGovernor.sol";
import {TimelockDeployer} from "../solidity/governance/TimelockDeployer.sol";
import {Job} from "../solidity/job/Job.sol";
import {JobBoard} from "../solidity/job/JobBoard.sol";
import {Credits} from "../solidity/market/Credits.sol";
import {NodeRegistration, NodeRegistry} from "../solidity/node/NodeRegistry.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {Permissions} from "../solidity/permission/Permissions.sol";
import {Founding, Pool, PoolRules, PoolSurroundings} from "../solidity/pool/Pool.sol";
import {PoolFactory} from "../solidity/pool/PoolFactory.sol";
import {ContributionBatches} from "../solidity/registry/ContributionBatches.sol";
import {Contribution, DataRegistry, VerdictEntry} from "../solidity/registry/DataRegistry.sol";
import {PoolToken} from "../solidity/token/PoolToken.sol";
import {PoolTokenDeployer} from "../solidity/token/PoolTokenDeployer.sol";
import {Allocation} from "../solidity/token/VestingSchedule.sol";
import {ProtocolToken} from "../solidity/token/ProtocolToken.sol";
import {TestBase} from "./Vm.sol";

/// @title A whole deployment with one registered node and one pool whose key is published
abstract contract World is TestBase {
    uint256 internal constant NODE_KEY = 0xa11ce;
    uint256 internal constant VERIFIER_KEY = 0xbeef;
    bytes32 internal constant POLICY = keccak256("policy");
    bytes32 internal constant MEASUREMENT = keccak256("measurement");
    uint128 internal constant REWARD = 1e20;
    uint256 internal constant SUPPLY = 1e28;
    address internal constant GUARDIAN = address(0x6a8d);

    ProtocolToken internal protocolToken;
    NodeRegistry internal nodes;
    DataRegistry internal data;
    ContributionBatches internal batches;
    Approvals internal approvals;
    JobBoard internal board;
    Permissions internal permissions;
    Credits internal credits;
    PoolFactory internal factory;
    Pool internal pool;
    PoolToken internal token;
    uint256 internal nonce;

    function build() internal {
        vm.warp(1_800_000_000);
        protocolToken = new ProtocolToken("Protocol", "PRO", address(this), 1e30);
        nodes = new NodeRegistry(address(this), 0);
        uint64 next = vm.getNonce(address(this));
        address boardAt = vm.computeCreateAddress(address(this), next + 8);
        address factoryAt = vm.computeCreateAddress(address(this), next + 9);
        PoolTokenDeployer tokens = new PoolTokenDeployer();
        GovernorDeployer governors = new GovernorDeployer();
        TimelockDeployer timelocks = new TimelockDeployer();
        data = new DataRegistry(nodes, PoolFactory(factoryAt));
        batches = new ContributionBatches(nodes, PoolFactory(factoryAt));
        approvals = new Approvals(PoolFactory(factoryAt));
        permissions = new Permissions(PoolFactory(factoryAt), boardAt, approvals);
        credits = new Credits(PoolFactory(factoryAt), boardAt);
        board = new JobBoard(protocolToken, nodes, PoolFactory(factoryAt), permissions, credits, 2_000);
        factory = new PoolFactory(
            PoolSurroundings(
                nodes, address(data), address(batches), address(board), protocolToken, tokens, governors, timelocks
            )
        );
        vm.assertEq(address(factory), factoryAt);
        vm.assertEq(address(board), boardAt);
        register(NODE_KEY, MEASUREMENT);
        pool = found("pool", 0);
        token = PoolToken(pool.token());
    }

    function register(uint256 key, bytes32 measurement) internal {
        nodes.setMeasurement(measurement, true);
        address[] memory verifiers = new address[](1);
        verifiers[0] = vm.addr(VERIFIER_KEY);
        nodes.setVerifiers(verifiers, 1);
        enrol(key, measurement);
    }

    /// Registers a node by the one verifier, where its measurement is allowed already.
    function enrol(uint256 key, bytes32 measurement) internal {
        NodeRegistration memory registration = NodeRegistration(
            vm.addr(key), keccak256("keys"), keccak256("quote"), measurement, uint64(block.timestamp + 80 days)
        );
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = sign(
            VERIFIER_KEY,
            address(nodes),
            keccak256(
                abi.encode(
                    keccak256(
                        "NodeApproval(address statementKey,bytes32 keySetDigest,bytes32 quoteDigest,bytes32 measurement,uint64 expiresAt)"
                    ),
                    registration
                )
            )
        );
        nodes.register(registration, signatures);
    }

    function found(string memory name, uint16 treasuryShareBps) internal returns (Pool) {
        return found(foundingOf(name, treasuryShareBps));
    }

    /// A pool whose tokens end at `cap`.
    function foundCapped(uint256 cap) internal returns (Pool) {
        Founding memory founding = foundingOf("capped", 0);
        founding.maximumSupply = cap;
        return found(founding);
    }

    function foundingOf(string memory name, uint16 treasuryShareBps) internal pure returns (Founding memory) {
        PoolRules memory rules = PoolRules(
            POLICY, keccak256("poc"), keccak256("refiner"), bytes32(0), bytes32(0), REWARD, treasuryShareBps, true
        );
        GovernanceSettings memory governance = GovernanceSettings(1, 60, 0, 10, 5, 0);
        return Founding(name, name, rules, 0, SUPPLY, new Allocation[](0), GUARDIAN, governance, new bytes32[](0));
    }

    function tokenOf(Pool of_) internal view returns (PoolToken) {
        return PoolToken(of_.token());
    }

    function found(Founding memory founding) internal returns (Pool founded) {
        founded = factory.found(founding);
        bytes32 keyDigest = keccak256("key");
        StatementProof memory proof = prove(
            founded.KEY_STATEMENT(),
            address(founded),
            keccak256(abi.encode(uint256(1), POLICY)),
            keccak256(abi.encode(uint256(1), POLICY, keyDigest))
        );
        founded.publishKey(1, POLICY, keyDigest, proof);
    }

    /// @dev EIP-712 from the specification, not from the library that the contracts use.
    function sign(uint256 key, address registry, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Sealpool"),
                keccak256("1"),
                block.chainid,
                registry
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked("\x19\x01", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function prove(string memory kind, address about, bytes32 subject, bytes32 facts)
        internal
        returns (StatementProof memory)
    {
        return proveBy(NODE_KEY, kind, about, subject, facts);
    }

    function proveBy(uint256 key, string memory kind, address about, bytes32 subject, bytes32 facts)
        internal
        returns (StatementProof memory)
    {
        bytes32 digest = keccak256(abi.encode("statement", ++nonce));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Statement(string kind,address pool,bytes32 subject,bytes32 facts,bytes32 digest,uint256 nonce)"
                ),
                keccak256(bytes(kind)),
                about,
                subject,
                facts,
                digest,
                nonce
            )
        );
        return StatementProof(digest, nonce, sign(key, address(nodes), structHash));
    }

    /// What statements about a job are about: a release about all that the chain knows of it, others about its number.
    function subjectOf(string memory kind, uint256 id) internal view returns (bytes32) {
        if (keccak256(bytes(kind)) != keccak256("sealpool/release/1")) return bytes32(id);
        Job memory job = board.getJob(id);
        return keccak256(abi.encode(id, job.manifestDigest, job.consumer));
    }

    function contributionOf(address owner, Pool to) internal returns (Contribution memory) {
        ++nonce;
        return Contribution(
            owner,
            address(to),
            keccak256(abi.encode("blob", nonce)),
            keccak256(abi.encode("commitment", nonce)),
            bytes32(0),
            bytes32(0),
            1,
            "memory:blob",
            nonce
        );
    }

    function offer(address owner, Pool to) internal returns (uint256) {
        Contribution memory contribution = contributionOf(owner, to);
        vm.prank(owner);
        return data.contribute(contribution);
    }

    function verdictOf(uint256 id, uint16 score, bool refused) internal pure returns (VerdictEntry[] memory entries) {
        entries = new VerdictEntry[](1);
        entries[0] = VerdictEntry(id, score, refused, keccak256(abi.encode("verdict", id)));
    }

    function proveVerdicts(Pool of_, VerdictEntry[] memory entries) internal returns (StatementProof memory) {
        return proveVerdictsBy(NODE_KEY, of_, entries);
    }

    function proveVerdictsBy(uint256 key, Pool of_, VerdictEntry[] memory entries)
        internal
        returns (StatementProof memory)
    {
        return proveBy(
            key,
            data.VERDICT_STATEMENT(),
            address(of_),
            bytes32(entries[0].contributionId),
            keccak256(abi.encode(entries.length, keccak256(abi.encode(entries))))
        );
    }

    function accept(address owner, Pool to, uint16 score) internal returns (uint256 id) {
        id = offer(owner, to);
        VerdictEntry[] memory entries = verdictOf(id, score, false);
        data.recordVerdicts(address(to), entries, proveVerdicts(to, entries));
    }

    /// Fees of a job, as the board hands them to the pool.
    function pay(uint256 amount) internal {
        protocolToken.transfer(address(pool), amount);
        vm.prank(address(board));
        pool.distribute(amount);
    }
}
