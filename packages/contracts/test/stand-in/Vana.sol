// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// Stand-ins for Vana's contracts: the same signatures, a few lines of behaviour each, written for our tests.

contract VanaDataRegistry {
    struct ProofData { uint256 score; uint256 dlpId; string metadata; string proofUrl; string instruction; }
    struct Proof { bytes signature; ProofData data; }
    struct FileResponse { uint256 id; address ownerAddress; string url; uint256 schemaId; uint256 addedAtBlock; }
    struct Permission { address account; string key; }

    event FileAdded(uint256 indexed fileId, address indexed ownerAddress, string url);
    event FileAddedV2(uint256 indexed fileId, address indexed ownerAddress, string url, uint256 schemaId);
    event ProofAdded(uint256 indexed fileId, address indexed ownerAddress, uint256 proofIndex, uint256 dlpId, uint256 score, string proofUrl);
    event PermissionGranted(uint256 indexed fileId, address indexed account);

    error FileUrlAlreadyUsed();
    error NotFileOwner();

    uint256 public filesCount;
    mapping(uint256 => FileResponse) private _files;
    mapping(bytes32 => uint256) private _byUrl;
    mapping(uint256 => mapping(address => string)) private _keys;
    mapping(uint256 => Proof[]) private _proofs;

    function files(uint256 id) external view returns (FileResponse memory) { return _files[id]; }
    function fileIdByUrl(string memory url) external view returns (uint256) { return _byUrl[keccak256(bytes(url))]; }
    function fileProofs(uint256 id, uint256 index) external view returns (Proof memory) { return _proofs[id][index - 1]; }
    function filePermissions(uint256 id, address account) external view returns (string memory) { return _keys[id][account]; }
    function fileRefinements(uint256, uint256) external pure returns (string memory) { return ""; }

    function addFile(string memory url) external returns (uint256) { return _add(url, msg.sender, new Permission[](0), 0); }
    function addFileWithSchema(string memory url, uint256 schemaId) external returns (uint256) { return _add(url, msg.sender, new Permission[](0), schemaId); }
    function addFileWithPermissions(string memory url, address owner, Permission[] memory permissions) external returns (uint256) { return _add(url, owner, permissions, 0); }
    function addFileWithPermissionsAndSchema(string memory url, address owner, Permission[] memory permissions, uint256 schemaId) external returns (uint256) { return _add(url, owner, permissions, schemaId); }

    function addFilePermission(uint256 id, address account, string memory key) external {
        if (_files[id].ownerAddress != msg.sender) revert NotFileOwner();
        _keys[id][account] = key;
        emit PermissionGranted(id, account);
    }

    function addProof(uint256 id, Proof memory proof) external {
        _proofs[id].push(proof);
        emit ProofAdded(id, _files[id].ownerAddress, _proofs[id].length, proof.data.dlpId, proof.data.score, proof.data.proofUrl);
    }

    function _add(string memory url, address owner, Permission[] memory permissions, uint256 schemaId) private returns (uint256 id) {
        if (_byUrl[keccak256(bytes(url))] != 0) revert FileUrlAlreadyUsed();
        id = ++filesCount;
        _byUrl[keccak256(bytes(url))] = id;
        _files[id] = FileResponse(id, owner, url, schemaId, block.number);
        for (uint256 i; i < permissions.length; ++i) _keys[id][permissions[i].account] = permissions[i].key;
        emit FileAdded(id, owner, url);
        emit FileAddedV2(id, owner, url, schemaId);
    }
}

contract VanaTeePool {
    struct Job { uint256 fileId; uint256 bidAmount; uint8 status; uint256 addedTimestamp; address ownerAddress; address teeAddress; }

    uint256 public constant teeFee = 7;
    uint256 public jobsCount;
    mapping(uint256 => Job) private _jobs;
    mapping(uint256 => uint256[]) private _byFile;

    event JobSubmitted(uint256 indexed jobId, uint256 indexed fileId, address teeAddress, uint256 bidAmount);
    event JobCanceled(uint256 indexed jobId);

    error InsufficientFee();
    error NotJobOwner();
    error InvalidJobStatus();

    function jobs(uint256 id) external view returns (Job memory) { return _jobs[id]; }
    function fileJobIds(uint256 fileId) external view returns (uint256[] memory) { return _byFile[fileId]; }

    function requestContributionProof(uint256 fileId) external payable {
        if (msg.value < teeFee) revert InsufficientFee();
        uint256 id = ++jobsCount;
        _jobs[id] = Job(fileId, msg.value, 1, block.timestamp, msg.sender, address(0x7ee));
        _byFile[fileId].push(id);
        emit JobSubmitted(id, fileId, address(0x7ee), msg.value);
    }
    function cancelJob(uint256 id) external {
        if (_jobs[id].ownerAddress != msg.sender) revert NotJobOwner();
        if (_jobs[id].status != 1) revert InvalidJobStatus();
        _jobs[id].status = 3;
        payable(msg.sender).transfer(_jobs[id].bidAmount);
        emit JobCanceled(id);
    }
}

