// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IntelJson} from "./IntelJson.sol";
import {Module, TcbStatus, TcbText} from "./TcbText.sol";
import {Authority, TdxAuthorities} from "./TdxAuthorities.sol";

/// @notice One TCB level of a platform.
struct Level {
    /// @dev 16 SGX components, then 16 TDX components.
    bytes32 components;
    uint16 pceSvn;
    TcbStatus status;
}

/// @notice What is known of a platform; its levels and modules stand beside it.
struct TcbInfo {
    uint64 issued;
    uint64 until;
    uint32 evaluation;
    uint16 count;
    bool known;
    /// @dev Grows with every replacement, so that what belongs to older info is not found any more.
    uint32 generation;
    /// @dev Who signed it: it counts as long as its signer does.
    bytes32 signedBy;
}

/// @notice The quoting enclave as Intel describes it.
struct Identity {
    uint64 issued;
    uint64 until;
    uint32 evaluation;
    uint16 productId;
    uint32 miscSelect;
    uint32 miscSelectMask;
    uint128 attributes;
    uint128 attributesMask;
    bytes32 signer;
    uint256 levels;
    uint8 count;
    /// @dev Whose signature is under it: it counts as long as that signer does.
    bytes32 signedBy;
}

/// @notice All that the verification of one quote needs, read in one call.
struct Snapshot {
    Authority authority;
    Identity identity;
    Module module;
    Level[] levels;
}

