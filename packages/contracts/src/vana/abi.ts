import { parseAbi } from 'viem'

// From the public function and event signatures of Vana's contracts (interfaces of November 2026). Only what an app reads,
// contributes and is told; administrators' functions are left out.

const proof = [
  'struct ProofData { uint256 score; uint256 dlpId; string metadata; string proofUrl; string instruction; }',
  'struct Proof { bytes signature; ProofData data; }',
] as const

/** The global catalogue of files. */
export const dataRegistryAbi = /* @__PURE__ */ parseAbi([
  ...proof,
  'struct FileResponse { uint256 id; address ownerAddress; string url; uint256 schemaId; uint256 addedAtBlock; }',
  'struct Permission { address account; string key; }',
  'function filesCount() view returns (uint256)',
  'function files(uint256 index) view returns (FileResponse)',
  'function fileIdByUrl(string url) view returns (uint256)',
  'function fileProofs(uint256 fileId, uint256 index) view returns (Proof)',
  'function filePermissions(uint256 fileId, address account) view returns (string)',
  'function fileRefinements(uint256 fileId, uint256 refinerId) view returns (string)',
  'function addFile(string url) returns (uint256)',
  'function addFileWithSchema(string url, uint256 schemaId) returns (uint256)',
  'function addFileWithPermissions(string url, address ownerAddress, Permission[] permissions) returns (uint256)',
  'function addFileWithPermissionsAndSchema(string url, address ownerAddress, Permission[] permissions, uint256 schemaId) returns (uint256)',
  'function addFilePermission(uint256 fileId, address account, string key)',
  'function addProof(uint256 fileId, Proof proof)',
  'function addRefinementWithPermission(uint256 fileId, uint256 refinerId, string url, address account, string key)',
  'event FileAdded(uint256 indexed fileId, address indexed ownerAddress, string url)',
  'event FileAddedV2(uint256 indexed fileId, address indexed ownerAddress, string url, uint256 schemaId)',
  'event ProofAdded(uint256 indexed fileId, address indexed ownerAddress, uint256 proofIndex, uint256 dlpId, uint256 score, string proofUrl)',
  'event PermissionGranted(uint256 indexed fileId, address indexed account)',
])

/** Assigns proofs of contribution to confidential machines and pays them. */
export const teePoolAbi = /* @__PURE__ */ parseAbi([
  ...proof,
  'struct Job { uint256 fileId; uint256 bidAmount; uint8 status; uint256 addedTimestamp; address ownerAddress; address teeAddress; }',
  'struct TeeInfo { address teeAddress; string url; uint8 status; uint256 amount; uint256 withdrawnAmount; uint256 jobsCount; string publicKey; }',
  'function teeFee() view returns (uint256)',
  'function jobsCount() view returns (uint256)',
  'function jobs(uint256 jobId) view returns (Job)',
  'function fileJobIds(uint256 fileId) view returns (uint256[])',
  'function tees(address teeAddress) view returns (TeeInfo)',
  'function activeTeeList() view returns (address[])',
  'function isTee(address teeAddress) view returns (bool)',
  'function requestContributionProof(uint256 fileId) payable',
  'function cancelJob(uint256 jobId)',
  'function addProof(uint256 jobId, Proof proof)',
  'event JobSubmitted(uint256 indexed jobId, uint256 indexed fileId, address teeAddress, uint256 bidAmount)',
  'event JobCanceled(uint256 indexed jobId)',
  'event ProofAdded(address indexed attestator, uint256 indexed jobId, uint256 indexed fileId)',
  'event TeeAdded(address indexed teeAddress)',
  'event TeeRemoved(address indexed teeAddress)',
  'event Claimed(address indexed teeAddress, uint256 amount)',
])

/** One data pool: pays contributors for proofs. */
export const dataLiquidityPoolAbi = /* @__PURE__ */ parseAbi([
  'struct FileResponse { uint256 fileId; uint256 timestamp; uint256 proofIndex; uint256 rewardAmount; }',
  'struct ContributorInfoResponse { address contributorAddress; uint256 filesListCount; }',
  'function name() view returns (string)',
  'function dlpId() view returns (uint256)',
  'function dataRegistry() view returns (address)',
  'function teePool() view returns (address)',
  'function token() view returns (address)',
  'function publicKey() view returns (string)',
  'function proofInstruction() view returns (string)',
  'function fileRewardFactor() view returns (uint256)',
  'function files(uint256 fileId) view returns (FileResponse)',
  'function contributorInfo(address contributorAddress) view returns (ContributorInfoResponse)',
  'function requestReward(uint256 registryFileId, uint256 proofIndex)',
  'event RewardRequested(address indexed contributorAddress, uint256 indexed fileId, uint256 indexed proofIndex, uint256 rewardAmount)',
  'event FileValidated(uint256 indexed fileId)',
])

