pragma circom 2.1.6;

include "enclave-tree.circom";
include "job.circom";
include "lane.circom";
include "payee.circom";
include "published-pair.circom";
include "range.circom";
include "receipts-tree.circom";
include "signature.circom";
include "tagged-hash.circom";
include "tags.circom";

// Settlement(N, nPublished): one segment of a lane, 1..N jobs, is owed `total`.
//
// @param N - places for jobs, 1..256
// @param nPublished - 0, or N for a circuit that publishes the commitments of the jobs that are paid, so that a contract can
//   demand an inference proof of each
//
// It says: the customer of orderId signed for every job and its maximum price, naming this very enclave; an enclave whose
// leaf is under the provider's root signed the receipts of exactly these jobs. It shows neither keys, model, policy,
// single prices nor the number of jobs, and no commitments but those it publishes. The numbered steps are those of
// docs/design.md section 8; the labels in brackets name each constraint for test/circuits/.
//
// It does NOT check, and the escrow contract must: that every public signal is < r and canonical; that orderId and domain are
// those of a stored open order; that laneOld is the lane's state and laneNew is neither 0 nor laneOld; that enclaveRoot is
// live; that validAt is recent; who calls.
//
// PUBLIC (in this order)
// @input enclaveRoot - root of the provider's enclave tree
// @input orderId
// @input laneOld - state of the lane before, 0 when it has never settled
// @input laneNew - state after: the last demand head of the segment
// @input receiptsRoot - root over the receipts of the segment
// @input payee - provider + validAt·2^160 + laneIndex·2^200
// @input total - sum of the prices
// @input domain - binds chain, escrow, funder, token and terms
// @input publishedInput[nPublished] - by place, the input commitment of a job whose price is not 0, else 0
// @input publishedOutput[nPublished] - the output commitment of the same jobs, else 0
//
// PRIVATE
// @input demandKey[2], modelId, policyId, salt - the opening of orderId
// @input demandSignatureR8[2], demandSignatureS - by demandKey, over the last demand head
// @input receiptKey[2], hardwareIdHash, expiresAt - the enclave's leaf, with policyId and provider
// @input pathBits[10], pathSiblings[10] - place of the leaf, lowest level first
// @input statementSignatureR8[2], statementSignatureS - by receiptKey, over the running statement
// @input provider, validAt, laneIndex - what payee packs
// @input active[N] .. finishedAt[N] - the jobs, see job.circom; unused places after the last job
template Settlement(N, nPublished) {
    assert(nPublished == 0 || nPublished == N);
    signal input enclaveRoot;
    signal input orderId;
    signal input laneOld;
    signal input laneNew;
    signal input receiptsRoot;
    signal input payee;
    signal input total;
    signal input domain;
    signal input publishedInput[nPublished];
    signal input publishedOutput[nPublished];

    signal input demandKey[2];
    signal input modelId;
    signal input policyId;
    signal input salt;
    signal input demandSignatureR8[2];
    signal input demandSignatureS;

    signal input receiptKey[2];
    signal input hardwareIdHash;
    signal input expiresAt;
    signal input pathBits[10];
    signal input pathSiblings[10];
    signal input statementSignatureR8[2];
    signal input statementSignatureS;

    signal input provider;
    signal input validAt;
    signal input laneIndex;

    signal input active[N];
    signal input inputCommitment[N];
    signal input maxPrice[N];
    signal input outputCommitment[N];
    signal input price[N];
    signal input deliveryDigest[N];
    signal input status[N];
    signal input startedAt[N];
    signal input finishedAt[N];

    // 1. orderId opens to domain, demand key, model, policy and salt.
    component order = TaggedHash(TAG_ORDER_ID(), 6);
    order.inputs[0] <== domain;
    order.inputs[1] <== demandKey[0];
    order.inputs[2] <== demandKey[1];
    order.inputs[3] <== modelId;
    order.inputs[4] <== policyId;
    order.inputs[5] <== salt;
    orderId === order.out; // [1.order]

    // 3. What payee packs.
    component packedPayee = Payee();
    packedPayee.provider <== provider;
    packedPayee.validAt <== validAt;
    packedPayee.laneIndex <== laneIndex;
    payee === packedPayee.packed; // [3.payee]
    component expiresAtRange = RangeCheck(40); // [3.expires-at-range]
    expiresAtRange.in <== expiresAt; // [3.expires-at-range]

    // 4. The head the segment starts from.
    component start = LaneStart();
    start.orderId <== orderId;
    start.provider <== provider;
    start.laneIndex <== laneIndex;
    start.laneOld <== laneOld;

    // 5. At least one job; active jobs first.
    active[0] === 1; // [5.first]
    var countSum = 0;
    for (var i = 0; i < N; i++) {
        if (i > 0) {
            // 0, or what the one before is, which is 0 or 1.
            // [5.boolean]
            active[i] * (active[i - 1] - active[i]) === 0; // [5.prefix]
        }
        countSum += active[i];
    }
    signal count <== countSum; // [5.count]

    // 10. One signer for the whole segment: the enclave whose leaf is shown below.
    component signer = TaggedHash(TAG_SIGNER_ID(), 2);
    signer.inputs[0] <== receiptKey[0];
    signer.inputs[1] <== receiptKey[1];

    // 6, 8, 9, 11. The jobs.
    signal head[N + 1];
    component job[N];
    component receipts = ReceiptsRoot(N);
    head[0] <== start.head;
    var priceSum = 0;
    for (var i = 0; i < N; i++) {
        job[i] = Job();
        job[i].active <== active[i];
        job[i].headBefore <== head[i];
        job[i].signerId <== signer.out; // [10.signer]
        job[i].inputCommitment <== inputCommitment[i];
        job[i].maxPrice <== maxPrice[i];
        job[i].outputCommitment <== outputCommitment[i];
        job[i].price <== price[i];
        job[i].deliveryDigest <== deliveryDigest[i];
        job[i].status <== status[i];
        job[i].startedAt <== startedAt[i];
        job[i].finishedAt <== finishedAt[i];
        head[i + 1] <== job[i].headAfter;
        receipts.leaves[i] <== job[i].leaf;
        priceSum += price[i];
    }
    laneNew === head[N]; // [6.lane-new]
    total === priceSum; // [8.total]
    receiptsRoot === receipts.root; // [11.root]

    // 14. What is published of the jobs that are paid.
    component pair[nPublished];
    for (var i = 0; i < nPublished; i++) {
        pair[i] = PublishedPair();
        pair[i].price <== price[i];
        pair[i].inputCommitment <== inputCommitment[i];
        pair[i].outputCommitment <== outputCommitment[i];
        publishedInput[i] === pair[i].publishedInput; // [14.input]
        publishedOutput[i] === pair[i].publishedOutput; // [14.output]
    }

    // 2, 7. The customer signed the last head, and with it all before.
    component demandSignature = SignatureCheck(); // [7.signature]
    demandSignature.key <== demandKey; // [7.signature]
    demandSignature.r8 <== demandSignatureR8; // [7.signature]
    demandSignature.s <== demandSignatureS; // [7.signature]
    demandSignature.message <== laneNew; // [7.signature]

    // 12. The enclave's leaf: the order's policy, the paid provider, live at validAt.
    component leaf = TaggedHash(TAG_ENCLAVE_LEAF(), 5);
    leaf.inputs[0] <== signer.out;
    leaf.inputs[1] <== policyId; // [12.policy]
    leaf.inputs[2] <== provider; // [12.provider]
    leaf.inputs[3] <== hardwareIdHash;
    leaf.inputs[4] <== expiresAt;
    component path = EnclaveRoot(10);
    path.leaf <== leaf.out;
    path.pathBits <== pathBits;
    path.siblings <== pathSiblings;
    enclaveRoot === path.root; // [12.root]
    component lifetimeRange = RangeCheck(40); // [12.expiry]
    lifetimeRange.in <== expiresAt - validAt - 1; // [12.expiry]

    // 2, 13. The enclave signed the statement over this segment.
    component statement = TaggedHash(TAG_RUNNING_STATEMENT(), 6);
    statement.inputs[0] <== start.head; // [13.from]
    statement.inputs[1] <== laneNew; // [13.to]
    statement.inputs[2] <== modelId; // [13.model]
    statement.inputs[3] <== total; // [13.total]
    statement.inputs[4] <== count; // [13.count]
    statement.inputs[5] <== receiptsRoot; // [13.receipts]
    component statementSignature = SignatureCheck(); // [13.signature]
    statementSignature.key <== receiptKey; // [13.signature]
    statementSignature.r8 <== statementSignatureR8; // [13.signature]
    statementSignature.s <== statementSignatureS; // [13.signature]
    statementSignature.message <== statement.out; // [13.signature]
}
