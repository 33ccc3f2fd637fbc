// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Grant, Terms} from "../solidity/permission/Grant.sol";
import {QueryPermit} from "../solidity/permission/PermitIssuers.sol";
import {PermitWorld} from "./PermitWorld.sol";

/// Two issuers, three grantees, two digests; votes, permits, runs and revocations in any order and at any time. What may be is
/// counted here, beside the contract.
contract PermitWalker is PermitWorld {
    QueryPermit[] private _permits;
    mapping(uint256 index => bool) private _redeemed;
    mapping(uint256 index => bool) private _revoked;
    /// Runs that a vote let an appointment give away, and runs that were paid for out of its permits.
    mapping(bytes32 appointment => uint256) public allowed;
    mapping(bytes32 appointment => uint256) public ran;
    mapping(bytes32 appointment => bool) private _over;
    mapping(bytes32 keyOf => uint32) private _current;
    bytes32[] public appointments;
    /// By grantee and digest: the permit of its grant plus one; zero when a vote wrote it, or nobody did.
    mapping(bytes32 grant => uint256) private _from;
    mapping(bytes32 grant => bool) private _barred;
    uint256 public redeemedTwice;
    uint256 public redeemedWithoutAppointment;
    uint256 public ranRevoked;
    uint256 public revived;
    uint256 public cheaper;
    uint256 public redemptions;
    uint256 public runs;
    /// Runs that were asked for in vain, because the permit of the grant was revoked.
    uint256 public stopped;

    constructor() {
        setUpPermits();
    }

    function keyOf(uint256 who) private pure returns (uint256) {
        return ISSUER_KEY + who % 2;
    }

    function grantee(uint256 who) private pure returns (address) {
        return address(uint160(0x3000 + who % 3));
    }

    function digestOf(uint256 which) private pure returns (bytes32) {
        return keccak256(abi.encode("digest", which % 2));
    }

    function idOf(address issuer_, bytes32 digest, uint32 number) private pure returns (bytes32) {
        return keccak256(abi.encode(issuer_, digest, number));
    }

    function grantOf(address who, bytes32 digest) private pure returns (bytes32) {
        return keccak256(abi.encode(who, digest));
    }

    function appointOne(uint256 who, uint256 which, uint8 count, uint8 price) public {
        (address issuer_, bytes32 digest) = (vm.addr(keyOf(who)), digestOf(which));
        bytes32 key = keccak256(abi.encode(issuer_, digest));
        uint64 time = uint64(block.timestamp);
        Terms memory bounds = Terms(price % 4, 0, 1 + count % 6, time, time + 5 days, 0);
        vm.prank(lock);
        uint32 number = permissions.appointIssuer(address(pool), issuer_, digest, bounds);
        _over[idOf(issuer_, digest, _current[key])] = true;
        _current[key] = number;
        bytes32 id = idOf(issuer_, digest, number);
        allowed[id] = bounds.runs;
        appointments.push(id);
    }

    function dismiss(uint256 who, uint256 which, uint8 chance) external {
        if (chance % 4 != 0) return;
        (address issuer_, bytes32 digest) = (vm.addr(keyOf(who)), digestOf(which));
        vm.prank(chance % 8 == 0 ? lock : issuer_);
        try permissions.dismissIssuer(address(pool), issuer_, digest) {
            _over[idOf(issuer_, digest, _current[keccak256(abi.encode(issuer_, digest))])] = true;
        } catch {}
    }

    /// Signs one, often for less or for more than the issuer may; of an older appointment now and then.
    function issue(uint256 who, uint256 which, uint256 to, uint8 count, uint8 price) public {
        (address issuer_, bytes32 digest) = (vm.addr(keyOf(who)), digestOf(which));
        uint32 number = _current[keccak256(abi.encode(issuer_, digest))];
        if (price % 7 == 6 && number > 0) --number;
        uint64 time = uint64(block.timestamp);
        Terms memory terms = Terms(price % 5, 0, 1 + count % 4, time, time + uint64(count) * 1 hours, 0);
        _permits.push(QueryPermit(issuer_, number, address(pool), grantee(to), digest, terms, ++nonce));
    }

    /// Any permit, redeemed before or not.
    function redeem(uint256 pick) public {
        if (_permits.length == 0) return;
        pick %= _permits.length;
        QueryPermit memory permit = _permits[pick];
        uint256 key = permit.issuer == vm.addr(keyOf(0)) ? keyOf(0) : keyOf(1);
        bytes memory signature = signed(key, permit);
        Terms memory bounds = permissions.appointmentOf(address(pool), permit.issuer, permit.jobDigest).bounds;
        vm.prank(permit.grantee);
        try permissions.redeem(permit, signature) {
            ++redemptions;
            bytes32 grant = grantOf(permit.grantee, permit.jobDigest);
            if (_redeemed[pick]) ++redeemedTwice;
            if (_revoked[pick]) ++ranRevoked;
            if (_barred[grant]) ++revived;
            bytes32 id = idOf(permit.issuer, permit.jobDigest, permit.appointment);
            if (permit.appointment == 0 || _over[id]) ++redeemedWithoutAppointment;
            if (permit.terms.price < bounds.price) ++cheaper;
            _redeemed[pick] = true;
            _from[grant] = pick + 1;
        } catch {}
    }

    /// Signed and redeemed at once: left to chance alone, few permits are ever used.
    function issueAndRedeem(uint256 who, uint256 which, uint256 to, uint8 count, uint8 price) external {
        issue(who, which, to, count, price);
        redeem(_permits.length - 1);
        run(to, which, 3);
        redeem(_permits.length - 1);
        run(to, which, 3);
    }

    /// Revoked while runs are left, and tried at once: left to chance alone, what a revoked permit gave is used up or over by then.
    function issueAndRevoke(uint256 who, uint256 which, uint256 to, uint8 count, uint8 price, bool byVote) external {
        issue(who, which, to, count, price);
        redeem(_permits.length - 1);
        run(to, which, 1);
        revoke(_permits.length - 1, byVote);
        run(to, which, 2);
    }

    function revoke(uint256 pick, bool byVote) public {
        if (_permits.length == 0) return;
        pick %= _permits.length;
        QueryPermit memory permit = _permits[pick];
        vm.prank(byVote ? lock : permit.issuer);
        try permissions.revokePermit(permit) {
            _revoked[pick] = true;
        } catch {}
    }

    /// A vote grants, or revokes what there is.
    function vote(uint256 to, uint256 which, uint8 count) external {
        (address who, bytes32 digest) = (grantee(to), digestOf(which));
        uint64 time = uint64(block.timestamp);
        Terms memory terms = Terms(1, 0, 1 + count % 3, time, time + 1 days, 0);
        vm.prank(lock);
        if (count % 2 == 0) {
            permissions.grant(who, address(pool), digest, terms);
            (_from[grantOf(who, digest)], _barred[grantOf(who, digest)]) = (0, false);
        } else {
            try permissions.revoke(who, address(pool), digest) {
                _barred[grantOf(who, digest)] = true;
            } catch {}
        }
    }

    /// Pays for runs, as the job board has them counted; gives one back now and then.
    function run(uint256 to, uint256 which, uint8 times) public {
        (address who, bytes32 digest) = (grantee(to), digestOf(which));
        uint256 from = _from[grantOf(who, digest)];
        for (uint256 i; i < times % 5; ++i) {
            vm.prank(address(board));
            try permissions.use(who, address(pool), digest, 0) {
                if (_barred[grantOf(who, digest)]) ++revived;
                if (from == 0) continue;
                ++runs;
                QueryPermit memory permit = _permits[from - 1];
                ++ran[idOf(permit.issuer, digest, permit.appointment)];
                if (_revoked[from - 1]) ++ranRevoked;
            } catch {
                if (from != 0 && _revoked[from - 1]) ++stopped;
            }
        }
        if (times % 7 != 6 || from == 0) return;
        Grant memory g = permissions.getGrant(who, address(pool), digest);
        if (g.used == 0) return;
        vm.prank(address(board));
        permissions.giveBack(who, address(pool), digest, g.generation);
        QueryPermit memory given = _permits[from - 1];
        --ran[idOf(given.issuer, digest, given.appointment)];
    }

    function wait_(uint32 seconds_) external {
        vm.warp(block.timestamp + seconds_ % 12 hours);
    }

    /// Appointments out of whose permits more was run than the vote let them give away.
    function overrun() external view returns (uint256 count) {
        for (uint256 i; i < appointments.length; ++i) {
            if (ran[appointments[i]] > allowed[appointments[i]]) ++count;
        }
    }
}

