// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Asks contracts that nobody trusts, each within its share of gas: never deployed, only simulated as a creation
/// @notice Whoever is asked may revert, loop, run out of gas or answer with any number of bytes: it costs its own share of
/// gas, 32 bytes of its answer are looked at, and the other answers stay what they are.
contract AccessProbe {
    /// @param target Who is asked.
    /// @param data The call; empty when only the code counts.
    struct Question {
        address target;
        bytes data;
    }

    /// @param ended Whether the call came to an end by itself.
    /// @param size How many bytes it answered.
    /// @param word The first 32 of them, with zeros behind fewer.
    /// @param code Hash of the target's code, zero when there is no such account.
    struct Answer {
        bool ended;
        uint256 size;
        bytes32 word;
        bytes32 code;
    }

    /// @notice The endpoint gave the simulation less gas than its caller said.
    error ProbeGasShort(uint256 gasLeft, uint256 needed);

    constructor(Question[] memory questions, uint256 share) {
        Answer[] memory answers = new Answer[](questions.length);
        for (uint256 i = 0; i < questions.length; ++i) {
            answers[i] = _ask(questions[i].target, questions[i].data, share);
        }
        bytes memory encoded = abi.encode(answers);
        assembly ("memory-safe") {
            return(add(encoded, 32), mload(encoded))
        }
    }

    function _ask(address target, bytes memory data, uint256 share) private view returns (Answer memory answer) {
        answer.code = target.codehash;
        if (data.length == 0) return answer;
        // A call is given 63/64 of what is left at most, without a word about it: the answer would then be about the gas.
        uint256 left = gasleft();
        if (left - left / 64 < share + 10_000) revert ProbeGasShort(left, share + 10_000);
        bool ended;
        uint256 size;
        bytes32 word;
        assembly ("memory-safe") {
            mstore(0, 0)
            ended := staticcall(share, target, add(data, 32), mload(data), 0, 32)
            size := returndatasize()
            word := mload(0)
        }
        (answer.ended, answer.size, answer.word) = (ended, size, word);
    }
}
