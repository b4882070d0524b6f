pragma circom 2.1.6;

// The hash tags of docs/protocol.md section 2 that the settlement circuit uses.
// CALLER MUST pass one of these as the first input of every hash.

function TAG_CHALLENGE() {
    return 0;
}

function TAG_ORDER_ID() {
    return 1;
}

function TAG_SIGNER_ID() {
    return 8;
}

function TAG_LANE_GENESIS() {
    return 9;
}

function TAG_DEMAND_HEAD() {
    return 10;
}

function TAG_RECEIPT() {
    return 11;
}

function TAG_RUNNING_STATEMENT() {
    return 13;
}

function TAG_ENCLAVE_LEAF() {
    return 14;
}

function TAG_ENCLAVE_NODE() {
    return 15;
}

function TAG_RECEIPTS_NODE() {
    return 16;
}