/** Schemas, and the programs that turn raw files into tables. */
export const dataRefinerRegistryAbi = /* @__PURE__ */ parseAbi([
  'struct Schema { string name; string typ; string definitionUrl; }',
  'struct RefinerInfo { uint256 dlpId; address owner; string name; string schemaDefinitionUrl; string refinementInstructionUrl; }',
  'function refinersCount() view returns (uint256)',
  'function refiners(uint256 refinerId) view returns (RefinerInfo)',
  'function dlpRefiners(uint256 dlpId) view returns (uint256[])',
  'function schemas(uint256 schemaId) view returns (Schema)',
  'function isRefinementService(uint256 refinerId, address refinementService) view returns (bool)',
  'function addSchema(string name, string typ, string definitionUrl) returns (uint256)',
  'event SchemaAdded(uint256 indexed schemaId, string name, string dialect, string definitionUrl)',
])

/** Permissions to query tables and columns, and their prices. */
export const queryEngineAbi = /* @__PURE__ */ parseAbi([
  'struct PermissionInfo { uint256 permissionId; address grantee; bool approved; uint256 refinerId; string tableName; string columnName; address tokenAddress; uint256 price; }',
  'function permissionsCount() view returns (uint256)',
  'function getPermissions(uint256 refinerId, address grantee) view returns (PermissionInfo[])',
  'function dlpPubKeys(uint256 dlpId) view returns (string)',
  'function dlpPaymentPercentage() view returns (uint256)',
  'function addPermission(address grantee, uint256 refinerId, string tableName, string columnName, address tokenAddress, uint256 price) returns (uint256)',
  'function addGenericPermission(uint256 refinerId, string tableName, string columnName, address tokenAddress, uint256 price) returns (uint256)',
  'function updatePermissionApproval(uint256 permissionId, bool approved)',
  'event PermissionAdded(uint256 indexed permissionId, address indexed grantee, uint256 indexed refinerId, string tableName, string columnName, address tokenAddress, uint256 price)',
  'event PermissionApprovalUpdated(uint256 indexed permissionId, bool approved)',
  'event PaymentReceived(address indexed token, uint256 amount, uint256 jobId, uint256 refinerId)',
  'event DlpPaymentClaimed(uint256 indexed dlpId, address indexed dlpTreasuryAddress, address indexed token, uint256 amount)',
])

/** Jobs of consumers, paid from an account that was filled before. */
export const computeEngineAbi = /* @__PURE__ */ parseAbi([
  'struct Job { address ownerAddress; uint80 maxTimeout; bool gpuRequired; uint8 status; address teeAddress; uint32 computeInstructionId; uint48 addedTimestamp; string statusMessage; address teePoolAddress; }',
  'function jobsCount() view returns (uint256)',
  'function jobs(uint256 jobId) view returns (Job)',
  'function balanceOf(address account, address token) view returns (uint256)',
  'function submitJob(uint80 maxTimeout, bool gpuRequired, uint256 computeInstructionId) payable',
  'function cancelJob(uint256 jobId)',
  'function deposit(address token, uint256 amount) payable',
  'function withdraw(address token, uint256 amount)',
  'event JobRegistered(uint256 indexed jobId, address indexed ownerAddress)',
  'event JobStatusUpdated(uint256 indexed jobId, uint8 status, string statusMessage)',
  'event JobCanceled(uint256 indexed jobId)',
])

/** Programs that pools approve to run on their data. */
export const computeInstructionRegistryAbi = /* @__PURE__ */ parseAbi([
  'struct ComputeInstructionInfo { bytes32 hash; address owner; string url; }',
  'function instructionsCount() view returns (uint256)',
  'function instructions(uint256 instructionId) view returns (ComputeInstructionInfo)',
  'function isApproved(uint256 instructionId, uint256 dlpId) view returns (bool)',
  'function addComputeInstruction(bytes32 hash, string url) returns (uint256)',
  'function updateComputeInstruction(uint256 instructionId, uint256 dlpId, bool approved)',
  'event ComputeInstructionAdded(uint256 indexed computeInstructionId, address indexed owner, string computeInstructionUrl, bytes32 computeInstructionHash)',
])

/** The list of data pools. */
export const dlpRegistryAbi = /* @__PURE__ */ parseAbi([
  'struct DlpInfo { uint256 id; address dlpAddress; address ownerAddress; address tokenAddress; address treasuryAddress; string name; string iconUrl; string website; string metadata; uint256 registrationBlockNumber; uint256 depositAmount; uint8 status; uint256 lpTokenId; bool isVerified; }',
  'function dlpsCount() view returns (uint256)',
  'function dlps(uint256 dlpId) view returns (DlpInfo)',
  'function dlpIds(address dlpAddress) view returns (uint256)',
  'function eligibleDlpsListValues() view returns (uint256[])',
  'event DlpStatusUpdated(uint256 indexed dlpId, uint8 newStatus)',
])

