// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

/// @title Public-key checks on circomlib's BabyJubJub curve, a x^2 + y^2 = 1 + d x^2 y^2 over the BN254 scalar field.
/// @notice Pure arithmetic on public values; says nothing of who holds the secret.
library BabyJubJub {
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 internal constant A = 168700;
    uint256 internal constant D = 168696;
    /// Order of the prime subgroup, 251 bits.
    uint256 internal constant L = 2736030358979909402780800718157159386076813972158567259200215660948447373041;

    /// Projective coordinates: x = X / Z, y = Y / Z.
    struct Point {
        uint256 x;
        uint256 y;
        uint256 z;
    }

    /// @notice Whether (x, y) is canonical, on the curve, in the prime-order subgroup and not the identity.
    /// @dev The subgroup has prime order, so such a key also has 8 A != O. Costs about 200k gas: once per keyset.
    function isPublicKey(uint256 x, uint256 y) internal pure returns (bool) {
        if (!isOnCurve(x, y)) return false;
        if (x == 0 && y == 1) return false;
        return _isIdentity(_timesSubgroupOrder(Point(x, y, 1)));
    }

    /// @notice Whether (x, y) has canonical coordinates and is on the curve.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        if (x >= R || y >= R) return false;
        uint256 xx = mulmod(x, x, R);
        uint256 yy = mulmod(y, y, R);
        return addmod(mulmod(A, xx, R), yy, R) == addmod(1, mulmod(D, mulmod(xx, yy, R), R), R);
    }

    function _isIdentity(Point memory p) private pure returns (bool) {
        return p.x == 0 && p.y == p.z;
    }

    /// Left-to-right double and add. The formulas are complete on this curve (a is a square, d is not).
    function _timesSubgroupOrder(Point memory p) private pure returns (Point memory q) {
        q = Point(p.x, p.y, p.z);
        for (uint256 bit = 250; bit > 0; --bit) {
            q = _double(q);
            if ((L >> (bit - 1)) & 1 == 1) q = _addAffine(q, p);
        }
    }

    /// Formula dbl-2008-bbjlp of the Explicit-Formulas Database.
    function _double(Point memory p) private pure returns (Point memory q) {
        uint256 sum = addmod(p.x, p.y, R);
        uint256 b = mulmod(sum, sum, R);
        uint256 c = mulmod(p.x, p.x, R);
        uint256 d = mulmod(p.y, p.y, R);
        uint256 e = mulmod(A, c, R);
        uint256 f = addmod(e, d, R);
        uint256 h = mulmod(p.z, p.z, R);
        uint256 j = addmod(f, R - addmod(h, h, R), R);
        q.x = mulmod(addmod(b, R - addmod(c, d, R), R), j, R);
        q.y = mulmod(f, addmod(e, R - d, R), R);
        q.z = mulmod(f, j, R);
    }

    /// Formula add-2008-bbjlp with Z2 = 1.
    function _addAffine(Point memory p, Point memory s) private pure returns (Point memory q) {
        uint256 b = mulmod(p.z, p.z, R);
        uint256 c = mulmod(p.x, s.x, R);
        uint256 d = mulmod(p.y, s.y, R);
        uint256 e = mulmod(D, mulmod(c, d, R), R);
        uint256 f = addmod(b, R - e, R);
        uint256 g = addmod(b, e, R);
        uint256 cross = mulmod(addmod(p.x, p.y, R), addmod(s.x, s.y, R), R);
        cross = addmod(cross, R - addmod(c, d, R), R);
        q.x = mulmod(mulmod(p.z, f, R), cross, R);
        q.y = mulmod(mulmod(p.z, g, R), addmod(d, R - mulmod(A, c, R), R), R);
        q.z = mulmod(f, g, R);
    }
}
