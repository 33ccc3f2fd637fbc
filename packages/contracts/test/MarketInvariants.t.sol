// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DirectPayments, Offer, SaleState} from "../solidity/market/DirectPayments.sol";
import {DisputeState, Disputes} from "../solidity/market/Disputes.sol";
import {RewardEpochs} from "../solidity/market/RewardEpochs.sol";
import {SignedStatement} from "../solidity/node/NodeRegistry.sol";
import {NodeStakes} from "../solidity/node/NodeStakes.sol";
import {StatementProof} from "../solidity/node/StatementGuard.sol";
import {World} from "./World.sol";

/// Stakes, disputes, sales and epochs of four people, in any order and at any time.
contract MarketWalker is World {
    uint256 public constant ACTORS = 4;
    uint256 public constant EACH = 1e24;
    uint256 private constant SECOND_NODE = 0xb0b;

    NodeStakes public stakes;
    Disputes public court;
    DirectPayments public payments;
    RewardEpochs public epochs;
    bytes32[] public sales;
    uint256 public epochPaidTwice;
    mapping(uint256 id => mapping(uint256 index => bool)) private _claimed;
    uint256 public supplyBefore;

    constructor() {
        build();
        register(SECOND_NODE, MEASUREMENT);
        stakes = new NodeStakes(protocolToken, nodes);
        court = new Disputes(protocolToken, address(this), 100);
        payments = new DirectPayments();
        epochs = new RewardEpochs();
        address[4] memory takers = [address(stakes), address(court), address(payments), address(epochs)];
        for (uint256 i; i < ACTORS; ++i) {
            protocolToken.transfer(actor(i), EACH);
            for (uint256 k; k < 4; ++k) {
                vm.prank(actor(i));
                protocolToken.approve(takers[k], type(uint256).max);
            }
        }
        supplyBefore = protocolToken.totalSupply();
    }

    function key(uint256 who) private pure returns (uint256) {
        return 0xac70 + who % ACTORS;
    }

    function actor(uint256 who) public pure returns (address) {
        return vm.addr(key(who));
    }

    function node(uint256 which) public pure returns (address) {
        return vm.addr(which % 2 == 0 ? NODE_KEY : SECOND_NODE);
    }

    function wait_(uint32 seconds_) external {
        // Now and then past the end of every registration: until 21 days after it no stake leaves.
        vm.warp(block.timestamp + (seconds_ % 7 == 0 ? 101 days : seconds_ % 23 days));
    }

    function stake(uint256 who, uint256 which, uint64 amount) external {
        vm.prank(actor(who));
        try stakes.stake(node(which), amount) {} catch {}
    }

    function announce(uint256 who, uint256 which) external {
        vm.prank(actor(who));
        try stakes.announceWithdrawal(node(which)) {} catch {}
    }

    function unstake(uint256 who, uint256 which) external {
        vm.prank(actor(who));
        try stakes.withdraw(node(which)) {} catch {}
    }

    /// The second node contradicts itself; seldom, because it can do so once only.
    function contradict(uint8 chance) external {
        if (chance % 8 != 0) return;
        SignedStatement[2] memory both;
        for (uint256 i; i < 2; ++i) {
            StatementProof memory proof = proveBy(SECOND_NODE, "sealpool/release/1", address(pool), 0, bytes32(i));
            both[i] = SignedStatement(
                "sealpool/release/1", address(pool), 0, bytes32(i), proof.digest, proof.nonce, proof.signature
            );
        }
        try nodes.proveEquivocation(both[0], both[1]) {} catch {}
    }

    function slash(uint256 who, uint256 which) external {
        vm.prank(actor(who));
        try stakes.slash(node(which)) {} catch {}
    }

    function openDispute(uint256 who, uint256 whom, uint64 amount) external {
        vm.prank(actor(who));
        try court.open(actor(whom), 0, 0, amount) {} catch {}
    }

    /// Whatever the state asks for next, or something else.
    function moveDispute(uint256 pick, uint8 step, bool side) external {
        uint256 count = court.disputeCount();
        if (count == 0) return;
        uint256 id = 1 + pick % count;
        Disputes.Dispute memory d = court.getDispute(id);
        if (step % 5 == 0) {
            vm.prank(d.defendant);
            try court.answer(id, 0) {} catch {}
        } else if (step % 5 == 1) {
            try court.rule(id, side, 0) {} catch {}
        } else if (step % 5 == 2) {
            vm.prank(d.forChallenger ? d.defendant : d.challenger);
            try court.appeal(id, 0) {} catch {}
        } else {
            try court.close(id) {} catch {}
        }
    }

    function sell(uint256 who, uint256 whom, uint64 amount, uint8 nonce_) external {
        Offer memory offer = Offer(
            actor(who), actor(whom), address(this), protocolToken, amount, 0,
            uint64(block.timestamp), uint64(block.timestamp + 1 days), 0, nonce_ % 4
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key(who), payments.hashOf(offer));
        vm.prank(actor(whom));
        try payments.accept(offer, abi.encodePacked(r, s, v)) returns (bytes32 hash) {
            sales.push(hash);
        } catch {}
    }

    function moveSale(uint256 pick, uint8 step, uint64 share) external {
        if (sales.length == 0) return;
        bytes32 hash = sales[pick % sales.length];
        Offer memory offer = payments.getSale(hash).offer;
        if (step % 5 == 0) {
            vm.prank(offer.seller);
            try payments.deliver(hash, 0) {} catch {}
        } else if (step % 5 == 1) {
            vm.prank(offer.buyer);
            try payments.dispute(hash, 0) {} catch {}
        } else if (step % 5 == 2) {
            try payments.rule(hash, share) {} catch {}
        } else if (step % 5 == 3) {
            try payments.settle(hash) {} catch {}
        } else {
            try payments.refund(hash) {} catch {}
        }
    }

    /// An epoch of two leaves that promises more than it holds.
    function openEpoch(uint256 who, uint64 total) external {
        uint256 number = epochs.nextNumber(actor(who));
        bytes32 a = epochs.leafOf(actor(who), number, 0, actor(0), 1_000);
        bytes32 b = epochs.leafOf(actor(who), number, 1, actor(1), 2_000);
        bytes32 top = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        vm.prank(actor(who));
        try epochs.open(protocolToken, top, total % 4_000, uint64(block.timestamp + 1 days)) {} catch {}
    }

    function claimEpoch(uint256 pick, uint256 index) external {
        uint256 count = epochs.epochCount();
        if (count == 0) return;
        (uint256 id, uint256 place) = (1 + pick % count, index % 2);
        bytes32[] memory proof = new bytes32[](1);
        RewardEpochs.Epoch memory epoch = epochs.getEpoch(id);
        proof[0] = place == 0
            ? epochs.leafOf(epoch.funder, epoch.number, 1, actor(1), 2_000)
            : epochs.leafOf(epoch.funder, epoch.number, 0, actor(0), 1_000);
        try epochs.claim(id, place, actor(place), 1_000 * (place + 1), proof) {
            if (_claimed[id][place]) ++epochPaidTwice;
            _claimed[id][place] = true;
        } catch {}
    }

    function closeEpoch(uint256 pick) external {
        uint256 count = epochs.epochCount();
        if (count == 0) return;
        uint256 id = 1 + pick % count;
        vm.prank(epochs.getEpoch(id).funder);
        try epochs.close(id) {} catch {}
    }

    function salesCount() external view returns (uint256) {
        return sales.length;
    }

    function balanceOf(address account) external view returns (uint256) {
        return protocolToken.balanceOf(account);
    }

    function supply() external view returns (uint256) {
        return protocolToken.totalSupply();
    }

}

