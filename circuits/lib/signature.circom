pragma circom 2.1.6;

include "../../node_modules/circomlib/circuits/babyjub.circom";
include "../../node_modules/circomlib/circuits/eddsaposeidon.circom";

// Enforces one EdDSA-Poseidon signature over BabyJubJub (docs/protocol.md section 1), without a switch to turn it off.
// The verifier of circomlib supplies S < l, 8·A ≠ O (it tests the x of 4·A, which is 0 exactly when 8·A is the identity) and
// S·Base8 = R8 + 8·h·A; it does not check that its points are on the curve, and its addition formulas mean nothing for
// points that are not, so this template does.
// That A itself lies in the prime-order subgroup is not enforced: 8·A does, and only 8·A enters the equation.
//
// @input key[2] - the public key A, affine
// @input r8[2] - the commitment R8, affine
// @input s - the response S
// @input message - the signed field element
template SignatureCheck() {
    signal input key[2];
    signal input r8[2];
    signal input s;
    signal input message;

    component keyOnCurve = BabyCheck(); // [2.key-curve]
    keyOnCurve.x <== key[0]; // [2.key-curve]
    keyOnCurve.y <== key[1]; // [2.key-curve]

    component r8OnCurve = BabyCheck(); // [2.r8-curve]
    r8OnCurve.x <== r8[0]; // [2.r8-curve]
    r8OnCurve.y <== r8[1]; // [2.r8-curve]

    component verifier = EdDSAPoseidonVerifier();
    verifier.enabled <== 1; // [2.enabled]
    verifier.Ax <== key[0];
    verifier.Ay <== key[1];
    verifier.R8x <== r8[0];
    verifier.R8y <== r8[1];
    verifier.S <== s;
    verifier.M <== message;
}