/// No run beyond what issuer and vote allow.
contract PermitInvariantsTest is PermitWorld {
    PermitWalker private walker;

    function setUp() public {
        walker = new PermitWalker();
        targetContract(address(walker));
    }

    /// The invariants would be empty words if nothing were ever redeemed and run.
    function test_theWalkerRedeemsAndRuns() external {
        walker.appointOne(0, 0, 5, 1);
        walker.issueAndRedeem(0, 0, 0, 3, 1);
        vm.assertEq(walker.redemptions(), 1);
        vm.assertEq(walker.runs(), 4);
        walker.issueAndRedeem(0, 0, 1, 3, 1);
        vm.assertEq(walker.redemptions(), 1);
        walker.issueAndRedeem(0, 0, 1, 1, 1);
        vm.assertEq(walker.redemptions(), 2);
        vm.assertEq(walker.runs(), 6);
        vm.assertEq(walker.stopped(), 0);
        walker.appointOne(0, 0, 5, 1);
        for (uint256 byVote; byVote < 2; ++byVote) {
            walker.issueAndRevoke(0, 0, 2, 2, 1, byVote == 1);
            vm.assertEq(walker.redemptions(), 3 + byVote);
            vm.assertEq(walker.runs(), 7 + byVote);
            vm.assertEq(walker.stopped(), 2 + 2 * byVote);
        }
    }

    function invariant_noRunPastWhatTheVoteLetTheIssuerGive() external view {
        vm.assertEq(walker.overrun(), 0);
    }

    function invariant_aPermitIsRedeemedOnceWhileItsIssuerIsAppointed() external view {
        vm.assertEq(walker.redeemedTwice(), 0, "twice");
        vm.assertEq(walker.redeemedWithoutAppointment(), 0, "without an appointment");
        vm.assertEq(walker.cheaper(), 0, "cheaper than the vote allows");
    }

    function invariant_whatWasRevokedRunsNoMore() external view {
        vm.assertEq(walker.ranRevoked(), 0, "by its permit");
        vm.assertEq(walker.revived(), 0, "by a vote");
    }
}