contract MarketInvariantsTest is World {
    MarketWalker private walker;

    function setUp() public {
        walker = new MarketWalker();
        targetContract(address(walker));
    }

    function test_theMarketWalkerReachesEveryBook() external {
        walker.stake(0, 1, 1_000);
        walker.stake(1, 0, 700);
        walker.announce(1, 0);
        walker.openDispute(0, 1, 100);
        walker.moveDispute(0, 0, true);
        walker.moveDispute(0, 1, true);
        walker.moveDispute(0, 2, true);
        walker.moveDispute(0, 1, false);
        walker.sell(0, 1, 500, 0);
        walker.moveSale(0, 0, 0);
        walker.moveSale(0, 1, 0);
        walker.openEpoch(0, 2_500);
        walker.claimEpoch(0, 1);
        walker.claimEpoch(0, 0);
        vm.assertEq(walker.epochs().getEpoch(1).left, 500);
        walker.moveSale(0, 2, 200);
        vm.assertEq(uint256(walker.payments().getSale(walker.sales(0)).state), uint256(SaleState.Resolved));
        walker.wait_(22 days);
        walker.moveDispute(0, 3, false);
        vm.assertEq(uint256(walker.court().getDispute(1).state), uint256(DisputeState.Closed));
        walker.contradict(0);
        for (uint256 i; i < 3; ++i) walker.wait_(22 days);
        walker.wait_(13 days);
        walker.slash(3, 1);
        vm.assertEq(walker.stakes().totalOf(walker.node(1)), 0);
        walker.unstake(1, 0);
        vm.assertEq(walker.stakes().totalOf(walker.node(0)), 0);
        vm.assertEq(walker.supplyBefore() - walker.supply(), 1_000);
    }

    /// Stakes conserve: what stands for a node is what its operators staked, and the contract holds exactly that.
    function invariant_stakesConserve() external view {
        NodeStakes stakes = walker.stakes();
        uint256 held;
        for (uint256 n; n < 2; ++n) {
            uint256 leaving = stakes.leavingOf(walker.node(n));
            uint256 total = stakes.totalOf(walker.node(n)) + leaving;
            held += total;
            uint256 staked;
            uint256 announced;
            for (uint256 i; i < walker.ACTORS(); ++i) {
                NodeStakes.Stake memory own = stakes.stakeOf(walker.node(n), walker.actor(i));
                staked += own.amount;
                if (own.withdrawableFrom != 0) announced += own.amount;
            }
            // Slashed stakes stand there for ever, and total to nothing.
            vm.assertTrue((total == staked && leaving == announced) || total == 0);
        }
        vm.assertEq(walker.balanceOf(address(stakes)), held);
    }

    function invariant_disputesConserve() external view {
        Disputes court = walker.court();
        uint256 held;
        for (uint256 id = 1; id <= court.disputeCount(); ++id) {
            Disputes.Dispute memory d = court.getDispute(id);
            if (d.state != DisputeState.Closed) held += d.fromChallenger + d.fromDefendant;
        }
        vm.assertEq(walker.balanceOf(address(court)), held);
        uint256 won;
        uint256 lost;
        for (uint256 i; i < walker.ACTORS(); ++i) {
            won += court.recordOf(walker.actor(i)).won;
            lost += court.recordOf(walker.actor(i)).lost;
        }
        vm.assertEq(won, lost);
    }

    function invariant_salesHoldExactlyWhatIsUndecided() external view {
        DirectPayments payments = walker.payments();
        uint256 held;
        for (uint256 i; i < walker.salesCount(); ++i) {
            SaleState state = payments.getSale(walker.sales(i)).state;
            if (state == SaleState.Funded || state == SaleState.Delivered || state == SaleState.Disputed) {
                held += payments.getSale(walker.sales(i)).offer.amount;
            }
        }
        vm.assertEq(walker.balanceOf(address(payments)), held);
    }

    function invariant_epochsPayOnceAndNeverMoreThanTheyHold() external view {
        RewardEpochs epochs = walker.epochs();
        uint256 held;
        for (uint256 id = 1; id <= epochs.epochCount(); ++id) held += epochs.getEpoch(id).left;
        vm.assertEq(walker.balanceOf(address(epochs)), held);
        vm.assertEq(walker.epochPaidTwice(), 0);
    }

    /// All money is somewhere: with people, in the four contracts, or burned by a slash.
    function invariant_nothingIsLost() external view {
        uint256 sum = walker.balanceOf(address(walker)) + walker.balanceOf(address(walker.stakes()))
            + walker.balanceOf(address(walker.court())) + walker.balanceOf(address(walker.payments()))
            + walker.balanceOf(address(walker.epochs()));
        for (uint256 i; i < walker.ACTORS(); ++i) sum += walker.balanceOf(walker.actor(i));
        vm.assertEq(sum, walker.supply());
    }
}
