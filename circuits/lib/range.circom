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

// Enforces that bits say a number below a constant, with a row for each one and each run of zeros of the constant.
// CALLER MUST enforce that the bits are 0 or 1.
//
// @param n - 1..253
// @param bound - constant of at most n bits, not 0
// @input bits[n] - lowest first
template BitsBelow(n, bound) {
    signal input bits[n];

    // 1 as long as the number has a one wherever the bound has, from the highest bit on.
    signal agrees[n];
    var prefix = 1;
    // Sum of the bits since the last of these, where the bound has zeros: none may be 1 while the number agrees.
    var above = 0;
    var zeros = 0;
    for (var i = n - 1; i >= 0; i--) {
        if ((bound >> i) & 1 == 1) {
            if (zeros > 0) {
                prefix * above === 0;
            }
            agrees[i] <== prefix * bits[i];
            prefix = agrees[i];
            above = 0;
            zeros = 0;
        } else {
            above += bits[i];
            zeros++;
            agrees[i] <== prefix;
        }
    }
    // Whatever follows the bound's lowest one, a number that agrees so far is not below.
    prefix === 0;
}
