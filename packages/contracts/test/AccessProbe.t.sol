// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessProbe} from "../solidity/access/AccessProbe.sol";

contract Answering {
    function one() external pure returns (uint256) {
        return 1;
    }

    function nothing() external pure {}

    function refuse() external pure {
        revert("no");
    }

    function loop() external pure {
        while (true) {}
    }

    function flood() external pure {
        assembly {
            return(0, 100000)
        }
    }

    function short() external pure {
        assembly {
            mstore(0, not(0))
            return(0, 8)
        }
    }
}

/// The probe is only ever simulated; what its creation returns is what an endpoint answers.
contract AccessProbeTest {
    uint256 internal constant SHARE = 300_000;
    Answering internal target = new Answering();

    function ask(AccessProbe.Question[] memory questions) public returns (AccessProbe.Answer[] memory) {
        return abi.decode(address(new AccessProbe(questions, SHARE)).code, (AccessProbe.Answer[]));
    }

    function test_everyAnswerIsWhatItsContractGaveWithinItsShare() external {
        bytes4[6] memory calls = [
            Answering.refuse.selector,
            Answering.loop.selector,
            Answering.flood.selector,
            Answering.short.selector,
            Answering.nothing.selector,
            Answering.one.selector
        ];
        AccessProbe.Question[] memory questions = new AccessProbe.Question[](6);
        for (uint256 i = 0; i < 6; ++i) questions[i] = AccessProbe.Question(address(target), abi.encodePacked(calls[i]));
        AccessProbe.Answer[] memory answers = ask(questions);
        require(!answers[0].ended && !answers[1].ended, "a call that failed counts as ended");
        require(answers[2].ended && answers[2].size == 100_000 && answers[2].word == 0, "the flood is not told");
        require(answers[3].size == 8 && answers[3].word == bytes32(uint256(type(uint64).max) << 192), "another one's bytes");
        require(answers[4].ended && answers[4].size == 0 && answers[4].word == 0, "an answer of nothing is not told");
        require(answers[5].ended && answers[5].size == 32 && uint256(answers[5].word) == 1, "the last one is not heard");
        require(answers[5].code == address(target).codehash, "another code");
    }

    function test_codeAloneIsNoCall() external {
        AccessProbe.Question[] memory questions = new AccessProbe.Question[](2);
        questions[0].target = address(target);
        questions[1].target = address(0xdead);
        AccessProbe.Answer[] memory answers = ask(questions);
        require(answers[0].code == address(target).codehash && !answers[0].ended, "a contract is told by its code");
        require(answers[1].code == address(0xdead).codehash && answers[1].size == 0, "nobody is told by nothing");
    }

    function test_tooLittleGasIsNoAnswer() external {
        AccessProbe.Question[] memory questions = new AccessProbe.Question[](1);
        questions[0] = AccessProbe.Question(address(target), abi.encodePacked(Answering.one.selector));
        require(ask(questions)[0].ended, "with enough it is one");
        try this.ask{gas: 300_000}(questions) {
            revert("an answer for want of gas");
        } catch (bytes memory reason) {
            require(bytes4(reason) == AccessProbe.ProbeGasShort.selector, "another reason than the gas");
        }
    }
}
