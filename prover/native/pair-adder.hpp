// Adds many pairs of affine points with one inversion for a whole chunk of them: P. L. Montgomery's simultaneous inversion
// ("Speeding the Pollard and elliptic curve methods of factorization", Math. Comp. 48, 1987) over chord and tangent. Six
// products a pair instead of the ten of a mixed addition.
//
// Takes every pair: equal points are doubled, opposite ones give infinity, infinity is neutral.
#ifndef STUN_PAIR_ADDER_HPP
#define STUN_PAIR_ADDER_HPP

#include "curve.hpp"
#include "platform.hpp"

namespace {

/// Address of a stored point; the top bit says that its negative is meant.
typedef uint64_t PointReference;
constexpr PointReference negated = (PointReference)1 << 63;

inline const uint64_t *addressOf(PointReference reference) { return (const uint64_t *)(uintptr_t)(reference & ~negated); }
inline PointReference referenceTo(const void *point, bool negative) {
  return (PointReference)(uintptr_t)point | (negative ? negated : 0);
}

/// Brings an address towards the cache. WebAssembly has no such instruction, but a load that nobody waits for does the same; it costs
/// more, and is not made twice.
#ifdef __wasm__
inline void approach(const uint64_t *address) { (void)*(const volatile uint64_t *)address; }
constexpr size_t pairsAhead = 0;
#else
inline void approach(const uint64_t *address) { __builtin_prefetch(address); }
constexpr size_t pairsAhead = 32;
#endif

/// `V`: lanes of the field that the coordinates are in.
template <class V>
class PairAdder {
 public:
  typedef typename V::Scalar Scalar;
  static constexpr int pointWords = 2 * V::words;
  static constexpr size_t groups = V::lanes <= 2 ? 1024 : 256;
  static constexpr size_t chunk = groups * V::lanes;
  /// Groups that points are brought closer again ahead of their turn: a chunk of narrow lanes takes longer than its points stay in the
  /// nearest cache. Wide lanes are done with a group before it would help.
  static constexpr size_t ahead = V::lanes <= 2 ? pairsAhead / V::lanes : 0;

  explicit PairAdder(const Platform &platform)
      : differences(platform, groups), prefixes(platform, groups), doublings(platform, groups), left(platform, chunk),
        right(platform, chunk), result(platform, chunk), spare(platform, pointWords) {}
  bool ok() const {
    return differences.ok() && prefixes.ok() && doublings.ok() && left.ok() && right.ok() && result.ok() && spare.ok();
  }

  /// Asks for a + b to be written to `sum`, at the latest by `flush`; `sum` may not overlap any point still to be read.
  inline void add(PointReference a, PointReference b, uint64_t *sum) {
    // Points of a bucket lie anywhere; they are on their way to the cache while the chunk fills.
    approachPair(a, b);
    left[count] = a;
    right[count] = b;
    result[count] = sum;
    if (++count == chunk) flush();
  }

  void flush() {
    if (count == 0) return;
    while (count % V::lanes != 0) {
      left[count] = left[0];
      right[count] = right[0];
      result[count] = spare.get();
      count++;
    }
    const size_t used = count / V::lanes;
    V product = V::one();
    for (size_t group = 0; group < used; group++) {
      if (ahead > 0 && group + ahead < used) approachGroup(group + ahead);
      prefixes[group] = product;
      differences[group] = difference(group);
      product = V::mul(differences[group], product);
    }
    V inverse = V::inverse(product);
    for (size_t group = used; group-- > 0;) {
      finish(group, V::mul(inverse, prefixes[group]));
      inverse = V::mul(differences[group], inverse);
    }
    count = 0;
  }

  /// Copies a point, with its sign applied.
  static void copy(PointReference from, uint64_t *to) {
    Affine<Scalar> point = Affine<Scalar>::read((const uint8_t *)addressOf(from));
    if (from & negated) point.y = Scalar::neg(point.y);
    __builtin_memcpy(to, &point, 8 * pointWords);
  }

