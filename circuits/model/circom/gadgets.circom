pragma circom 2.1.6;

include "../../../node_modules/circomlib/circuits/bitify.circom";
include "../../../node_modules/circomlib/circuits/comparators.circom";
include "../../lib/tagged-hash.circom";

// What emitted model circuits are made of. Same rules as circuits/model/constraints/, where each is attacked by tests; constants
// (weights, places, widths) are parameters. CALLER MUST pass widths that the bounds of its values prove.

// 0 <= in <= maximum, with 2^nBits > maximum >= 2^(nBits - 1), or both 0.
template Within(nBits, maximum) {
    signal input in;

    if (nBits == 0) {
        in === 0;
    } else {
        _ <== Num2Bits(nBits)(in);
        if (maximum != (1 << nBits) - 1) {
            _ <== Num2Bits(nBits)(maximum - in);
        }
    }
}

// out[o] = biases[o] + sum of weights[o][i] in[i].
template Dense(nIn, nOut, weights, biases) {
    signal input in[nIn];
    signal output out[nOut];

    for (var o = 0; o < nOut; o++) {
        var sum = biases[o];
        for (var i = 0; i < nIn; i++) {
            sum += weights[o][i] * in[i];
        }
        out[o] <== sum;
    }
}

// A convolution over channels of `plane` elements. places[p][t] is where tap t of position p lies in a channel, -1 in the padding,
// which holds padding[channel].
template Convolve(channels, plane, groups, outputs, positions, taps, places, weights, biases, padding) {
    signal input in[channels * plane];
    signal output out[outputs * positions];

    var run = channels \ groups;
    for (var o = 0; o < outputs; o++) {
        var first = ((o * groups) \ outputs) * run;
        for (var p = 0; p < positions; p++) {
            var sum = biases[o];
            for (var c = 0; c < run; c++) {
                for (var t = 0; t < taps; t++) {
                    if (places[p][t] == -1) {
                        sum += weights[o][c * taps + t] * padding[first + c];
                    } else {
                        sum += weights[o][c * taps + t] * in[(first + c) * plane + places[p][t]];
                    }
                }
            }
            out[o * positions + p] <== sum;
        }
    }
}

// out[i] = factors[i] in[i] + biases[i].
template Scale(n, factors, biases) {
    signal input in[n];
    signal output out[n];

    for (var i = 0; i < n; i++) {
        out[i] <== factors[i] * in[i] + biases[i];
    }
}

// Sums of windows; a place of -1 lies in the padding and adds nothing.
template WindowSum(nIn, windows, size, places) {
    signal input in[nIn];
    signal output out[windows];

    for (var w = 0; w < windows; w++) {
        var sum = 0;
        for (var k = 0; k < size; k++) {
            if (places[w][k] != -1) {
                sum += in[places[w][k]];
            }
        }
        out[w] <== sum;
    }
}

// The greater of two whose difference lies in [-2^width, 2^width).
template Greater(width) {
    signal input in[2];
    signal output out;

    component bits = Num2Bits(width + 1);
    bits.in <== in[0] - in[1] + (1 << width);
    out <== in[1] + bits.out[width] * (in[0] - in[1]);
}

// The greatest of each window; places of padding repeat another place of the window.
template WindowMax(nIn, windows, size, places, width) {
    signal input in[nIn];
    signal output out[windows];

    signal so[windows][size];
    for (var w = 0; w < windows; w++) {
        so[w][0] <== in[places[w][0]];
        for (var k = 1; k < size; k++) {
            so[w][k] <== Greater(width)([so[w][k - 1], in[places[w][k]]]);
        }
        out[w] <== so[w][size - 1];
    }
}

template Rearrange(n, order) {
    signal input in[n];
    signal output out[n];

    for (var i = 0; i < n; i++) {
        out[i] <== in[order[i]];
    }
}

template Sum(n) {
    signal input a[n];
    signal input b[n];
    signal output out[n];

    for (var i = 0; i < n; i++) {
        out[i] <== a[i] + b[i];
    }
}

// clamp(floor((in + half) / 2^shift), 0, 2^nBits - 1), half = 2^(shift - 1) or 0 without a shift, for -2^width <= in + half < 2^width
// and width > shift. The highest bit of in + half + 2^width is the sign; the lowest `shift` are dropped, the next nBits are the
// activation, and any above saturate it.
template RequantiseOne(width, shift, nBits) {
    signal input in;
    signal output out;

    component bits = Num2Bits(width + 1);
    bits.in <== in + (shift == 0 ? 0 : 1 << (shift - 1)) + (1 << width);
    var small = 0;
    var above = 0;
    for (var i = shift; i < width; i++) {
        if (i < shift + nBits) {
            small += bits.out[i] * (1 << (i - shift));
        } else {
            above += bits.out[i];
        }
    }
    signal activation;
    if (width > shift + nBits) {
        signal fits <== IsZero()(above);
        activation <== (1 << nBits) - 1 + fits * (small - (1 << nBits) + 1);
    } else {
        activation <== small;
    }
    out <== bits.out[width] * activation;
}

