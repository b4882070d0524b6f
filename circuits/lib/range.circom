pragma circom 2.1.6;

include "../../node_modules/circomlib/circuits/bitify.circom";

// Enforces 0 <= in < 2^nBits.
//
// @param nBits - 1..253; above that a decomposition is no longer unique in the field
// @input in
template RangeCheck(nBits) {
    assert(nBits > 0 && nBits < 254);
    signal input in;

    component bits = Num2Bits(nBits);
    bits.in <== in;
    // The decomposition itself is the check; nobody reads the bits.
    _ <== bits.out;
}