contract VanaPool {
    struct FileResponse { uint256 fileId; uint256 timestamp; uint256 proofIndex; uint256 rewardAmount; }

    string public name = "Pool";
    uint256 public dlpId = 3;
    address public dataRegistry;
    address public teePool = address(0x7e);
    address public token = address(0x70);
    string public publicKey = "04ab";
    string public proofInstruction = "https://proof";
    uint256 public fileRewardFactor = 5e18;
    mapping(uint256 => bool) private _rewarded;

    event RewardRequested(address indexed contributorAddress, uint256 indexed fileId, uint256 indexed proofIndex, uint256 rewardAmount);

    error FileAlreadyRewarded();

    constructor(address registry) { dataRegistry = registry; }

    function requestReward(uint256 fileId, uint256 proofIndex) external {
        if (_rewarded[fileId]) revert FileAlreadyRewarded();
        _rewarded[fileId] = true;
        uint256 score = VanaDataRegistry(dataRegistry).fileProofs(fileId, proofIndex).data.score;
        address owner = VanaDataRegistry(dataRegistry).files(fileId).ownerAddress;
        emit RewardRequested(owner, fileId, proofIndex, fileRewardFactor * score / 1e18);
    }
}

contract VanaRefinerRegistry {
    struct Schema { string name; string typ; string definitionUrl; }
    struct RefinerInfo { uint256 dlpId; address owner; string name; string schemaDefinitionUrl; string refinementInstructionUrl; }

    uint256 private _count;
    mapping(uint256 => Schema) private _schemas;

    event SchemaAdded(uint256 indexed schemaId, string name, string dialect, string definitionUrl);

    function schemas(uint256 id) external view returns (Schema memory) { return _schemas[id]; }
    function refiners(uint256 id) external pure returns (RefinerInfo memory r) {
        if (id == 1) r = RefinerInfo(3, address(5), "refiner", "ipfs://schema", "ipfs://image");
    }
    function dlpRefiners(uint256 dlpId) external pure returns (uint256[] memory ids) {
        ids = new uint256[](dlpId == 3 ? 1 : 0);
        if (dlpId == 3) ids[0] = 1;
    }
    function addSchema(string calldata name, string calldata typ, string calldata definitionUrl) external returns (uint256 id) {
        id = ++_count;
        _schemas[id] = Schema(name, typ, definitionUrl);
        emit SchemaAdded(id, name, typ, definitionUrl);
    }
}

contract VanaQueryEngine {
    struct PermissionInfo { uint256 permissionId; address grantee; bool approved; uint256 refinerId; string tableName; string columnName; address tokenAddress; uint256 price; }

    PermissionInfo[] private _permissions;

    event PermissionAdded(uint256 indexed permissionId, address indexed grantee, uint256 indexed refinerId, string tableName, string columnName, address tokenAddress, uint256 price);
    event PermissionApprovalUpdated(uint256 indexed permissionId, bool approved);

    error NotRefinerOwner();
    error PermissionNotFound();

    function addPermission(address grantee, uint256 refinerId, string calldata tableName, string calldata columnName, address tokenAddress, uint256 price) external returns (uint256 id) {
        if (refinerId == 0) revert NotRefinerOwner();
        id = _permissions.length + 1;
        _permissions.push(PermissionInfo(id, grantee, true, refinerId, tableName, columnName, tokenAddress, price));
        emit PermissionAdded(id, grantee, refinerId, tableName, columnName, tokenAddress, price);
    }
    function updatePermissionApproval(uint256 id, bool approved) external {
        if (id == 0 || id > _permissions.length) revert PermissionNotFound();
        _permissions[id - 1].approved = approved;
        emit PermissionApprovalUpdated(id, approved);
    }
    function getPermissions(uint256 refinerId, address grantee) external view returns (PermissionInfo[] memory found) {
        uint256 count;
        for (uint256 i; i < _permissions.length; ++i) if (_fits(i, refinerId, grantee)) ++count;
        found = new PermissionInfo[](count);
        for (uint256 i = _permissions.length; i > 0; --i) if (_fits(i - 1, refinerId, grantee)) found[--count] = _permissions[i - 1];
    }
    function _fits(uint256 i, uint256 refinerId, address grantee) private view returns (bool) {
        return _permissions[i].refinerId == refinerId && _permissions[i].approved
            && (_permissions[i].grantee == grantee || _permissions[i].grantee == address(0));
    }
}

