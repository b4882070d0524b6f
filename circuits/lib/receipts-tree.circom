pragma circom 2.1.6;

include "tagged-hash.circom";
include "tags.circom";

// Depth of every receipts tree, whatever the segment length of the circuit.
function RECEIPTS_DEPTH() {
    return 8;
}

// Roots of the empty receipts subtrees of height 0..7: the first is the empty leaf 0, each next one is the node over two of
// the one before. Recomputed by test/circuits/constants.test.ts.
function EMPTY_RECEIPTS_SUBTREE(height) {
    var empty[8] = [
        0,
        4344060331025756415000971582920649234846354578513118132992434630110981926954,
        12816077308238422729477114154466438913038199121501033556407855387264833875150,
        1680284066770084850954850276035032766603062887405059349057317118631708164607,
        7058854117730875587682855072639907055195130215691157124028410845520203994296,
        1875677473658877378840890239874580627950677564133823897024891767938793635559,
        12088303432519750087596728172463859926563494693804977755055375658670805293600,
        3055998719817394262149962590353118003782789206154964828216314888084156896361
    ];
    return empty[height];
}

// Root of the receipts tree over nLeaves leaves, padded with empty leaves to 2^8.
// The subtrees to the right of the leaves are empty, hence constants; a root does not depend on nLeaves.
//
// @param nLeaves - a power of two, 1..256
// @input leaves[nLeaves] - a receipt, or 0 where there is none
// @output root
template ReceiptsRoot(nLeaves) {
    assert(nLeaves >= 1 && nLeaves <= 256);
    signal input leaves[nLeaves];
    signal output root;

    var depth = RECEIPTS_DEPTH();
    var height = 0;
    while ((1 << height) < nLeaves) {
        height++;
    }
    assert((1 << height) == nLeaves);

    // Nodes of the full part, level by level: nodes[nLeaves - 1 + i] is leaf i, node j has the children 2j + 1 and 2j + 2.
    signal nodes[2 * nLeaves - 1];
    component full[nLeaves];
    for (var i = 0; i < nLeaves; i++) {
        nodes[nLeaves - 1 + i] <== leaves[i];
    }
    for (var j = nLeaves - 2; j >= 0; j--) {
        full[j] = TaggedHash(TAG_RECEIPTS_NODE(), 2);
        full[j].inputs[0] <== nodes[2 * j + 1];
        full[j].inputs[1] <== nodes[2 * j + 2];
        nodes[j] <== full[j].out;
    }

    // From the top of the full part to the root, always the left child.
    signal spine[depth - height + 1];
    component padded[depth - height + 1];
    spine[0] <== nodes[0];
    for (var k = 0; k < depth - height; k++) {
        padded[k] = TaggedHash(TAG_RECEIPTS_NODE(), 2);
        padded[k].inputs[0] <== spine[k];
        padded[k].inputs[1] <== EMPTY_RECEIPTS_SUBTREE(height + k);
        spine[k + 1] <== padded[k].out;
    }
    root <== spine[depth - height];
}
