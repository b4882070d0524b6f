pragma circom 2.1.6;

include "tagged-hash.circom";
include "tags.circom";

// The head a segment starts from: the lane's genesis when the lane has never settled (state 0), otherwise its settled state.
//
// @input orderId
// @input provider
// @input laneIndex
// @input laneOld - the lane's state on chain
// @output head - D_from
template LaneStart() {
    signal input orderId;
    signal input provider;
    signal input laneIndex;
    signal input laneOld;
    signal output head;

    component genesis = TaggedHash(TAG_LANE_GENESIS(), 3);
    genesis.inputs[0] <== orderId;
    genesis.inputs[1] <== provider;
    genesis.inputs[2] <== laneIndex;

    // isFresh = 1 exactly when laneOld = 0. The inverse is a hint; the two constraints leave no other value of isFresh.
    signal inverse <-- laneOld != 0 ? 1 / laneOld : 0; // [4.hint]
    signal isFresh <== 1 - laneOld * inverse;
    isFresh * laneOld === 0; // [4.is-zero]

    head <== laneOld + isFresh * (genesis.out - laneOld); // [4.select]
}