contract VanaInstructionRegistry {
    struct ComputeInstructionInfo { bytes32 hash; address owner; string url; }

    uint256 public instructionsCount;
    mapping(uint256 => ComputeInstructionInfo) private _instructions;
    mapping(uint256 => mapping(uint256 => bool)) public isApproved;

    event ComputeInstructionAdded(uint256 indexed computeInstructionId, address indexed owner, string computeInstructionUrl, bytes32 computeInstructionHash);

    function instructions(uint256 id) external view returns (ComputeInstructionInfo memory) { return _instructions[id]; }
    function addComputeInstruction(bytes32 hash, string calldata url) external returns (uint256 id) {
        id = ++instructionsCount;
        _instructions[id] = ComputeInstructionInfo(hash, msg.sender, url);
        emit ComputeInstructionAdded(id, msg.sender, url, hash);
    }
    function updateComputeInstruction(uint256 id, uint256 dlpId, bool approved) external { isApproved[id][dlpId] = approved; }
}

contract VanaComputeEngine {
    struct Job { address ownerAddress; uint80 maxTimeout; bool gpuRequired; uint8 status; address teeAddress; uint32 computeInstructionId; uint48 addedTimestamp; string statusMessage; address teePoolAddress; }

    uint256 public jobsCount;
    mapping(uint256 => Job) private _jobs;

    event JobRegistered(uint256 indexed jobId, address indexed ownerAddress);

    error InsufficientBalance();

    function jobs(uint256 id) external view returns (Job memory) { return _jobs[id]; }
    function submitJob(uint80 maxTimeout, bool gpu, uint256 instructionId) external payable {
        if (msg.value == 0) revert InsufficientBalance();
        uint256 id = ++jobsCount;
        _jobs[id] = Job(msg.sender, maxTimeout, gpu, 1, address(0), uint32(instructionId), uint48(block.timestamp), "waiting", address(0));
        emit JobRegistered(id, msg.sender);
    }
    function run(uint256 id) external { (_jobs[id].status, _jobs[id].teeAddress) = (3, address(0x7ee)); }
}

contract VanaDlpRegistry {
    struct DlpInfo { uint256 id; address dlpAddress; address ownerAddress; address tokenAddress; address treasuryAddress; string name; string iconUrl; string website; string metadata; uint256 registrationBlockNumber; uint256 depositAmount; uint8 status; uint256 lpTokenId; bool isVerified; }

    function dlps(uint256 id) external view returns (DlpInfo memory d) {
        if (id == 3) d = DlpInfo(3, address(1), address(2), address(3), address(4), "Pool", "", "", "", block.number, 1, 2, 0, true);
    }
}

