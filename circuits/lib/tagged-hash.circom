pragma circom 2.1.6;

include "poseidon.circom";

// Poseidon(tag, inputs[0], .., inputs[nInputs - 1]): the only form of hash outside EdDSA (docs/protocol.md section 1).
// The tag is a constant of the circuit, so a value hashed for one purpose never equals one hashed for another.
//
// @param tag - a tag of tags.circom
// @param nInputs - field elements after the tag, 1..15
// @input inputs[nInputs]
// @output out
template TaggedHash(tag, nInputs) {
    signal input inputs[nInputs];
    signal output out;

    component hash = PoseidonHash(0, nInputs + 1);
    hash.inputs[0] <== tag;
    for (var i = 0; i < nInputs; i++) {
        hash.inputs[i + 1] <== inputs[i];
    }
    out <== hash.out;
}
