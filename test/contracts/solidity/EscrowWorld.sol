// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IOrderEscrow} from "../../../contracts/interfaces/IOrderEscrow.sol";
import {IVerifierRouter} from "../../../contracts/interfaces/IVerifierRouter.sol";
import {Proof} from "../../../contracts/types/Settlement.sol";
import {Terms} from "../../../contracts/types/Terms.sol";
import {Committed} from "./Committed.sol";
import {IOwnedEscrow} from "./IOwnedEscrow.sol";
import {ModelsDouble} from "./ModelsDouble.sol";
import {RegistryDouble} from "./RegistryDouble.sol";
import {VM} from "./Vm.sol";

/// @title An escrow with router, token and a verifier that accepts everything; the owner and guardian is this contract.
abstract contract EscrowWorld {
    uint16 internal constant FEE_BPS = 137;
    address internal constant FEE_ACCOUNT = address(0xFEE);
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    IOwnedEscrow public escrow;
    IVerifierRouter public router;
    IERC20 public token;
    bytes32 public family;

    /// @notice Makes the contracts; call it once.
    function build() internal {
        router = IVerifierRouter(Committed.deploy("VerifierRouter", abi.encode(address(this), address(this))));
        address verifier = permissiveVerifier(bytes32(uint256(1)));
        family = router.addSettlementFamily(verifier, 16, bytes32(uint256(1)), bytes32(uint256(2)));
        address models = address(new ModelsDouble());
        address registry = address(new RegistryDouble());
        bytes memory arguments = abi.encode(address(this), registry, router, models, FEE_BPS, FEE_ACCOUNT);
        escrow = IOwnedEscrow(Committed.deploy("OrderEscrow", arguments));
        token = IERC20(Committed.deploy("StunToken", abi.encode(address(this))));
        escrow.setToken(address(0), true);
        escrow.setToken(address(token), true);
    }

    /// @notice A verifier of 16 jobs that accepts every proof under a key of this hash, for development chains.
    function permissiveVerifier(bytes32 vkHash) internal returns (address) {
        return Committed.deploy("PermissiveVerifier", abi.encode(vkHash, 16, true));
    }

    function terms(uint128 priceScale) internal view returns (Terms memory) {
        return
            Terms({
                assurance: 0,
                publicModelId: 0,
                settlementFamily: family,
                inferenceFamily: 0,
                segmentLength: 16,
                feeBps: FEE_BPS,
                priceScale: priceScale,
                challengeWindowSeconds: 0,
                answerPeriodSeconds: 0,
                bond: 0,
                slash: 0,
                challenger: address(0)
            });
    }

    /// @notice Opens an order of `funder` with one provider; gives the funder the money for it first.
    function openOrder(
        address funder,
        uint256 orderId,
        address asset,
        address provider,
        uint128 amount,
        uint128 priceScale
    ) internal returns (bytes32 orderKey) {
        return openWith(funder, orderId, asset, provider, amount, terms(priceScale));
    }

    /// @notice `openOrder` with terms of the caller's.
    function openWith(
        address funder,
        uint256 orderId,
        address asset,
        address provider,
        uint128 amount,
        Terms memory chosen
    ) internal returns (bytes32 orderKey) {
        IOrderEscrow.OpenOrder memory order;
        order.orderId = orderId;
        order.token = asset;
        order.terms = chosen;
        order.domain = escrow.domainOf(funder, asset, order.terms);
        order.deadline = uint40(block.timestamp + 1 days);
        order.graceSeconds = 1 days;
        order.budgets = new IOrderEscrow.ProviderBudget[](1);
        order.budgets[0] = IOrderEscrow.ProviderBudget(provider, amount);
        supply(funder, asset, amount);
        VM.prank(funder);
        orderKey = escrow.open{value: asset == address(0) ? amount : 0}(order);
    }

    /// @notice Gives an account money and, for the token, an allowance to the escrow.
    function supply(address account, address asset, uint256 amount) internal {
        if (asset == address(0)) {
            VM.deal(account, account.balance + amount);
            return;
        }
        token.transfer(account, amount);
        VM.prank(account);
        token.approve(address(escrow), amount);
    }

    function signalsOf(
        uint256 orderId,
        uint256 domain,
        address provider,
        uint32 laneIndex,
        uint256 laneOld,
        uint256 laneNew,
        uint256 total
    ) internal view returns (uint256[8] memory signals) {
        uint256 payee = uint256(uint160(provider)) | (block.timestamp << 160) | (uint256(laneIndex) << 200);
        signals = [uint256(1), orderId, laneOld, laneNew, 7, payee, total, domain];
    }

    function noProof() internal pure returns (Proof memory proof) {}
}
