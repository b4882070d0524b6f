pragma circom 2.1.6;

include "../../node_modules/circomlib/circuits/poseidon_constants.circom";

// Element 0 of Poseidon's permutation over (capacity, inputs[0], .., inputs[nInputs - 1]): x^5, 8 full rounds, circomlib's
// parameters in their sparse form (docs/protocol.md section 1).
//
// It is written for the prover, who pays for wires and for what stands in the factors of a product, and nothing for what is
// added to it: a partial round has one wire for the state that leaves it instead of one for its S-box, so that the next S-box
// squares a wire and not a sum that grows with every round. The S-box' value is read back from that wire, as a sum.
//
// @param capacity - element 0 of the state before the first round, a constant
// @param nInputs - 1..16
// @input inputs[nInputs]
// @output out
template PoseidonHash(capacity, nInputs) {
    signal input inputs[nInputs];
    signal output out;

    var partialRounds[16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];
    var t = nInputs + 1;
    var nPartial = partialRounds[nInputs - 1];
    var constants[8 * t + nPartial] = POSEIDON_C(t);
    var sparse[nPartial * (2 * t - 1)] = POSEIDON_S(t);
    var dense[t][t] = POSEIDON_M(t);
    var beforeSparse[t][t] = POSEIDON_P(t);

    // The S-boxes of all rounds, one after the other; the one of the constant capacity needs none.
    signal square[8 * t + nPartial - 1];
    signal fourth[8 * t + nPartial - 1];
    signal fifth[8 * t - 2];
    signal next[nPartial];
    var box = 0;

    var state[t];
    var boxed[t];
    state[0] = capacity + constants[0];
    for (var i = 1; i < t; i++) {
        state[i] = inputs[i - 1] + constants[i];
    }
    for (var r = 0; r < 4; r++) {
        for (var i = 0; i < t; i++) {
            if (r == 0 && i == 0) {
                boxed[i] = state[i] ** 5 + constants[t];
            } else {
                square[box] <== state[i] * state[i];
                fourth[box] <== square[box] * square[box];
                fifth[box] <== fourth[box] * state[i];
                boxed[i] = fifth[box] + constants[(r + 1) * t + i];
                box++;
            }
        }
        for (var i = 0; i < t; i++) {
            state[i] = 0;
            for (var j = 0; j < t; j++) {
                state[i] += (r < 3 ? dense[j][i] : beforeSparse[j][i]) * boxed[j];
            }
        }
    }

    // Every sparse matrix has the same upper left entry, the dense one's.
    var corner = dense[0][0];
    var overCorner = 1 / corner;
    for (var r = 0; r < nPartial; r++) {
        var at = r * (2 * t - 1);
        var rest = 0;
        for (var i = 1; i < t; i++) {
            rest += sparse[at + i] * state[i];
        }
        square[box] <== state[0] * state[0];
        fourth[box] <== square[box] * square[box];
        next[r] <== corner * fourth[box] * state[0] + (corner * constants[5 * t + r] + rest);
        box++;
        var first = (next[r] - rest) * overCorner;
        for (var i = 1; i < t; i++) {
            state[i] += sparse[at + t + i - 1] * first;
        }
        state[0] = next[r];
    }

    var outSum = 0;
    for (var r = 0; r < 4; r++) {
        for (var i = 0; i < t; i++) {
            square[box] <== state[i] * state[i];
            fourth[box] <== square[box] * square[box];
            if (r == 3 && i == t - 1) {
                out <== dense[i][0] * fourth[box] * state[i] + outSum;
            } else {
                fifth[box - nPartial] <== fourth[box] * state[i];
                boxed[i] = fifth[box - nPartial];
                if (r < 3) {
                    boxed[i] += constants[5 * t + nPartial + r * t + i];
                } else {
                    outSum += dense[i][0] * boxed[i];
                }
            }
            box++;
        }
        if (r < 3) {
            for (var i = 0; i < t; i++) {
                state[i] = 0;
                for (var j = 0; j < t; j++) {
                    state[i] += dense[j][i] * boxed[j];
                }
            }
        }
    }
}
