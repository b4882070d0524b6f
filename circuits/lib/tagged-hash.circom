pragma circom 2.1.6;

include "poseidon.circom";

// Poseidon of the inputs under a tag: the only form of hash (docs/protocol.md section 1).
// The tag is a constant of the circuit, so a value hashed for one purpose never equals one hashed for another.
//
// @param tag - a tag of tags.circom
// @param nInputs - field elements 1..16
// @input inputs[nInputs]
// @output out
template TaggedHash(tag, nInputs) {
    signal input inputs[nInputs];
    signal output out;

    component hash = PoseidonHash(tag, nInputs);
    for (var i = 0; i < nInputs; i++) {
        hash.inputs[i] <== inputs[i];
    }
    out <== hash.out;
}