// A width of 0 says that the result is always 0.
template Requantise(n, widths, shifts, nBits) {
    signal input in[n];
    signal output out[n];

    for (var i = 0; i < n; i++) {
        if (widths[i] == 0) {
            out[i] <== 0;
        } else {
            out[i] <== RequantiseOne(widths[i], shifts[i], nBits)(in[i]);
        }
    }
}

// reached[j] = 1 when in > j; proves that in is in 0..steps.
template Thermometer(steps) {
    signal input in;
    signal output reached[steps];

    var sum = 0;
    for (var j = 0; j < steps; j++) {
        reached[j] <-- in > j ? 1 : 0;
        sum += reached[j];
    }
    sum === in;
    // Neighbours differ by 0 or 1, the ends being 1 and 0: so the wires are 1..10..0.
    reached[0] * (1 - reached[0]) === 0;
    for (var j = 0; j < steps - 1; j++) {
        (reached[j] - reached[j + 1]) * (reached[j] - reached[j + 1] - 1) === 0;
    }
    reached[steps - 1] * (1 - reached[steps - 1]) === 0;
}

// Trees as lists, a parent before its children: nodes split where thresholds says, places in `reached`; parents of -1 are roots, the
// indicator of a child is its parent's times the side that it lies on, 1 above and 0 below. out[s] = biases[s] + leaves reached.
template Trees(nReached, nNodes, parents, sides, thresholds, nLeaves, leafParents, leafSides, nScores, leafValues, biases) {
    signal input reached[nReached];
    signal output out[nScores];

    signal above[nNodes];
    var indicator[nNodes];
    for (var i = 0; i < nNodes; i++) {
        if (parents[i] == -1) {
            indicator[i] = 1;
        } else {
            indicator[i] = sides[i] == 1 ? above[parents[i]] : indicator[parents[i]] - above[parents[i]];
        }
        above[i] <== indicator[i] * reached[thresholds[i]];
    }
    for (var s = 0; s < nScores; s++) {
        var sum = biases[s];
        for (var i = 0; i < nLeaves; i++) {
            if (leafParents[i] == -1) {
                sum += leafValues[i][s];
            } else {
                var at = leafSides[i] == 1 ? above[leafParents[i]] : indicator[leafParents[i]] - above[leafParents[i]];
                sum += leafValues[i][s] * at;
            }
        }
        out[s] <== sum;
    }
}

// The index of the greatest, the first of equal ones; differences lie below 2^nBits.
template FirstMax(n, nBits) {
    signal input in[n];
    signal output out;

    var best = 0;
    var most = in[0];
    for (var i = 1; i < n; i++) {
        if (in[i] > most) {
            best = i;
            most = in[i];
        }
    }
    signal chosen[n];
    signal maximum;
    maximum <-- most;
    var one = 0;
    var index = 0;
    for (var i = 0; i < n; i++) {
        chosen[i] <-- best == i ? 1 : 0;
        chosen[i] * (chosen[i] - 1) === 0;
        chosen[i] * (maximum - in[i]) === 0;
        one += chosen[i];
        index += i * chosen[i];
    }
    one === 1;
    // Every score is at most the maximum, and below it when a later one is chosen.
    var later = 0;
    for (var i = n - 1; i >= 0; i--) {
        _ <== Num2Bits(nBits)(maximum - in[i] - later);
        later += chosen[i];
    }
    out <== index;
}

// The 31-byte words of n elements of nBytes each, big-endian, the last word filled up with zeros. CALLER MUST bound the elements;
// for more than one byte they are taken apart here, which bounds them too.
template Pack(n, nBytes, nWords) {
    signal input in[n];
    signal output words[nWords];

    component bits[n];
    var sums[nWords];
    for (var i = 0; i < n; i++) {
        if (nBytes > 1) {
            bits[i] = Num2Bits(8 * nBytes);
            bits[i].in <== in[i];
        }
        for (var k = 0; k < nBytes; k++) {
            var value = in[i];
            if (nBytes > 1) {
                value = 0;
                for (var b = 0; b < 8; b++) {
                    value += bits[i].out[8 * (nBytes - 1 - k) + b] * (1 << b);
                }
            }
            var at = i * nBytes + k;
            sums[at \ 31] += value * (1 << (8 * (30 - at % 31)));
        }
    }
    for (var w = 0; w < nWords; w++) {
        words[w] <== sums[w];
    }
}

// tensorCommitment of docs/protocol.md, of a vector.
template TensorCommitment(n, nBytes, dtype, scale) {
    signal input in[n];
    signal input blinding;
    signal output out;

    var nWords = (n * nBytes + 30) \ 31;
    var nSteps = (nWords + 13) \ 14;
    signal words[nWords] <== Pack(n, nBytes, nWords)(in);
    signal states[nSteps + 1];
    states[0] <== TaggedHash(4, 5)([dtype, scale, 1, n, blinding]);
    component steps[nSteps];
    for (var s = 0; s < nSteps; s++) {
        steps[s] = TaggedHash(5, 15);
        steps[s].inputs[0] <== states[s];
        for (var w = 0; w < 14; w++) {
            steps[s].inputs[w + 1] <== 14 * s + w < nWords ? words[14 * s + w] : 0;
        }
        states[s + 1] <== steps[s].out;
    }
    out <== states[nSteps];
}
