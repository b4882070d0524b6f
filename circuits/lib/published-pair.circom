pragma circom 2.1.6;

// The commitments of a job that is paid, as a settlement that needs inference proofs publishes them: 0 and 0 when the price is 0.
// A failed, void or free job and padding thus publish nothing.
//
// @input price
// @input inputCommitment
// @input outputCommitment
// @output publishedInput - inputCommitment where price is not 0, else 0
// @output publishedOutput - outputCommitment where price is not 0, else 0
template PublishedPair() {
    signal input price;
    signal input inputCommitment;
    signal input outputCommitment;
    signal output publishedInput;
    signal output publishedOutput;

    // isPaid = 0 exactly when price = 0. The inverse is a hint: with price 0 the product is 0 whatever it is, and with another
    // price the second constraint leaves only 1.
    signal inverse <-- price != 0 ? 1 / price : 0; // [14.hint]
    signal isPaid <== price * inverse; // [14.unpaid]
    price * (1 - isPaid) === 0; // [14.is-paid]

    publishedInput <== isPaid * inputCommitment; // [14.select-input]
    publishedOutput <== isPaid * outputCommitment; // [14.select-output]
}
