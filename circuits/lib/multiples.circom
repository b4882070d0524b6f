pragma circom 2.1.6;

include "curve.circom";

// Multiples of points, with a sign for every bit of the scalar: the sum of all ±2^i is 2·scalar - 2^n + 1 for n bits. So no
// digit is 0, and nothing has to be skipped.
//
// Both sums start from a multiple of a point Z that nobody knows as a multiple of another: 8 times the point whose y is the SHA-256
// digest of "stun/settlement/start-point/v1/0" modulo r and whose x is even. Recomputed by test/circuits/artefacts.test.ts.

function startPoint() {
    return constantToMontgomery(
        1997633478509732405537368678161817419302130565710526646465989673286245762958,
        19626716473089712662250476911785568965964544474047209469137262321111682684736
    );
}

// Half of circomlib's Base8: that times (l + 1) / 2. Recomputed there too.
function halfBase() {
    return constantToMontgomery(
        9948139313319326567538585976434296874021944789429458993825623013113438161408,
        5754705828006165357341407866267251848778924039034508968461663781341611574458
    );
}

// s0 + 2·s1 + 4·s2 times a constant point for three signs. Turning all of them keeps u and turns v: so u is a combination of
// products of two signs, which one square gives, and v one of the signs and their product, which a sign times u gives.
//
// @param point[2]
// @input bits[3] - a sign is 2·bit - 1
// @output out[2]
template OddMultiple(point) {
    signal input bits[3];
    signal output out[2];

    var two[2] = constantDouble(point, 1);
    var three[2] = constantSum(point, two);
    var five[2] = constantSum(three, two);
    var seven[2] = constantSum(five, two);
    // u = u0 + u01·s0·s1 + u02·s0·s2 + u12·s1·s2
    var u0 = (point[0] + three[0] + five[0] + seven[0]) / 4;
    var u01 = (point[0] - three[0] - five[0] + seven[0]) / 4;
    var u02 = (-point[0] + three[0] - five[0] + seven[0]) / 4;
    var u12 = (-point[0] - three[0] + five[0] + seven[0]) / 4;
    // v = v0·s0 + v1·s1 + v2·s2 + v012·s0·s1·s2
    var v0 = (-point[1] + three[1] - five[1] + seven[1]) / 4;
    var v1 = (-point[1] - three[1] + five[1] + seven[1]) / 4;
    var v2 = (point[1] + three[1] + five[1] + seven[1]) / 4;
    var v012 = (point[1] - three[1] - five[1] + seven[1]) / 4;

    var s0 = 2 * bits[0] - 1;
    var s1 = 2 * bits[1] - 1;
    var s2 = 2 * bits[2] - 1;
    var factor1 = u12 / u02;
    var factor2 = u12 / u01;
    var scale = u01 * u02 / (2 * u12);
    var line = s0 + factor1 * s1 + factor2 * s2;
    out[0] <== scale * line * line + u0 - scale * (1 + factor1 * factor1 + factor2 * factor2);
    var ratio = v012 / u12;
    out[1] <== ratio * s0 * out[0] + (v0 - ratio * u0) * s0 + (v1 - ratio * u01) * s1 + (v2 - ratio * u02) * s2;
}

// A multiple of circomlib's Base8, from which 2^254·Z is taken.
//
// @input bits[252] - of the scalar, lowest first
// @output out[2]
template BaseMultiple() {
    signal input bits[252];
    signal output out[2];

    var base[2] = halfBase();
    // The sum of all signs is 2·scalar - 2^252 + 1 times half the base.
    var negative[2] = base;
    negative[1] = -negative[1];
    var start[2] = constantSum(constantDouble(base, 252), negative);
    var taken[2] = constantDouble(startPoint(), 254);
    taken[1] = -taken[1];
    start = constantSum(start, taken);

    component windows[84];
    component sums[84];
    for (var i = 0; i < 84; i++) {
        windows[i] = OddMultiple(base);
        windows[i].bits <== [bits[3 * i], bits[3 * i + 1], bits[3 * i + 2]];
        sums[i] = PointSum();
        if (i == 0) {
            sums[i].p <== start;
        } else {
            sums[i].p <== sums[i - 1].out;
        }
        sums[i].q <== windows[i].out;
        base = constantDouble(base, 3);
    }
    out <== sums[83].out;
}

// A multiple of a point, to which 2^254·Z is added.
//
// @input bits[254] - of the scalar, lowest first
// @input point[2]
// @output out[2] - 2·scalar·point + 2^254·Z
template PointMultiple() {
    signal input bits[254];
    signal input point[2];
    signal output out[2];

    // point + Z, doubled 254 times with a sign of the point added each time: 2^254·Z + (2·scalar + 1)·point.
    component start = PointSum();
    start.p <== startPoint();
    start.q <== point;
    signal signed[254];
    component steps[254];
    for (var i = 253; i >= 0; i--) {
        signed[i] <== (2 * bits[i] - 1) * point[1];
        steps[i] = PointDoubleAndAdd();
        if (i == 253) {
            steps[i].p <== start.out;
        } else {
            steps[i].p <== steps[i + 1].out;
        }
        steps[i].q <== [point[0], signed[i]];
    }
    component end = PointSum();
    end.p <== steps[0].out;
    end.q <== [point[0], -point[1]];
    out <== end.out;
}