/// @title Intel's collateral on chain: authorities, revocation lists, TCB info and the quoting enclave's identity
/// @notice Anyone brings it; only what the root's chain signed is kept, and only what is newer replaces anything. There is no
/// owner. What was revoked once stays revoked: whatever is used is looked up in the root's list again, so an authority, a
/// signer, and all that they signed, count no more from the revocation on.
contract TdxCollateral is TdxAuthorities, TcbText {
    /// @dev By FMSPC (6 bytes) and PCE id (2 bytes).
    mapping(bytes8 platform => TcbInfo) private _infos;
    mapping(bytes8 platform => mapping(uint256 slot => Level)) private _levels;
    mapping(bytes8 platform => mapping(uint256 slot => Module)) private _modules;
    Identity private _identity;

    event TcbInfoAdded(bytes8 indexed platform, uint64 issued, uint64 until, uint32 evaluation, uint256 levels);
    event IdentityAdded(uint64 issued, uint64 until, uint32 evaluation);

    error TcbInfoMissing(bytes8 platform);
    error IdentityMissing(bytes32 authority);

    constructor(bytes memory rootCertificate) TdxAuthorities(rootCertificate) {}

    /// @notice Adds TCB info for one platform: the text of the `tcbInfo` object exactly as Intel signed it.
    /// @param signature r || s, as in Intel's answer.
    function addTcbInfo(bytes calldata text, bytes calldata signature, bytes32 signer) external {
        _requireSigned(text, signature, signer);
        (TcbInfo memory info, bytes8 platform, uint256 p) = _readHead(text);
        TcbInfo memory current = _infos[platform];
        // What a revoked signer left behind bars the way to nothing that is genuine.
        if (current.known && !revoked[root][_authorities[current.signedBy].serial]) {
            if (info.issued <= current.issued) revert NotNewer(info.issued, current.issued);
            // Intel counts evaluations: a lower one under a newer date would bring old rules back.
            if (info.evaluation < current.evaluation) revert NotNewer(info.evaluation, current.evaluation);
        }
        info.generation = current.generation + 1;
        p = _readModules(text, p, platform, info.generation);
        (info.count, p) = _readLevels(text, p, platform, info.generation);
        if (p != text.length) revert IntelJson.JsonUnexpected(p);
        info.known = true;
        info.signedBy = signer;
        _infos[platform] = info;
        emit TcbInfoAdded(platform, info.issued, info.until, info.evaluation, info.count);
    }

    /// @notice Adds the identity of the TDX quoting enclave: the text of the `enclaveIdentity` object as Intel signed it.
    function addIdentity(bytes calldata text_, bytes calldata signature, bytes32 signer) external {
        _requireSigned(text_, signature, signer);
        bytes memory text = text_;
        Identity memory identity;
        uint256 p = IntelJson.expect(text, 0, '{"id":"TD_QE","version":2');
        uint256 value;
        p = IntelJson.expect(text, p, ',"issueDate":');
        (identity.issued, p) = IntelJson.moment(text, p);
        p = IntelJson.expect(text, p, ',"nextUpdate":');
        (identity.until, p) = IntelJson.moment(text, p);
        _requireNow(identity.issued, identity.until);
        (value, p) = _number(text, p, ',"tcbEvaluationDataNumber":');
        identity.evaluation = uint32(value);
        (value, p) = _hex(text, p, ',"miscselect":', 4);
        identity.miscSelect = uint32(value);
        (value, p) = _hex(text, p, ',"miscselectMask":', 4);
        identity.miscSelectMask = uint32(value);
        (value, p) = _hex(text, p, ',"attributes":', 16);
        identity.attributes = uint128(value);
        (value, p) = _hex(text, p, ',"attributesMask":', 16);
        identity.attributesMask = uint128(value);
        (value, p) = _hex(text, p, ',"mrsigner":', 32);
        identity.signer = bytes32(value);
        (value, p) = _number(text, p, ',"isvprodid":');
        identity.productId = uint16(value);
        (identity.levels, identity.count, p) = _readIsvLevels(text, p);
        p = IntelJson.expect(text, p, "}");
        if (p != text.length) revert IntelJson.JsonUnexpected(p);
        if (_identity.until != 0 && !revoked[root][_authorities[_identity.signedBy].serial]) {
            if (identity.issued <= _identity.issued) revert NotNewer(identity.issued, _identity.issued);
            if (identity.evaluation < _identity.evaluation) revert NotNewer(identity.evaluation, _identity.evaluation);
        }
        identity.signedBy = signer;
        _identity = identity;
        emit IdentityAdded(identity.issued, identity.until, identity.evaluation);
    }

    /// @notice What the verification of a quote needs, and nothing that is not current: reverts when the authority, a
    /// revocation list, TCB info or the identity is missing or out of date, or the platform's certificate is revoked.
    /// @param major Major version of the TDX module.
    function snapshot(bytes32 authority, uint256 serial, bytes8 platform, uint256 major)
        external
        view
        returns (Snapshot memory all)
    {
        all.authority = _authority(authority, true);
        _requireListed(authority);
        if (revoked[authority][serial]) revert IsRevoked(authority, serial);
        all.identity = _identity;
        if (all.identity.until == 0) revert IdentityMissing(authority);
        _requireNow(all.identity.issued, all.identity.until);
        _requireUnrevoked(all.identity.signedBy);
        TcbInfo memory info = _infos[platform];
        if (!info.known) revert TcbInfoMissing(platform);
        _requireNow(info.issued, info.until);
        if (info.signedBy != all.identity.signedBy) _requireUnrevoked(info.signedBy);
        all.module = _modules[platform][_slot(info.generation, major)];
        all.levels = new Level[](info.count);
        for (uint256 i; i < info.count; ++i) {
            all.levels[i] = _levels[platform][_slot(info.generation, i)];
        }
    }

    /// @notice What is known of a platform: FMSPC (6 bytes), then PCE id (2 bytes).
    function getTcbInfo(bytes8 platform) external view returns (TcbInfo memory) {
        return _infos[platform];
    }

    /// @notice The quoting enclave as Intel describes it.
    function getIdentity() external view returns (Identity memory) {
        return _identity;
    }

    function _slot(uint32 generation, uint256 index) private pure returns (uint256) {
        return uint256(generation) << 16 | index;
    }

    function _readHead(bytes memory text)
        private
        view
        returns (TcbInfo memory info, bytes8 platform, uint256 p)
    {
        uint256 value;
        p = IntelJson.expect(text, 0, '{"id":"TDX","version":3');
        p = IntelJson.expect(text, p, ',"issueDate":');
        (info.issued, p) = IntelJson.moment(text, p);
        p = IntelJson.expect(text, p, ',"nextUpdate":');
        (info.until, p) = IntelJson.moment(text, p);
        _requireNow(info.issued, info.until);
        (value, p) = _hex(text, p, ',"fmspc":', 6);
        uint256 key = value << 16;
        (value, p) = _hex(text, p, ',"pceId":', 2);
        platform = bytes8(uint64(key | value));
        p = IntelJson.expect(text, p, ',"tcbType":0');
        (value, p) = _number(text, p, ',"tcbEvaluationDataNumber":');
        info.evaluation = uint32(value);
    }

    function _readModules(bytes memory text, uint256 p, bytes8 platform, uint32 generation)
        private
        returns (uint256)
    {
        Module memory module;
        p = IntelJson.expect(text, p, ',"tdxModule":{');
        (module, p) = _readModule(text, p, '"mrsigner":');
        p = IntelJson.expect(text, p, "}");
        _modules[platform][_slot(generation, 0)] = module;
        if (!IntelJson.has(text, p, ',"tdxModuleIdentities":[')) return p;
        p += 24;
        if (IntelJson.has(text, p, "]")) return p + 1;
        p = _readLaterModule(text, p, platform, generation);
        while (!IntelJson.has(text, p, "]")) {
            p = IntelJson.expect(text, p, ",");
            p = _readLaterModule(text, p, platform, generation);
        }
        return p + 1;
    }

    function _readLaterModule(bytes memory text, uint256 p, bytes8 platform, uint32 generation)
        private
        returns (uint256)
    {
        Module memory module;
        uint256 number;
        p = IntelJson.expect(text, p, '{"id":"TDX_');
        (number, p) = IntelJson.digits(text, p, 1);
        p = IntelJson.expect(text, p, '"');
        (module, p) = _readModule(text, p, ',"mrsigner":');
        (module.levels, module.count, p) = _readIsvLevels(text, p);
        p = IntelJson.expect(text, p, "}");
        // Slot 0 is the base module; a version twice would leave open which one counts.
        if (number == 0 || _modules[platform][_slot(generation, number)].count != 0) {
            revert IntelJson.JsonUnexpected(p);
        }
        _modules[platform][_slot(generation, number)] = module;
        return p;
    }

    function _readLevels(bytes memory text, uint256 p, bytes8 platform, uint32 generation)
        private
        returns (uint16 count, uint256)
    {
        p = IntelJson.expect(text, p, ',"tcbLevels":[');
        while (true) {
            Level memory level;
            uint256 sgx;
            uint256 tdx;
            uint256 pceSvn;
            p = IntelJson.expect(text, p, '{"tcb":{"sgxtcbcomponents":[');
            (sgx, p) = _readComponents(text, p);
            (pceSvn, p) = _number(text, p, ',"pcesvn":');
            if (pceSvn > type(uint16).max) revert IntelJson.JsonUnexpected(p);
            p = IntelJson.expect(text, p, ',"tdxtcbcomponents":[');
            (tdx, p) = _readComponents(text, p);
            (level.status, p) = _readStatus(text, IntelJson.expect(text, p, "}"));
            level.components = bytes32(sgx << 128 | tdx);
            level.pceSvn = uint16(pceSvn);
            _levels[platform][_slot(generation, count)] = level;
            ++count;
            if (IntelJson.has(text, p, "]")) break;
            p = IntelJson.expect(text, p, ",");
        }
        return (count, IntelJson.expect(text, p + 1, "}"));
    }
}