 private:
  static inline void approachPair(PointReference a, PointReference b) {
    for (int word = 0; word < pointWords; word += 8) {
      approach(addressOf(a) + word);
      approach(addressOf(b) + word);
    }
  }
  inline void approachGroup(size_t group) const {
    for (size_t pair = group * V::lanes; pair < (group + 1) * V::lanes; pair++) approachPair(left[pair], right[pair]);
  }

  struct Side {
    const uint64_t *rows[V::lanes];
    unsigned negative = 0;

    explicit Side(const PointReference *references) {
      for (unsigned lane = 0; lane < V::lanes; lane++) {
        rows[lane] = addressOf(references[lane]);
        negative |= (unsigned)(references[lane] >> 63) << lane;
      }
    }
    inline V x() const { return V::gather(rows, 0); }
    inline V y() const { return V::negatedWhere(negative, V::gather(rows, V::words)); }
  };

  /// What the group's pairs divide by; pairs that need no division are done at once and get 1.
  inline V difference(size_t group) {
    const size_t at = group * V::lanes;
    const Side a(&left[at]), b(&right[at]);
    const V ax = a.x(), bx = b.x();
    doublings[group] = 0;
    const unsigned special = V::equal(ax, bx) | V::equal(ax, V::zero()) | V::equal(bx, V::zero());
    const V chord = V::template sub<1>(bx, ax);
    if (special == 0) return chord;
    unsigned doubled = 0, done = 0;
    for (unsigned lane = 0; lane < V::lanes; lane++) {
      if (!((special >> lane) & 1)) continue;
      switch (settle(at + lane)) {
        case Case::done: done |= 1u << lane; break;
        case Case::doubling: doubled |= 1u << lane; break;
        case Case::chord: break;
      }
    }
    doublings[group] = (uint8_t)doubled;
    const V y = a.y();
    return V::select(done, V::one(), V::select(doubled, V::template canonical<2>(V::add(y, y)), chord));
  }

  enum class Case { done, doubling, chord };

  /// Does what needs no division: infinity, opposite points and, among points of no curve, those that share x alone.
  Case settle(size_t pair) {
    Affine<Scalar> a = Affine<Scalar>::read((const uint8_t *)addressOf(left[pair]));
    Affine<Scalar> b = Affine<Scalar>::read((const uint8_t *)addressOf(right[pair]));
    if (left[pair] & negated) a.y = Scalar::neg(a.y);
    if (right[pair] & negated) b.y = Scalar::neg(b.y);
    if (b.isInfinity()) copy(left[pair], result[pair]);
    else if (a.isInfinity()) copy(right[pair], result[pair]);
    else if (a.x == b.x && (!(a.y == b.y) || a.y.isZero())) __builtin_memset(result[pair], 0, 8 * pointWords);
    else return a.x == b.x ? Case::doubling : Case::chord;
    result[pair] = spare.get();
    return Case::done;
  }

  inline void finish(size_t group, const V &overDifference) {
    const size_t at = group * V::lanes;
    const Side a(&left[at]), b(&right[at]);
    const V ax = a.x(), bx = b.x(), ay = a.y();
    V rise = V::template sub<1>(b.y(), ay);
    if (doublings[group] != 0) {
      const V square = V::template canonical<V::productBound>(V::sqr(ax));
      rise = V::select(doublings[group], V::template canonical<3>(V::add(V::add(square, square), square)), rise);
    }
    const V slope = V::mul(V::tidied(rise), overDifference);
    constexpr int xBound = V::differenceBound(V::productBound, 2), yBound = V::differenceBound(V::productBound, 1);
    const V x = V::template canonical<xBound>(V::template sub<2>(V::sqr(slope), V::add(ax, bx)));
    const V y = V::template canonical<yBound>(V::template sub<1>(V::mul(slope, V::template sub<1>(ax, x)), ay));
    x.scatter(&result[at], 0);
    y.scatter(&result[at], V::words);
  }

  size_t count = 0;
  Buffer<V> differences, prefixes;
  Buffer<uint8_t> doublings;
  Buffer<PointReference> left, right;
  Buffer<uint64_t *> result;
  Buffer<uint64_t> spare;
};

}  // namespace

#endif
