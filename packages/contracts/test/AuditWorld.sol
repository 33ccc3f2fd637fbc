// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DirectPayments, Offer} from "../solidity/market/DirectPayments.sol";
import {CallingToken, FeeToken} from "./OddTokens.sol";
import {World} from "./World.sol";

/// What the tests of an auditor's ideas begin with.
abstract contract AuditWorld is World {
    uint256 internal constant OWNER_KEY = 0x0123;

    function setUp() public {
        build();
    }

    function leafOf(uint256 i, bytes memory data_) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(i, keccak256(data_)))));
    }

    function offerOf(address seller, FeeToken token_) internal view returns (Offer memory) {
        return offerOf(seller, CallingToken(address(token_)));
    }

    function offerOf(address seller, CallingToken token_) internal view returns (Offer memory) {
        return Offer(
            seller, address(this), address(9), token_, 1_000, 0,
            uint64(block.timestamp + 10), uint64(block.timestamp + 20), 0, 1
        );
    }

    function signedOffer(DirectPayments payments, Offer memory offer) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(OWNER_KEY, payments.hashOf(offer));
        return abi.encodePacked(r, s, v);
    }
}
