// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title SignatureOnlyEscrow
/// @notice The yardstick for gas: escrow that pays for one enclave signature per batch and no proof. Never deploy it for money:
/// a broken enclave key can invent requests and prices up to the whole deposit, because no customer signature is checked.
contract SignatureOnlyEscrow is EIP712 {
    using SafeERC20 for IERC20;

    bytes32 private constant BATCH_TYPE = keccak256(
        "Batch(bytes32 requestsHash,uint256 nonce,address provider,address user,uint256 totalFee)"
    );

    struct Account {
        uint128 balance;
        uint128 nonce;
        address signer;
    }

    IERC20 public immutable token;
    mapping(address user => mapping(address provider => Account)) public accounts;
    mapping(address provider => uint256) public credits;

    event Deposited(address indexed user, address indexed provider, uint256 amount);
    event Settled(address indexed user, address indexed provider, bytes32 requestsHash, uint256 nonce, uint256 totalFee);

    error NonceTooLow(uint256 nonce, uint256 last);
    error SignerMismatch(address recovered, address expected);
    error BalanceTooLow(uint256 totalFee, uint256 balance);

    constructor(IERC20 token_) EIP712("STUN baseline", "1") {
        token = token_;
    }

    /// @notice Funds a provider's account and names the enclave key that the user accepts.
    function deposit(address provider, address signer, uint128 amount) external {
        Account storage account = accounts[msg.sender][provider];
        account.balance += amount;
        account.signer = signer;
        emit Deposited(msg.sender, provider, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Pays a batch for the enclave's signature over it. Anybody can send it.
    function settle(
        address user,
        address provider,
        bytes32 requestsHash,
        uint128 nonce,
        uint128 totalFee,
        bytes calldata signature
    ) external {
        Account storage account = accounts[user][provider];
        if (nonce <= account.nonce) revert NonceTooLow(nonce, account.nonce);
        if (totalFee > account.balance) revert BalanceTooLow(totalFee, account.balance);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(BATCH_TYPE, requestsHash, nonce, provider, user, totalFee)));
        address recovered = ECDSA.recover(digest, signature);
        if (recovered != account.signer) revert SignerMismatch(recovered, account.signer);
        account.nonce = nonce;
        account.balance -= totalFee;
        credits[provider] += totalFee;
        emit Settled(user, provider, requestsHash, nonce, totalFee);
    }

    /// @notice Pays the caller's credit.
    function withdraw() external {
        uint256 amount = credits[msg.sender];
        credits[msg.sender] = 0;
        token.safeTransfer(msg.sender, amount);
    }
}
