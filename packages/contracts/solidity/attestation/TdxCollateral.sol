// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Der} from "./Der.sol";
import {IntelJson} from "./IntelJson.sol";
import {Certificate, RevocationList, X509} from "./X509.sol";

/// @notice Intel's words for how current a platform is, and what a verification can end with besides.
enum TcbStatus {
    None,
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
    NotSupported,
    RelaunchAdvised,
    RelaunchAdvisedConfigurationNeeded
}

/// @notice A certificate authority or signer that the root certified.
struct Authority {
    bytes32 x;
    bytes32 y;
    bytes32 subject;
    uint64 notBefore;
    uint64 notAfter;
    /// @dev Whether it may certify (a PCK authority); else it signs TCB info and identities.
    bool certifies;
    /// @dev Of its certificate: the root may revoke it at any later time.
    uint256 serial;
}

/// @notice From when to when something counts.
struct Currency {
    uint64 from;
    uint64 until;
}

/// @notice A TDX module, or the quoting enclave: SVNs with their statuses, three bytes each, the highest first.
struct Module {
    bytes32 signer;
    uint64 attributes;
    uint64 attributesMask;
    uint8 count;
    uint256 levels;
}

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
contract TdxCollateral {
    using Der for bytes;

    /// @notice keccak256 of the root's public key: who certifies everything here.
    bytes32 public immutable root;
    bytes32 private immutable _rootSubject;
    bytes32 private immutable _rootX;
    bytes32 private immutable _rootY;
    uint64 private immutable _rootNotAfter;

    uint256 private constant MAXIMUM_LEVELS = 10;

    mapping(bytes32 id => Authority) private _authorities;
    mapping(bytes32 issuer => Currency) private _lists;
    mapping(bytes32 issuer => mapping(uint256 serial => bool)) public revoked;
    /// @dev By FMSPC (6 bytes) and PCE id (2 bytes).
    mapping(bytes8 platform => TcbInfo) private _infos;
    mapping(bytes8 platform => mapping(uint256 slot => Level)) private _levels;
    mapping(bytes8 platform => mapping(uint256 slot => Module)) private _modules;
    Identity private _identity;

    event AuthorityAdded(bytes32 indexed id, bytes32 subject, bool certifies, uint64 notAfter);
    event RevocationListAdded(bytes32 indexed issuer, uint64 thisUpdate, uint64 nextUpdate, uint256 count);
    event TcbInfoAdded(bytes8 indexed platform, uint64 issued, uint64 until, uint32 evaluation, uint256 levels);
    event IdentityAdded(uint64 issued, uint64 until, uint32 evaluation);

    error SignatureInvalid(bytes32 signer);
    error IssuerOther(bytes32 given, bytes32 expected);
    error AuthorityUnknown(bytes32 id);
    error AuthorityWrongKind(bytes32 id, bool certifies);
    error OutOfDate(uint64 from, uint64 until, uint256 time);
    error NotNewer(uint64 given, uint64 current);
    error IsRevoked(bytes32 issuer, uint256 serial);
    error ListMissing(bytes32 issuer);
    error TcbInfoMissing(bytes8 platform);
    error IdentityMissing(bytes32 authority);
    error TooManyLevels(uint256 count);
    error StatusUnknown(uint256 offset);
    error LevelsNotDescending(uint256 offset);

    /// @param rootCertificate The self-signed certificate that everything must come from.
    constructor(bytes memory rootCertificate) {
        Certificate memory c = X509.parse(rootCertificate, 0);
        bytes32 id = keccak256(abi.encode(c.x, c.y));
        if (!c.authority) revert AuthorityWrongKind(id, false);
        if (c.issuer != c.subject) revert IssuerOther(c.issuer, c.subject);
        if (!X509.verify(c.signedHash, c.r, c.s, c.x, c.y)) revert SignatureInvalid(id);
        root = id;
        _rootSubject = c.subject;
        _rootX = c.x;
        _rootY = c.y;
        _rootNotAfter = c.notAfter;
    }

    /// @notice Adds a certificate that the root signed: an authority of platform certificates, or the collateral's signer.
    /// The root's revocation list must be here and current.
    function addAuthority(bytes calldata certificate) external returns (bytes32 id) {
        Certificate memory c = X509.parse(certificate, 0);
        if (c.issuer != _rootSubject) revert IssuerOther(c.issuer, _rootSubject);
        if (!X509.verify(c.signedHash, c.r, c.s, _rootX, _rootY)) revert SignatureInvalid(root);
        _requireNow(c.notBefore, c.notAfter);
        _requireListed(root);
        if (revoked[root][c.serial]) revert IsRevoked(root, c.serial);
        id = keccak256(abi.encode(c.x, c.y));
        _authorities[id] = Authority(c.x, c.y, c.subject, c.notBefore, c.notAfter, c.authority, c.serial);
        emit AuthorityAdded(id, c.subject, c.authority, c.notAfter);
    }

    /// @notice Adds a revocation list of the root (`issuer` is {root}) or of an authority.
    function addRevocationList(bytes calldata der, bytes32 issuer) external {
        RevocationList memory list = X509.parseList(der);
        (bytes32 x, bytes32 y, bytes32 subject) = (_rootX, _rootY, _rootSubject);
        if (issuer != root) {
            Authority memory authority = _authority(issuer, true);
            (x, y, subject) = (authority.x, authority.y, authority.subject);
        }
        if (list.issuer != subject) revert IssuerOther(list.issuer, subject);
        if (!X509.verify(list.signedHash, list.r, list.s, x, y)) revert SignatureInvalid(issuer);
        _requireNow(list.thisUpdate, list.nextUpdate);
        if (list.thisUpdate <= _lists[issuer].from) revert NotNewer(list.thisUpdate, _lists[issuer].from);
        _lists[issuer] = Currency(list.thisUpdate, list.nextUpdate);
        for (uint256 i; i < list.serials.length; ++i) {
            revoked[issuer][list.serials[i]] = true;
        }
        emit RevocationListAdded(issuer, list.thisUpdate, list.nextUpdate, list.serials.length);
    }

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

    /// @notice A certified authority or signer; all zero when there is none.
    function getAuthority(bytes32 id) external view returns (Authority memory) {
        return _authorities[id];
    }

    /// @notice From when to when a revocation list of this issuer counts; zeros when there is none.
    function getRevocationList(bytes32 issuer) external view returns (Currency memory) {
        return _lists[issuer];
    }

    /// @notice What is known of a platform: FMSPC (6 bytes), then PCE id (2 bytes).
    function getTcbInfo(bytes8 platform) external view returns (TcbInfo memory) {
        return _infos[platform];
    }

    /// @notice The quoting enclave as Intel describes it.
    function getIdentity() external view returns (Identity memory) {
        return _identity;
    }

    /// What the root says of it now, by its newest list.
    function _authority(bytes32 id, bool certifies) private view returns (Authority memory authority) {
        authority = _authorities[id];
        if (authority.notAfter == 0) revert AuthorityUnknown(id);
        if (authority.certifies != certifies) revert AuthorityWrongKind(id, authority.certifies);
        _requireNow(authority.notBefore, authority.notAfter);
        // The root signs for it: an expired root vouches for nothing.
        _requireNow(0, _rootNotAfter);
        _requireListed(root);
        if (revoked[root][authority.serial]) revert IsRevoked(root, authority.serial);
    }

    /// What a signer signed before the root revoked it counts no more; that its certificate ran out since is no fault.
    function _requireUnrevoked(bytes32 signer) private view {
        uint256 serial = _authorities[signer].serial;
        if (revoked[root][serial]) revert IsRevoked(root, serial);
    }

    function _requireNow(uint64 from, uint64 until) private view {
        if (block.timestamp < from || block.timestamp > until) revert OutOfDate(from, until, block.timestamp);
    }

    function _requireListed(bytes32 issuer) private view {
        Currency memory list = _lists[issuer];
        if (list.until == 0) revert ListMissing(issuer);
        _requireNow(list.from, list.until);
    }

    function _slot(uint32 generation, uint256 index) private pure returns (uint256) {
        return uint256(generation) << 16 | index;
    }

    function _requireSigned(bytes calldata text, bytes calldata signature, bytes32 signer) private view {
        Authority memory authority = _authority(signer, false);
        if (signature.length != 64) revert SignatureInvalid(signer);
        if (
            !X509.verify(
                sha256(text), bytes32(signature[:32]), bytes32(signature[32:]), authority.x, authority.y
            )
        ) revert SignatureInvalid(signer);
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

    function _readModule(bytes memory text, uint256 p, bytes memory head)
        private
        pure
        returns (Module memory module, uint256 next)
    {
        uint256 high;
        uint256 low;
        p = IntelJson.expect(text, p, head);
        (high, low, p) = IntelJson.hexadecimal48(text, p);
        module.signer = keccak256(abi.encodePacked(uint128(high), uint256(low)));
        (high, p) = _hex(text, p, ',"attributes":', 8);
        module.attributes = uint64(high);
        (high, p) = _hex(text, p, ',"attributesMask":', 8);
        module.attributesMask = uint64(high);
        next = p;
    }

    function _readIsvLevels(bytes memory text, uint256 p)
        private
        pure
        returns (uint256 levels, uint8 count, uint256 next)
    {
        p = IntelJson.expect(text, p, ',"tcbLevels":[');
        uint256 last = type(uint256).max;
        while (true) {
            uint256 svn;
            TcbStatus status;
            if (count == MAXIMUM_LEVELS) revert TooManyLevels(count);
            (svn, p) = _number(text, p, '{"tcb":{"isvsvn":');
            if (svn > type(uint16).max || svn >= last) revert LevelsNotDescending(p);
            last = svn;
            (status, p) = _readStatus(text, IntelJson.expect(text, p, "}"));
            levels |= (svn << 8 | uint256(status)) << (24 * count);
            ++count;
            if (IntelJson.has(text, p, "]")) return (levels, count, p + 1);
            p = IntelJson.expect(text, p, ",");
        }
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

    function _readComponents(bytes memory text, uint256 p) private pure returns (uint256 components, uint256) {
        for (uint256 i; i < 16; ++i) {
            uint256 svn;
            (svn, p) = _number(text, p, '{"svn":');
            if (svn > 255) revert IntelJson.JsonUnexpected(p);
            components = components << 8 | svn;
            if (IntelJson.has(text, p, ',"category":')) (, p) = IntelJson.quoted(text, p + 12);
            if (IntelJson.has(text, p, ',"type":')) (, p) = IntelJson.quoted(text, p + 8);
            p = IntelJson.expect(text, p, i == 15 ? bytes("}]") : bytes("},"));
        }
        return (components, p);
    }

    function _readStatus(bytes memory text, uint256 p) private pure returns (TcbStatus status, uint256) {
        p = IntelJson.expect(text, p, ',"tcbDate":');
        (, p) = IntelJson.moment(text, p);
        p = IntelJson.expect(text, p, ',"tcbStatus":');
        bytes32 name;
        uint256 start = p;
        (name, p) = IntelJson.quoted(text, p);
        if (name == keccak256("UpToDate")) status = TcbStatus.UpToDate;
        else if (name == keccak256("SWHardeningNeeded")) status = TcbStatus.SWHardeningNeeded;
        else if (name == keccak256("ConfigurationNeeded")) status = TcbStatus.ConfigurationNeeded;
        else if (name == keccak256("ConfigurationAndSWHardeningNeeded")) {
            status = TcbStatus.ConfigurationAndSWHardeningNeeded;
        } else if (name == keccak256("OutOfDate")) status = TcbStatus.OutOfDate;
        else if (name == keccak256("OutOfDateConfigurationNeeded")) status = TcbStatus.OutOfDateConfigurationNeeded;
        else if (name == keccak256("Revoked")) status = TcbStatus.Revoked;
        else revert StatusUnknown(start);
        p = IntelJson.skipStrings(text, p, ',"advisoryIDs":[');
        return (status, IntelJson.expect(text, p, "}"));
    }

    function _number(bytes memory text, uint256 p, bytes memory head) private pure returns (uint256, uint256) {
        return IntelJson.number(text, IntelJson.expect(text, p, head));
    }

    function _hex(bytes memory text, uint256 p, bytes memory head, uint256 length)
        private
        pure
        returns (uint256, uint256)
    {
        return IntelJson.hexadecimal(text, IntelJson.expect(text, p, head), length);
    }
}
