pragma circom 2.1.6;

include "../lib/settlement.circom";

component main {
    public [enclaveRoot, orderId, laneOld, laneNew, receiptsRoot, payee, total, domain]
} = Settlement(64, 0);
