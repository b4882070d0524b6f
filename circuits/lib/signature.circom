pragma circom 2.1.6;

include "../../node_modules/circomlib/circuits/bitify.circom";
include "curve.circom";
include "multiples.circom";
include "range.circom";
include "tagged-hash.circom";
include "tags.circom";

// Order l of the subgroup of Base8.
function SUBGROUP_ORDER() {
    return 2736030358979909402780800718157159386076813972158567259200215660948447373041;
}

// A public key in Montgomery form, quadrupled; enforces that it is a point of the curve and that its order does not divide 8.
// Keys of order 1, 2 and 4 have no image, no double and no quadruple here.
//
// @input key[2] - affine
// @output out[2] - 4·key
template KeyQuadruple() {
    signal input key[2];
    signal output out[2];

    signal point[2];
    component u = Quotient(); // [2.key-map]
    u.numerator <== 1 + key[1];
    u.denominator <== 1 - key[1];
    point[0] <== u.out;
    // Says nothing of v when key[0] is 0; then u is 0, and v follows from the curve.
    component v = Quotient(); // [2.key-map]
    v.numerator <== u.out;
    v.denominator <== key[0];
    point[1] <== v.out;

    signal uSquare <== point[0] * point[0];
    signal vSquare <== point[1] * point[1];
    point[0] * (uSquare + MONTGOMERY_A() * point[0] + 1) === vSquare; // [2.key-curve]

    component double = PointDouble();
    double.p <== point;
    component quadruple = PointDouble();
    quadruple.p <== double.out;
    out <== quadruple.out;
    // v has an inverse: it is 0 for the point of order 2 alone.
    component inverse = Quotient(); // [2.key-order]
    inverse.numerator <== 1;
    inverse.denominator <== out[1];
    _ <== inverse.out;
}

// Enforces one EdDSA-Poseidon signature over BabyJubJub (docs/protocol.md section 1): R8 = S·Base8 - h·8·A.
// R8 is on the curve because the right side is. That A itself lies in the prime-order subgroup is not enforced: 8·A does, and
// only 8·A enters the equation.
//
// Why no sum adds a point to itself, which would leave its slope free: one side of every sum has a multiple of Z that is not 0,
// and the other has none, or in the last sum the opposite one; beside it both sides have known multiples of Base8 and A alone.
// Were they equal, Z would be a known combination of Base8 and A. Nobody knows one when A was made from a secret, not even who
// made it. Somebody may make a key out of Z instead: he cannot sign with it, so nobody serves it, and what it leaves open is
// his own order. The two sides of the last sum are opposite when R8 is the identity; the protocol refuses that.
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

    component challenge = TaggedHash(TAG_CHALLENGE(), 5);
    challenge.inputs <== [r8[0], r8[1], key[0], key[1], message];
    component challengeBits = Num2Bits(254);
    challengeBits.in <== challenge.out;
    // Not h + r: the leading 64 bits are below those of r. And not S + l below.
    component challengeBelow = BitsBelow(64, -1 >> 190); // [2.challenge-range]
    for (var i = 0; i < 64; i++) {
        challengeBelow.bits[i] <== challengeBits.out[190 + i]; // [2.challenge-range]
    }
    component responseBits = Num2Bits(251);
    responseBits.in <== s;
    component responseBelow = BitsBelow(64, SUBGROUP_ORDER() >> 187); // [2.response-range]
    for (var i = 0; i < 64; i++) {
        responseBelow.bits[i] <== responseBits.out[187 + i]; // [2.response-range]
    }

    component quadruple = KeyQuadruple();
    quadruple.key <== key;
    component keyMultiple = PointMultiple();
    keyMultiple.bits <== challengeBits.out;
    keyMultiple.point <== [quadruple.out[0], -quadruple.out[1]];
    component baseMultiple = BaseMultiple();
    for (var i = 0; i < 251; i++) {
        baseMultiple.bits[i] <== responseBits.out[i];
    }
    baseMultiple.bits[251] <== 0;
    component commitment = PointSum();
    commitment.p <== baseMultiple.out;
    commitment.q <== keyMultiple.out;

    r8[0] * commitment.out[1] === commitment.out[0]; // [2.r8]
    r8[1] * (commitment.out[0] + 1) === commitment.out[0] - 1; // [2.r8]
}
