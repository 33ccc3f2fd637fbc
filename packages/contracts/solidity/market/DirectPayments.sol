// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {TokenIntake} from "./TokenIntake.sol";
import {TokenPayout} from "./TokenPayout.sol";

/// @notice An offer, signed by one side and accepted by the other, whose transaction it must be: nobody else can use it.
struct Offer {
    address seller;
    address buyer;
    /// @dev Decides when the buyer disputes; both sides name it by signing and accepting.
    address arbiter;
    IERC20 token;
    /// @dev The price. It is binding: exactly this is taken.
    uint256 amount;
    /// @dev Digest of what is sold: a job, a quote, a data set.
    bytes32 subject;
    /// @dev Last second at which the offer can be accepted.
    uint64 expiresAt;
    /// @dev Last second at which delivery counts.
    uint64 deliverBy;
    /// @dev Hash of the offer that this one counters; zero for a first one.
    bytes32 counterTo;
    uint256 nonce;
}

/// @notice Where a sale stands.
enum SaleState {
    None,
    Funded,
    Delivered,
    Disputed,
    Paid,
    Refunded,
    Resolved
}

/// @title Direct payment with offer, counter-offer, escrow, delivery, dispute and refund
/// @notice Money moves only along the states: it is in escrow until the buyer confirms, the buyer's time to object is over,
/// delivery is overdue, or the arbiter both sides named has divided it. Whom the token refuses is owed its part, and changes
/// nothing about how a sale ends.
contract DirectPayments is TokenIntake, TokenPayout, EIP712 {
    /// @notice The buyer's time to object after a delivery.
    uint256 public constant OBJECTION_WINDOW = 3 days;
    /// @notice An arbiter that has not decided after this long decides nothing: the buyer is refunded.
    uint256 public constant RULING_WINDOW = 30 days;

    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "Offer(address seller,address buyer,address arbiter,address token,uint256 amount,bytes32 subject,uint64 expiresAt,uint64 deliverBy,bytes32 counterTo,uint256 nonce)"
    );

    struct Sale {
        Offer offer;
        SaleState state;
        uint64 since;
        bytes32 receiptDigest;
    }

    mapping(bytes32 offerHash => Sale) private _sales;
    mapping(bytes32 offerHash => mapping(address signer => bool)) public withdrawn;

    event OfferAccepted(
        bytes32 indexed offerHash, address indexed seller, address indexed buyer, bytes32 subject, bytes32 counterTo
    );
    event OfferWithdrawn(bytes32 indexed offerHash, address indexed by);
    event SaleMoved(bytes32 indexed offerHash, SaleState state, bytes32 digest);
    event SaleEnded(bytes32 indexed offerHash, uint256 toSeller, uint256 toBuyer);

    error OfferExpired(uint64 expiresAt);
    error OfferDatesInvalid(uint64 expiresAt, uint64 deliverBy);
    error OfferIsWithdrawn(bytes32 offerHash, address signer);
    error OfferUsed(bytes32 offerHash);
    error OfferSignatureInvalid(address signer);
    error OnlyParty(address caller);
    error StateOther(bytes32 offerHash, SaleState state);
    error TooEarly(uint256 from);
    error TooLate(uint256 until);
    error ShareTooLarge(uint256 toSeller, uint256 amount);

    constructor() EIP712("Sealpool Payments", "1") {}

    /// @notice Accepts an offer that the other side signed; the price goes into escrow from the buyer's allowance.
    function accept(Offer calldata offer, bytes calldata signature) external nonReentrant returns (bytes32 offerHash) {
        if (block.timestamp > offer.expiresAt) revert OfferExpired(offer.expiresAt);
        if (offer.deliverBy < offer.expiresAt) revert OfferDatesInvalid(offer.expiresAt, offer.deliverBy);
        if (msg.sender != offer.seller && msg.sender != offer.buyer) revert OnlyParty(msg.sender);
        address signer = msg.sender == offer.buyer ? offer.seller : offer.buyer;
        offerHash = hashOf(offer);
        if (withdrawn[offerHash][signer]) revert OfferIsWithdrawn(offerHash, signer);
        if (_sales[offerHash].state != SaleState.None) revert OfferUsed(offerHash);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, offerHash, signature)) {
            revert OfferSignatureInvalid(signer);
        }
        _sales[offerHash] = Sale(offer, SaleState.Funded, uint64(block.timestamp), 0);
        emit OfferAccepted(offerHash, offer.seller, offer.buyer, offer.subject, offer.counterTo);
        _take(offer.token, offer.buyer, offer.amount);
    }

    /// @notice Makes one's own signature under an offer worthless, for example when countering it.
    function withdrawOffer(Offer calldata offer) external {
        if (msg.sender != offer.seller && msg.sender != offer.buyer) revert OnlyParty(msg.sender);
        bytes32 offerHash = hashOf(offer);
        withdrawn[offerHash][msg.sender] = true;
        emit OfferWithdrawn(offerHash, msg.sender);
    }

    /// @notice The seller says that it has delivered. `receiptDigest` names the receipt.
    function deliver(bytes32 offerHash, bytes32 receiptDigest) external {
        Sale storage sale = _in(offerHash, SaleState.Funded);
        if (msg.sender != sale.offer.seller) revert OnlyParty(msg.sender);
        if (block.timestamp > sale.offer.deliverBy) revert TooLate(sale.offer.deliverBy);
        sale.receiptDigest = receiptDigest;
        _move(offerHash, sale, SaleState.Delivered, receiptDigest);
    }

    /// @notice Pays the seller: the buyer at once, anyone after the buyer's time to object.
    function settle(bytes32 offerHash) external nonReentrant {
        Sale storage sale = _in(offerHash, SaleState.Delivered);
        uint256 from = sale.since + OBJECTION_WINDOW;
        if (msg.sender != sale.offer.buyer && block.timestamp <= from) revert TooEarly(from);
        _end(offerHash, sale, SaleState.Paid, sale.offer.amount);
    }

    /// @notice The buyer objects to a delivery. `evidenceDigest` names what it says.
    function dispute(bytes32 offerHash, bytes32 evidenceDigest) external {
        Sale storage sale = _in(offerHash, SaleState.Delivered);
        if (msg.sender != sale.offer.buyer) revert OnlyParty(msg.sender);
        uint256 until = sale.since + OBJECTION_WINDOW;
        if (block.timestamp > until) revert TooLate(until);
        _move(offerHash, sale, SaleState.Disputed, evidenceDigest);
    }

    /// @notice The arbiter divides what is in escrow.
    function rule(bytes32 offerHash, uint256 toSeller) external nonReentrant {
        Sale storage sale = _in(offerHash, SaleState.Disputed);
        if (msg.sender != sale.offer.arbiter) revert OnlyParty(msg.sender);
        if (toSeller > sale.offer.amount) revert ShareTooLarge(toSeller, sale.offer.amount);
        _end(offerHash, sale, SaleState.Resolved, toSeller);
    }

    /// @notice Returns the price when delivery is overdue, or when the arbiter never decided. Anyone.
    function refund(bytes32 offerHash) external nonReentrant {
        Sale storage sale = _sales[offerHash];
        uint256 from;
        if (sale.state == SaleState.Funded) from = sale.offer.deliverBy;
        else if (sale.state == SaleState.Disputed) from = sale.since + RULING_WINDOW;
        else revert StateOther(offerHash, sale.state);
        if (block.timestamp <= from) revert TooEarly(from);
        _end(offerHash, sale, SaleState.Refunded, 0);
    }

    /// @notice The sale under an offer; state None when it was not accepted.
    function getSale(bytes32 offerHash) external view returns (Sale memory) {
        return _sales[offerHash];
    }

    /// @notice What is signed: EIP-712, bound to chain and contract.
    function hashOf(Offer calldata offer) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(OFFER_TYPEHASH, offer)));
    }

    function _in(bytes32 offerHash, SaleState state) private view returns (Sale storage sale) {
        sale = _sales[offerHash];
        if (sale.state != state) revert StateOther(offerHash, sale.state);
    }

    function _move(bytes32 offerHash, Sale storage sale, SaleState state, bytes32 digest) private {
        sale.state = state;
        sale.since = uint64(block.timestamp);
        emit SaleMoved(offerHash, state, digest);
    }

    function _end(bytes32 offerHash, Sale storage sale, SaleState state, uint256 toSeller) private {
        _move(offerHash, sale, state, sale.receiptDigest);
        uint256 toBuyer = sale.offer.amount - toSeller;
        emit SaleEnded(offerHash, toSeller, toBuyer);
        _payOrOwe(sale.offer.token, sale.offer.seller, toSeller);
        _payOrOwe(sale.offer.token, sale.offer.buyer, toBuyer);
    }
}
