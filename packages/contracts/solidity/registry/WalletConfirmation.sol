// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title Asks a contract wallet (ERC-1271) about a signature, at a bounded price
abstract contract WalletConfirmation {
    /// @notice What a contract wallet (ERC-1271) may use to check one signature of a batch.
    uint256 public constant WALLET_GAS = 500_000;

    error WalletGasShort(uint256 index, uint256 gasLeft, uint256 needed);

    /// Whether a contract wallet confirms a signature, within a bound: what it burns or answers harms nobody else in the batch.
    function _confirms(uint256 index, address wallet, bytes32 hash, bytes calldata signature)
        internal
        view
        returns (bool good)
    {
        bytes memory question = abi.encodeCall(IERC1271.isValidSignature, (hash, signature));
        bytes4 yes = IERC1271.isValidSignature.selector;
        // A sixty-fourth stays here. Who sends too little must not make an honest wallet look as if it refused.
        uint256 left = gasleft();
        if (left - left / 64 < WALLET_GAS + 3_000) revert WalletGasShort(index, left, WALLET_GAS);
        uint256 bounded = WALLET_GAS;
        assembly ("memory-safe") {
            mstore(0x00, 0)
            good := staticcall(bounded, wallet, add(question, 0x20), mload(question), 0x00, 0x20)
            good := and(good, and(gt(returndatasize(), 0x1f), eq(mload(0x00), yes)))
        }
    }
}
