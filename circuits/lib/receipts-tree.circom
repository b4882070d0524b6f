pragma circom 2.1.6;

include "tagged-hash.circom";
include "tags.circom";

// Children of a node; the tree has two levels of nodes over its leaves, whatever the segment length of the circuit.
function RECEIPTS_ARITY() {
    return 16;
}

// The node over 16 empty leaves, which are 0. Recomputed by test/circuits/artefacts.test.ts.
function EMPTY_RECEIPTS_NODE() {
    return 19194962320635250200403833396328103944554918415944328792954857681701802375830;
}

// Root of the receipts tree over nLeaves leaves, padded with empty leaves to 256.
// Nodes without a leaf are empty, hence constants; a root does not depend on nLeaves.
//
// @param nLeaves - 1..256
// @input leaves[nLeaves] - a receipt, or 0 where there is none
// @output root
template ReceiptsRoot(nLeaves) {
    assert(nLeaves >= 1 && nLeaves <= 256);
    signal input leaves[nLeaves];
    signal output root;

    var arity = RECEIPTS_ARITY();
    var nNodes = (nLeaves + arity - 1) \ arity;
    component nodes[nNodes];
    component top = TaggedHash(TAG_RECEIPTS_NODE(), arity);
    for (var i = 0; i < nNodes; i++) {
        nodes[i] = TaggedHash(TAG_RECEIPTS_NODE(), arity);
        for (var j = 0; j < arity; j++) {
            if (arity * i + j < nLeaves) {
                nodes[i].inputs[j] <== leaves[arity * i + j];
            } else {
                nodes[i].inputs[j] <== 0;
            }
        }
        top.inputs[i] <== nodes[i].out;
    }
    for (var i = nNodes; i < arity; i++) {
        top.inputs[i] <== EMPTY_RECEIPTS_NODE();
    }
    root <== top.out;
}
