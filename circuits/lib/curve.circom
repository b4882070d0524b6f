pragma circom 2.1.6;

// Points of BabyJubJub in its Montgomery form v² = u³ + 168698·u² + u, where the sum of two points takes three rows.
//
// The formulas are those of a chord and a tangent. Their slope is a quotient, and any number does for it where numerator and
// denominator are 0: when a point is added to itself. That must not happen; signature.circom says why it does not. A sum that
// would be the identity has no slope at all and is refused. A tangent always has one or is refused: no point with v = 0 has
// numerator 0.
//
// The functions compute the same with constants.

// Coefficient of u².
function MONTGOMERY_A() {
    return 168698;
}

function constantSum(p, q) {
    var slope = (q[1] - p[1]) / (q[0] - p[0]);
    var sum[2];
    sum[0] = slope * slope - MONTGOMERY_A() - p[0] - q[0];
    sum[1] = slope * (p[0] - sum[0]) - p[1];
    return sum;
}

// 2^times · p.
function constantDouble(p, times) {
    var point[2] = p;
    for (var i = 0; i < times; i++) {
        var u = point[0];
        var slope = (3 * u * u + 2 * MONTGOMERY_A() * u + 1) / (2 * point[1]);
        point[0] = slope * slope - MONTGOMERY_A() - 2 * u;
        point[1] = slope * (u - point[0]) - point[1];
    }
    return point;
}

// The Montgomery form of a point in Edwards form.
function constantToMontgomery(x, y) {
    var point[2];
    point[0] = (1 + y) / (1 - y);
    point[1] = point[0] / x;
    return point;
}

// A quotient; refused when the denominator alone is 0.
// CALLER MUST know that not both are 0: then any number would do.
//
// @input numerator
// @input denominator
// @output out
template Quotient() {
    signal input numerator;
    signal input denominator;
    signal output out;

    out <-- numerator / denominator;
    out * denominator === numerator; // [2.slope]
}

// CALLER MUST know that p and q are different points of the curve.
//
// @input p[2], q[2]
// @output out[2] - p + q
template PointSum() {
    signal input p[2];
    signal input q[2];
    signal output out[2];

    component slope = Quotient();
    slope.numerator <== q[1] - p[1];
    slope.denominator <== q[0] - p[0];
    out[0] <== slope.out * slope.out - MONTGOMERY_A() - p[0] - q[0];
    out[1] <== slope.out * (p[0] - out[0]) - p[1];
}

// @input p[2] - on the curve
// @output out[2] - 2·p
template PointDouble() {
    signal input p[2];
    signal output out[2];

    signal square <== p[0] * p[0];
    component slope = Quotient();
    slope.numerator <== 3 * square + 2 * MONTGOMERY_A() * p[0] + 1;
    slope.denominator <== 2 * p[1];
    out[0] <== slope.out * slope.out - MONTGOMERY_A() - 2 * p[0];
    out[1] <== slope.out * (p[0] - out[0]) - p[1];
}

// (p + q) + p. Nobody needs the v of p + q: both slopes add up to 2·v of p over the difference of the u.
// CALLER MUST know that p, q and p + q are points of the curve and p is neither of the others.
//
// @input p[2], q[2]
// @output out[2] - 2·p + q
template PointDoubleAndAdd() {
    signal input p[2];
    signal input q[2];
    signal output out[2];

    component first = Quotient();
    first.numerator <== q[1] - p[1];
    first.denominator <== q[0] - p[0];
    signal middle <== first.out * first.out - MONTGOMERY_A() - p[0] - q[0];
    component both = Quotient();
    both.numerator <== 2 * p[1];
    both.denominator <== p[0] - middle;
    signal second <== both.out - first.out;
    out[0] <== second * second - MONTGOMERY_A() - middle - p[0];
    out[1] <== second * (p[0] - out[0]) - p[1];
}
