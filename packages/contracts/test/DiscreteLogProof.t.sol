// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DiscreteLogProof} from "../solidity/threshold/DiscreteLogProof.sol";

/// @notice A partial decryption made by @sealpool/crypto (committee of 3, any 2; `partialDecryptionOnChain`).
contract DiscreteLogProofTest {
    event GasUsed(uint256 gas);

    function _claim() internal pure returns (DiscreteLogProof.Claim memory) {
        return DiscreteLogProof.Claim({
            key: DiscreteLogProof.CompressedPoint(2, 0x7d82e0a0dd4a772e8aace0f53a871b06086b955984e664eabf0b50e9262f4d00),
            base: DiscreteLogProof.CompressedPoint(3, 0x7b8c9f3ef6df0e098e4c41064930448f2eaeb330bacbc6237bb39c00dbd4766c),
            image: DiscreteLogProof.CompressedPoint(2, 0xd146bb97d7f8cb990d05a426f7a7909a088c3e79a9d4a9ef656260f305445adf),
            context: hex"16bb5c114320278fc61d3fb1422952878625c2201c3c328a119ffe459bb48726"
        });
    }

    function _proof() internal pure returns (DiscreteLogProof.Proof memory) {
        return DiscreteLogProof.Proof(0xc8ffc0fc932addc407fd243363d6dd5f61b4938f71928293c646b6ec69dd501f, 0xb3f7e9543017299b763dbceb7b65a5691f8eaf0c8963560b6a8ef115cdd9870a);
    }

    function _witness() internal pure returns (DiscreteLogProof.Witness memory) {
        return DiscreteLogProof.Witness({
            first: DiscreteLogProof.Point(0xf2ed2b9a5aa2facac8823d70dac52f6de4607a88c9c64213f0620787a1b102ad, 0x1736be487d7e9bb7014e2ad641633cbff251c28871338629f5e3568dc3b3fb3d),
            second: DiscreteLogProof.Point(0x60649f7deeb959bb5dcbad5aa438429d1b2fca2bbd81ba19503882f7f2a2443a, 0x4d9120cb2bd3632da038efed89c5fd85739031929f075f17ebb204414c01b220),
            scaledBase: DiscreteLogProof.Point(0xc6122a72132b939311f43e777b43d56662a7001868caabfc139100363530a264, 0xb589a51abfbf8ad42feaf4cec5e1b463df25abca1eecf6ee736fab54d7be4894),
            scaledImage: DiscreteLogProof.Point(0x88a7a9f76e4e03859fa9967fd5b2ea020fa813b6f33c46f013a4ea8eedff38da, 0x0af931ff8801c9488be16325e4047f15f747a92a492443747f1d224a93f2c323),
            inverse: 0x26b6dc75e0163596f9c082c0fed71a11bf458394419756d194ca0c116502d292
        });
    }

    function test_an_honest_part_is_accepted() public {
        DiscreteLogProof.Claim memory claim = _claim();
        DiscreteLogProof.Proof memory proof = _proof();
        DiscreteLogProof.Witness memory witness = _witness();
        uint256 before = gasleft();
        bool ok = DiscreteLogProof.verify(claim, proof, witness);
        uint256 used = before - gasleft();
        emit GasUsed(used);
        require(ok, "refused");
    }

    /// Any one value of the twenty changed, by any amount, makes the proof worth nothing.
    function testFuzz_one_changed_value_is_refused(uint8 place, uint256 change) public pure {
        change = change == 0 ? 1 : change;
        DiscreteLogProof.Claim memory claim = _claim();
        DiscreteLogProof.Proof memory proof = _proof();
        DiscreteLogProof.Witness memory witness = _witness();
        uint8 which = place % 19;
        if (which == 0) claim.key.x ^= change;
        if (which == 1) claim.base.x ^= change;
        if (which == 2) claim.image.x ^= change;
        if (which == 3) claim.key.prefix ^= _low(change);
        if (which == 4) claim.base.prefix ^= _low(change);
        if (which == 5) claim.image.prefix ^= _low(change);
        if (which == 6) claim.context[change % claim.context.length] ^= 0x01;
        if (which == 7) claim.context = bytes.concat(claim.context, hex"00");
        if (which == 8) proof.challenge ^= change;
        if (which == 9) proof.response ^= change;
        if (which == 10) witness.first.x ^= change;
        if (which == 11) witness.first.y ^= change;
        if (which == 12) witness.second.x ^= change;
        if (which == 13) witness.second.y ^= change;
        if (which == 14) witness.scaledBase.x ^= change;
        if (which == 15) witness.scaledBase.y ^= change;
        if (which == 16) witness.scaledImage.x ^= change;
        if (which == 17) witness.scaledImage.y ^= change;
        if (which == 18) witness.inverse ^= change;
        require(!DiscreteLogProof.verify(claim, proof, witness), "accepted");
    }

    /// Scalars and coordinates have one form each: adding the order, or the field's prime, is refused.
    function test_values_past_their_range_are_refused() public pure {
        DiscreteLogProof.Claim memory claim = _claim();
        DiscreteLogProof.Witness memory witness = _witness();
        DiscreteLogProof.Proof memory proof = _proof();
        proof.challenge = 0;
        require(!DiscreteLogProof.verify(claim, proof, witness), "zero challenge");
        proof = _proof();
        proof.response = 0;
        require(!DiscreteLogProof.verify(claim, proof, witness), "zero response");
        proof.response = DiscreteLogProof.ORDER;
        require(!DiscreteLogProof.verify(claim, proof, witness), "order as response");
        claim.key.x = 0;
        require(!DiscreteLogProof.verify(claim, _proof(), witness), "no key");
        claim = _claim();
        claim.key.x = DiscreteLogProof.ORDER;
        require(!DiscreteLogProof.verify(claim, _proof(), witness), "key past the order");
    }

    /// Points have one form each: a coordinate past the field's prime is refused, and a chord through one point twice is none.
    function test_points_past_the_prime_are_refused() public pure {
        DiscreteLogProof.Witness memory witness = _witness();
        witness.first.x += DiscreteLogProof.PRIME - witness.first.x;
        require(!DiscreteLogProof.verify(_claim(), _proof(), witness), "first.x is the prime");
        witness = _witness();
        witness.first.y = DiscreteLogProof.PRIME;
        require(!DiscreteLogProof.verify(_claim(), _proof(), witness), "first.y is the prime");
        witness = _witness();
        witness.scaledImage = witness.scaledBase;
        require(!DiscreteLogProof.verify(_claim(), _proof(), witness), "one point twice");
        witness = _witness();
        witness.inverse = 0;
        require(!DiscreteLogProof.verify(_claim(), _proof(), witness), "no inverse");
    }

    /// An honest proof for one base says nothing about another one.
    function test_bases_and_images_cannot_be_exchanged() public pure {
        DiscreteLogProof.Claim memory claim = _claim();
        (claim.base, claim.image) = (claim.image, claim.base);
        require(!DiscreteLogProof.verify(claim, _proof(), _witness()), "accepted");
    }

    function _low(uint256 change) private pure returns (uint8) {
        return uint8(change % 255) + 1;
    }
}
