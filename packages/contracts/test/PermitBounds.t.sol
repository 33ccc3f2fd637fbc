// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Grant, Terms} from "../solidity/permission/Grant.sol";
import {PermitIssuers, QueryPermit} from "../solidity/permission/PermitIssuers.sol";
import {ContractWallet} from "./OddTokens.sol";
import {PermitWorld} from "./PermitWorld.sol";

/// What a permit may say, who signs it and who redeems it.
contract PermitBoundsTest is PermitWorld {
    function setUp() public {
        setUpPermits();
    }

    /// All permits of an appointment together give away no more runs than the vote said.
    function test_runsAreCountedOverAllPermits() external {
        appoint(MANIFEST, 0);
        for (uint256 i; i < 5; ++i) {
            QueryPermit memory each = permitOf(MANIFEST);
            each.grantee = address(uint160(0x2000 + i));
            bytes memory signature_ = signed(ISSUER_KEY, each);
            vm.prank(each.grantee);
            permissions.redeem(each, signature_);
        }
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory signature = signed(ISSUER_KEY, permit);
        vm.expectRevert(abi.encodeWithSelector(PermitIssuers.PermitRunsExceeded.selector, 2, 0));
        permissions.redeem(permit, signature);
        // A newer vote counts anew.
        appoint(MANIFEST, 0);
        redeemed(permitOf(MANIFEST));
        vm.assertEq(permissions.appointmentOf(address(pool), issuer, MANIFEST).issued, 2);
    }

    function testFuzz_aPermitIsWithinItsBounds(
        uint128 price,
        uint128 burn,
        uint32 runs,
        uint64 opensAt,
        uint64 closesAt,
        bool sameScope
    ) external {
        Terms memory bounds = boundsOf(SCOPE);
        (bounds.price, bounds.poolTokenBurn) = (1e18, 1e17);
        vm.prank(lock);
        permissions.appointIssuer(address(pool), issuer, MANIFEST, bounds);
        // Near the bounds, where one unit decides.
        price = uint128(bound(price, 1e18 - 2, 1e18 + 2));
        burn = uint128(bound(burn, 1e17 - 2, 1e17 + 2));
        runs = uint32(bound(runs, 0, 12));
        opensAt = uint64(bound(opensAt, bounds.opensAt - 2, bounds.opensAt + 2));
        closesAt = uint64(bound(closesAt, bounds.closesAt - 2, bounds.closesAt + 2));
        QueryPermit memory permit = permitOf(MANIFEST);
        permit.terms = Terms(price, burn, runs, opensAt, closesAt, sameScope ? SCOPE : bytes32(0));
        bytes memory signature = signed(ISSUER_KEY, permit);
        bool within = price >= 1e18 && burn >= 1e17 && runs != 0 && runs <= 10 && opensAt >= bounds.opensAt
            && closesAt <= bounds.closesAt && sameScope;
        try permissions.redeem(permit, signature) {
            vm.assertTrue(within);
            Grant memory g = permissions.getGrant(address(this), address(pool), MANIFEST);
            vm.assertEq(keccak256(abi.encode(g.terms)), keccak256(abi.encode(permit.terms)));
            vm.assertEq(permissions.appointmentOf(address(pool), issuer, MANIFEST).issued, runs);
        } catch {
            vm.assertFalse(within);
            vm.assertEq(permissions.getGrant(address(this), address(pool), MANIFEST).terms.runs, 0);
            vm.assertEq(permissions.appointmentOf(address(pool), issuer, MANIFEST).issued, 0);
        }
    }

    function test_whatIsBeyondTheBoundsIsRefusedByName() external {
        appoint(MANIFEST, SCOPE);
        Terms memory bounds = boundsOf(SCOPE);
        QueryPermit memory permit = permitOf(MANIFEST);
        permit.terms.price -= 1;
        expectRefused(permit, abi.encodeWithSelector(PermitIssuers.PermitTooCheap.selector, 100, 0));
        permit = permitOf(MANIFEST);
        permit.terms.opensAt -= 1;
        bytes memory window =
            abi.encodeWithSelector(PermitIssuers.PermitOutsideWindow.selector, bounds.opensAt, bounds.closesAt);
        expectRefused(permit, window);
        permit = permitOf(MANIFEST);
        permit.terms.closesAt += 1;
        expectRefused(permit, window);
        permit = permitOf(MANIFEST);
        permit.terms.scopeDigest = 0;
        expectRefused(permit, abi.encodeWithSelector(PermitIssuers.PermitScopeOther.selector, bytes32(0), SCOPE));
        permit = permitOf(MANIFEST);
        permit.terms.runs = 11;
        expectRefused(permit, abi.encodeWithSelector(PermitIssuers.PermitRunsExceeded.selector, 11, 10));
        // Its own time is its expiry.
        permit = permitOf(MANIFEST);
        permit.terms.closesAt = uint64(block.timestamp + 1);
        vm.warp(block.timestamp + 2);
        expectRefused(
            permit,
            abi.encodeWithSelector(
                PermitIssuers.TermsInvalid.selector, permit.terms.runs, permit.terms.opensAt, permit.terms.closesAt
            )
        );
    }

    /// Who sees the grantee's transaction, or the file, gains nothing.
    function test_onlyTheGranteeRedeems() external {
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory signature = signed(ISSUER_KEY, permit);
        address thief = address(0xbad);
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(PermitIssuers.OnlyGrantee.selector, thief, address(this)));
        permissions.redeem(permit, signature);
        permit.grantee = thief;
        vm.prank(thief);
        vm.expectRevert(abi.encodeWithSelector(PermitIssuers.PermitSignatureInvalid.selector, issuer));
        permissions.redeem(permit, signature);
        vm.assertEq(permissions.appointmentOf(address(pool), issuer, MANIFEST).issued, 0);
    }

    function test_aSignatureIsTheIssuersForThisChainAndInOneForm() external {
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory other = signed(0xbad, permit);
        refused(PermitIssuers.PermitSignatureInvalid.selector);
        permissions.redeem(permit, other);
        bytes memory own = signed(ISSUER_KEY, permit);
        vm.chainId(block.chainid + 1);
        refused(PermitIssuers.PermitSignatureInvalid.selector);
        permissions.redeem(permit, own);
        vm.chainId(31_337);
        // The same point with s negated signs as well, by the curve; not here.
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := mload(add(own, 0x20))
            s := mload(add(own, 0x40))
        }
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory high = abi.encodePacked(r, bytes32(order - uint256(s)), uint8(own[64]) == 27 ? uint8(28) : uint8(27));
        refused(PermitIssuers.PermitSignatureInvalid.selector);
        permissions.redeem(permit, high);
        refused(PermitIssuers.PermitSignatureInvalid.selector);
        permissions.redeem(permit, "");
        permissions.redeem(permit, own);
    }

    /// An issuer may be a contract wallet (ERC-1271).
    function test_aContractWalletIssues() external {
        issuer = address(new ContractWallet(vm.addr(ISSUER_KEY)));
        appoint(MANIFEST, 0);
        QueryPermit memory permit = permitOf(MANIFEST);
        bytes memory other = signed(0xbad, permit);
        refused(PermitIssuers.PermitSignatureInvalid.selector);
        permissions.redeem(permit, other);
        redeemed(permit);
        vm.assertTrue(permissions.usable(address(this), address(pool), MANIFEST));
    }
}
