pragma circom 2.1.6;

include "range.circom";
include "tagged-hash.circom";
include "tags.circom";

// One job of a segment: its demand, its price and its receipt.
// An inactive job pads the segment: it leaves the head as it is, its leaf is empty and it costs nothing; its limit is read by nobody.
//
// CALLER MUST enforce that active is boolean and that active jobs come first.
//
// @input active - 1 for a job, 0 for padding
// @input headBefore - D_{k-1}
// @input signerId - of the enclave that the demand names
// @input inputCommitment
// @input maxPrice - the customer's limit, enforced < 2^64
// @input outputCommitment
// @input price - enforced < 2^63 and at most maxPrice, which is enforced < price + 2^63
// @input deliveryDigest
// @input status - 1 served, 2 failed, 3 void; anything else is refused
// @input startedAt - unix seconds, enforced < 2^34, as the host reported it
// @input finishedAt - unix seconds, enforced < 2^34, as the host reported it
// @output headAfter - D_k, or headBefore when inactive
// @output leaf - R_k, or 0 when inactive
template Job() {
    signal input active;
    signal input headBefore;
    signal input signerId;
    signal input inputCommitment;
    signal input maxPrice;
    signal input outputCommitment;
    signal input price;
    signal input deliveryDigest;
    signal input status;
    signal input startedAt;
    signal input finishedAt;
    signal output headAfter;
    signal output leaf;

    // Demand head.
    component demand = TaggedHash(TAG_DEMAND_HEAD(), 4);
    demand.inputs[0] <== headBefore;
    demand.inputs[1] <== inputCommitment;
    demand.inputs[2] <== maxPrice;
    demand.inputs[3] <== signerId;
    headAfter <== headBefore + active * (demand.out - headBefore); // [6.select]

    // Prices. With price = p and maxPrice - price = h modulo r, both decomposed into 63 bits, maxPrice = p + h modulo r; and
    // p + h < 2^64 < r, so nothing wraps: as integers 0 <= price <= maxPrice < 2^64.
    component priceRange = RangeCheck(63); // [8.price-range]
    priceRange.in <== price; // [8.price-range]
    component headroomRange = RangeCheck(63); // [8.max-range]
    headroomRange.in <== maxPrice - price; // [8.price-limit]

    // Status, and the packing of meta.
    signal servedOrFailed <== (status - 1) * (status - 2);
    servedOrFailed * (status - 3) === 0; // [9.status]
    // status - active is 0 for an active job that was served, and 1, 2 or 3 for every other.
    // [8.inactive-price]
    (status - active) * price === 0; // [9.unserved-price]
    component startedAtRange = RangeCheck(34); // [9.started-range]
    startedAtRange.in <== startedAt; // [9.started-range]
    component finishedAtRange = RangeCheck(34); // [9.finished-range]
    finishedAtRange.in <== finishedAt; // [9.finished-range]
    signal meta <== status + startedAt * (1 << 8) + finishedAt * (1 << 48); // [9.meta]

    // Receipt.
    component receipt = TaggedHash(TAG_RECEIPT(), 5);
    receipt.inputs[0] <== headAfter;
    receipt.inputs[1] <== outputCommitment;
    receipt.inputs[2] <== price;
    receipt.inputs[3] <== deliveryDigest;
    receipt.inputs[4] <== meta;
    leaf <== active * receipt.out; // [11.leaf]
}