/** Users' permissions for registered grantees. */
export const dataPortabilityPermissionsAbi = /* @__PURE__ */ parseAbi([
  'struct PermissionInput { uint256 nonce; uint256 granteeId; string grant; uint256[] fileIds; }',
  'struct PermissionInfo { uint256 id; address grantor; uint256 nonce; uint256 granteeId; string grant; bytes signature; uint256 startBlock; uint256 endBlock; uint256[] fileIds; }',
  'function permissionsCount() view returns (uint256)',
  'function permissions(uint256 permissionId) view returns (PermissionInfo)',
  'function users(address userAddress) view returns (uint256 nonce, uint256[] permissionIds)',
  'function filePermissions(uint256 fileId) view returns (uint256[])',
  'function addPermission(PermissionInput permission, bytes signature) returns (uint256)',
  'function revokePermission(uint256 permissionId)',
  'event PermissionAdded(uint256 indexed permissionId, address indexed user, uint256 indexed granteeId, string grant, uint256[] fileIds)',
  'event PermissionRevoked(uint256 indexed permissionId)',
])

/** Who can be granted a permission. */
export const dataPortabilityGranteesAbi = /* @__PURE__ */ parseAbi([
  'struct GranteeInfo { address owner; address granteeAddress; string publicKey; uint256[] permissionIds; }',
  'function granteesCount() view returns (uint256)',
  'function granteeAddressToId(address granteeAddress) view returns (uint256)',
  'function granteeInfo(uint256 granteeId) view returns (GranteeInfo)',
  'function registerGrantee(address owner, address granteeAddress, string publicKey) returns (uint256)',
  'event GranteeRegistered(uint256 indexed granteeId, address indexed owner, address indexed granteeAddress, string publicKey)',
])

/** Servers that users trust with their data. */
export const dataPortabilityServersAbi = /* @__PURE__ */ parseAbi([
  'struct ServerInfo { uint256 id; address owner; address serverAddress; string publicKey; string url; }',
  'struct TrustedServerInfo { uint256 id; address owner; address serverAddress; string publicKey; string url; uint256 startBlock; uint256 endBlock; }',
  'struct AddServerWithSignatureInput { uint256 nonce; address serverAddress; string publicKey; string serverUrl; }',
  'struct ServerInput { uint256 nonce; uint256 serverId; }',
  'function serversCount() view returns (uint256)',
  'function servers(uint256 serverId) view returns (ServerInfo)',
  'function serverByAddress(address serverAddress) view returns (ServerInfo)',
  'function serverAddressToId(address serverAddress) view returns (uint256)',
  'function userServerIdsValues(address userAddress) view returns (uint256[])',
  'function userServerValues(address userAddress) view returns (TrustedServerInfo[])',
  'function userServers(address userAddress, uint256 serverId) view returns (TrustedServerInfo)',
  'function trustServer(uint256 serverId)',
  'function untrustServer(uint256 serverId)',
  'function trustServerWithSignature(ServerInput trustServerInput, bytes signature)',
  'function untrustServerWithSignature(ServerInput untrustServerInput, bytes signature)',
  'function addServerWithSignature(AddServerWithSignatureInput addServerInput, bytes signature)',
  'function addAndTrustServerWithSignature(AddServerWithSignatureInput addServerInput, bytes signature)',
  'function updateServer(uint256 serverId, string url)',
  'event ServerRegistered(uint256 indexed serverId, address indexed owner, address indexed serverAddress, string publicKey, string url)',
  'event ServerUpdated(uint256 indexed serverId, string url)',
  'event ServerTrusted(address indexed user, uint256 indexed serverId)',
  'event ServerUntrusted(address indexed user, uint256 indexed serverId)',
])

/** Custom errors of these contracts, so that a revert has its name. */
export const errorsAbi = /* @__PURE__ */ parseAbi([
  'error NotFileOwner()',
  'error FileUrlAlreadyUsed()',
  'error FileNotFound()',
  'error FileAlreadyRewarded()',
  'error NoPermission()',
  'error InvalidUrl()',
  'error NotDlpOwner()',
  'error NotRefinerOwner()',
  'error PermissionNotFound()',
  'error PaymentNotReceived()',
  'error ColumnNameUnexpected()',
  'error RefinerNotFound()',
  'error NotJobOwner()',
  'error JobAlreadyDone()',
  'error JobLifeCycleEnded()',
  'error NotTee()',
  'error FailedToAssignTee()',
  'error TeePoolNotFound()',
  'error InsufficientBalance()',
  'error InvalidVanaAmount()',
  'error InvalidAmount()',
  'error InvalidNonce(uint256 expected, uint256 provided)',
  'error ZeroAddress()',
  'error InsufficientFee()',
  'error NoActiveTee()',
  'error InvalidJobStatus()',
  'error InvalidJobTee()',
  'error TeeNotActive()',
  'error CancelDelayNotPassed()',
  'error NothingToClaim()',
  'error TransferFailed()',
  'error InvalidPaymentToken(address token)',
  'error EmptyUrl()',
  'error EmptyPublicKey()',
  'error ServerNotFound()',
  'error ServerAlreadyRegistered()',
  'error ServerNotTrusted()',
  'error ServerAlreadyUntrusted()',
  'error NotServerOwner(address serverOwner, address requestor)',
])
