pragma circom 2.1.6;

include "range.circom";

// The one number that names who is paid, as of when, on which lane (docs/protocol.md section 3):
// provider + validAt·2^160 + laneIndex·2^200. The ranges make the packing unique.
//
// @input provider - enforced < 2^160
// @input validAt - unix seconds, enforced < 2^40
// @input laneIndex - enforced < 2^32
// @output packed
template Payee() {
    signal input provider;
    signal input validAt;
    signal input laneIndex;
    signal output packed;

    component providerRange = RangeCheck(160); // [3.provider-range]
    providerRange.in <== provider; // [3.provider-range]
    component validAtRange = RangeCheck(40); // [3.valid-at-range]
    validAtRange.in <== validAt; // [3.valid-at-range]
    component laneIndexRange = RangeCheck(32); // [3.lane-index-range]
    laneIndexRange.in <== laneIndex; // [3.lane-index-range]

    packed <== provider + validAt * (1 << 160) + laneIndex * (1 << 200);
}