contract VanaPermissions {
    struct PermissionInput { uint256 nonce; uint256 granteeId; string grant; uint256[] fileIds; }
    struct PermissionInfo { uint256 id; address grantor; uint256 nonce; uint256 granteeId; string grant; bytes signature; uint256 startBlock; uint256 endBlock; uint256[] fileIds; }

    mapping(address => uint256) private _nonces;
    mapping(uint256 => PermissionInfo) private _permissions;
    uint256 public permissionsCount;

    event PermissionAdded(uint256 indexed permissionId, address indexed user, uint256 indexed granteeId, string grant, uint256[] fileIds);
    event PermissionRevoked(uint256 indexed permissionId);

    error InvalidNonce(uint256 expected, uint256 provided);

    function users(address user) external view returns (uint256, uint256[] memory) { return (_nonces[user], new uint256[](0)); }
    function permissions(uint256 id) external view returns (PermissionInfo memory) { return _permissions[id]; }

    function addPermission(PermissionInput calldata p, bytes calldata signature) external returns (uint256 id) {
        bytes32 domain = keccak256(abi.encode(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
            keccak256("VanaDataPortabilityPermissions"), keccak256("1"), block.chainid, address(this)
        ));
        bytes32 hash = keccak256(abi.encode(
            keccak256("Permission(uint256 nonce,uint256 granteeId,string grant,uint256[] fileIds)"),
            p.nonce, p.granteeId, keccak256(bytes(p.grant)), keccak256(abi.encodePacked(p.fileIds))
        ));
        address user = ecrecover(keccak256(abi.encodePacked("\x19\x01", domain, hash)), uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
        if (p.nonce != _nonces[user]) revert InvalidNonce(_nonces[user], p.nonce);
        ++_nonces[user];
        id = ++permissionsCount;
        _permissions[id] = PermissionInfo(id, user, p.nonce, p.granteeId, p.grant, signature, block.number, type(uint256).max, p.fileIds);
        emit PermissionAdded(id, user, p.granteeId, p.grant, p.fileIds);
    }
    function revokePermission(uint256 id) external {
        _permissions[id].endBlock = block.number;
        emit PermissionRevoked(id);
    }
}

contract VanaGrantees {
    uint256 public granteesCount;
    event GranteeRegistered(uint256 indexed granteeId, address indexed owner, address indexed granteeAddress, string publicKey);
    function registerGrantee(address owner, address grantee, string memory publicKey) external returns (uint256 id) {
        id = ++granteesCount;
        emit GranteeRegistered(id, owner, grantee, publicKey);
    }
}

contract VanaServers {
    struct ServerInfo { uint256 id; address owner; address serverAddress; string publicKey; string url; }
    struct TrustedServerInfo { uint256 id; address owner; address serverAddress; string publicKey; string url; uint256 startBlock; uint256 endBlock; }

    mapping(uint256 => ServerInfo) private _servers;
    mapping(address => TrustedServerInfo[]) private _trusted;
    mapping(address => uint256) public serverAddressToId;
    uint256 public serversCount;

    event ServerRegistered(uint256 indexed serverId, address indexed owner, address indexed serverAddress, string publicKey, string url);
    event ServerUpdated(uint256 indexed serverId, string url);
    event ServerTrusted(address indexed user, uint256 indexed serverId);
    event ServerUntrusted(address indexed user, uint256 indexed serverId);

    error ServerNotFound();
    error ServerNotTrusted();
    error NotServerOwner(address serverOwner, address requestor);

    /// The network's own asks for a signature here; what is tested is what is read back.
    function add(address serverAddress, string calldata publicKey, string calldata url) external {
        uint256 id = ++serversCount;
        _servers[id] = ServerInfo(id, msg.sender, serverAddress, publicKey, url);
        serverAddressToId[serverAddress] = id;
        emit ServerRegistered(id, msg.sender, serverAddress, publicKey, url);
    }
    function servers(uint256 id) external view returns (ServerInfo memory found) { found = _servers[id]; found.id = id; }
    function serverByAddress(address at) external view returns (ServerInfo memory) { return _servers[serverAddressToId[at]]; }
    function userServerValues(address user) external view returns (TrustedServerInfo[] memory) { return _trusted[user]; }
    function updateServer(uint256 id, string calldata url) external {
        if (_servers[id].owner != msg.sender) revert NotServerOwner(_servers[id].owner, msg.sender);
        _servers[id].url = url;
        emit ServerUpdated(id, url);
    }
    function trustServer(uint256 id) external {
        if (id == 0 || id > serversCount) revert ServerNotFound();
        ServerInfo memory s = _servers[id];
        _trusted[msg.sender].push(TrustedServerInfo(id, s.owner, s.serverAddress, s.publicKey, s.url, block.number, type(uint256).max));
        emit ServerTrusted(msg.sender, id);
    }
    function untrustServer(uint256 id) external {
        TrustedServerInfo[] storage mine = _trusted[msg.sender];
        for (uint256 i; i < mine.length; ++i) {
            if (mine[i].id != id) continue;
            mine[i].endBlock = block.number;
            emit ServerUntrusted(msg.sender, id);
            return;
        }
        revert ServerNotTrusted();
    }
}
