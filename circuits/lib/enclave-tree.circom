pragma circom 2.1.6;

include "tagged-hash.circom";
include "tags.circom";

// Root that a leaf and its path lead to in a provider's enclave tree (docs/protocol.md section 2: depth 10, node tag 15).
//
// @param depth - levels above the leaf
// @input leaf
// @input pathBits[depth] - lowest level first; 1 = the node is a right child. Enforced to be 0 or 1: any other value would
//   let a prover mix node and sibling freely and reach a root from a leaf that is not under it
// @input siblings[depth]
// @output root
template EnclaveRoot(depth) {
    signal input leaf;
    signal input pathBits[depth];
    signal input siblings[depth];
    signal output root;

    signal node[depth + 1];
    signal swap[depth];
    component parent[depth];

    node[0] <== leaf;
    for (var i = 0; i < depth; i++) {
        pathBits[i] * (pathBits[i] - 1) === 0; // [12.path-bits]

        swap[i] <== pathBits[i] * (siblings[i] - node[i]);
        parent[i] = TaggedHash(TAG_ENCLAVE_NODE(), 2);
        parent[i].inputs[0] <== node[i] + swap[i];
        parent[i].inputs[1] <== siblings[i] - swap[i];
        node[i + 1] <== parent[i].out;
    }
    root <== node[depth];
}
