// Sums of scalar multiples of many points: N. Pippenger's bucket method with signed digits. The points of a bucket are summed by
// halving (segment-sums.hpp), and the weighted sum over the buckets is brought to two short ones over rows and columns of them,
// so that almost every addition is one of many independent affine ones.
#ifndef STUN_MULTI_EXPONENTIATION_HPP
#define STUN_MULTI_EXPONENTIATION_HPP

#include "segment-sums.hpp"

namespace {

/// Scalars are below 2^254; the digit above takes the last carry.
constexpr unsigned scalarBits = 255;
constexpr unsigned leastWindow = 2, greatestWindow = 16;

inline unsigned windowsFor(unsigned window) { return (scalarBits + window - 1) / window; }

/// The window, in bits, that costs least for this many points, counted in additions.
inline unsigned windowFor(size_t points) {
  unsigned best = leastWindow;
  uint64_t least = UINT64_MAX;
  for (unsigned window = leastWindow; window <= greatestWindow; window++) {
    const uint64_t buckets = (uint64_t)1 << (window - 1), side = (uint64_t)1 << (window / 2);
    // A bucket takes part in two sums; a row or column in some complete additions; every round of halving has one inversion.
    const uint64_t cost = windowsFor(window) * (points + 2 * buckets + 8 * side + 50 * (window + 4));
    if (cost < least) {
      best = window;
      least = cost;
    }
  }
  return best;
}

/// Signed digits of scalars: digit w of scalar i is at [w * count + i], in -2^(window-1) .. 2^(window-1) - 1, and the sum of
/// digit * 2^(window * w) is the scalar. A digit of -2^(window-1) with window 16 is why nothing here negates in 16 bits.
class Digits {
 public:
  Digits(const Platform &platform, size_t count, unsigned window)
      : window(window), count(count), digits(platform, count * windowsFor(window)) {}
  bool ok() const { return digits.ok(); }
  const int16_t *of(unsigned index) const { return digits.get() + index * count; }

  /// Cuts scalars from `begin` to `end`, each an integer of 32 bytes below 2^254.
  void cut(const uint8_t *scalars, size_t begin, size_t end) {
    const unsigned windows = windowsFor(window);
    const uint32_t mask = (1u << window) - 1, half = 1u << (window - 1);
    for (size_t i = begin; i < end; i++) {
      uint64_t limb[5] = {0, 0, 0, 0, 0};
      for (int j = 0; j < 4; j++) limb[j] = load64(scalars + 32 * i + 8 * j);
      uint32_t carry = 0;
      for (unsigned w = 0; w < windows; w++) {
        const unsigned bit = w * window, word = bit / 64, shift = bit % 64;
        uint64_t piece = limb[word] >> shift;
        if (shift + window > 64) piece |= limb[word + 1] << (64 - shift);
        const uint32_t value = ((uint32_t)piece & mask) + carry;
        carry = value >= half ? 1 : 0;
        digits[w * count + i] = (int16_t)((int32_t)value - (int32_t)(carry << window));
      }
    }
  }

  const unsigned window;
  const size_t count;

 private:
  Buffer<int16_t> digits;
};

/// The points of one sum: those that are not infinity, where they lie and which scalar each has.
struct Bases {
  const uint8_t *points;
  size_t stride;
  const uint32_t *scalarOf;
  size_t count;
};

/// One thread's memory for windows of up to `points` points.
template <class V>
class WindowSums {
 public:
  typedef typename V::Scalar Scalar;
  static constexpr int pointWords = 2 * V::words;

  WindowSums(const Platform &platform, size_t points, unsigned window)
      : buckets((size_t)1 << (window - 1)), side((size_t)1 << (window / 2)), sorted(platform, points > buckets ? points : buckets),
        starts(platform, buckets + 2), sums(platform, buckets * pointWords), edges(platform, 2 * side * pointWords),
        segments(platform, points > buckets ? points : buckets, buckets > 2 * side ? buckets : 2 * side) {}
  bool ok() const { return sorted.ok() && starts.ok() && sums.ok() && edges.ok() && segments.ok(); }

  /// Sum of digit * point over one window. `digits` has a digit for every scalar.
  Extended<Scalar> sum(const Bases &bases, const int16_t *digits) {
    sort(bases, digits);
    segments.sum(sorted.get(), buckets, sums.get());
    return weigh();
  }

 private:
  static unsigned magnitude(int16_t digit) { return (unsigned)(digit < 0 ? -(int)digit : (int)digit); }

  /// Counting sort of the points by bucket, those of digit 0 left out.
  void sort(const Bases &bases, const int16_t *digits) {
    for (size_t i = 0; i < buckets + 2; i++) starts[i] = 0;
    for (size_t i = 0; i < bases.count; i++) starts[magnitude(digits[bases.scalarOf[i]]) + 1]++;
    uint32_t *const counts = segments.segmentCounts();
    for (size_t bucket = 0; bucket < buckets; bucket++) counts[bucket] = starts[bucket + 2];
    starts[1] = 0;
    for (size_t bucket = 1; bucket <= buckets; bucket++) starts[bucket + 1] += starts[bucket];
    for (size_t i = 0; i < bases.count; i++) {
      const int16_t digit = digits[bases.scalarOf[i]];
      if (digit == 0) continue;
      sorted[starts[magnitude(digit)]++] = referenceTo(bases.points + i * bases.stride, digit < 0);
    }
  }

  /// Sum of (i + 1) * bucket i. With i = row * side + column it is side * (sum of row * rows) + (sum of (column + 1) * columns).
  Extended<Scalar> weigh() {
    const size_t rows = (buckets + side - 1) / side, columns = buckets < side ? buckets : side;
    uint32_t *const counts = segments.segmentCounts();
    size_t used = 0;
    for (size_t row = 0; row < rows; row++) {
      counts[row] = 0;
      for (size_t column = 0; column < columns; column++) used += collect(row * side + column, counts[row], used);
    }
    segments.sum(sorted.get(), rows, edges.get());
    Extended<Scalar> total = weighted(edges.get(), rows, false);
    for (size_t size = side; size > 1; size /= 2) total = Extended<Scalar>::dbl(total);

    used = 0;
    for (size_t column = 0; column < columns; column++) {
      counts[column] = 0;
      for (size_t row = 0; row < rows; row++) used += collect(row * side + column, counts[column], used);
    }
    segments.sum(sorted.get(), columns, edges.get());
    return Extended<Scalar>::add(total, weighted(edges.get(), columns, true));
  }

  size_t collect(size_t bucket, uint32_t &count, size_t used) {
    const uint64_t *point = sums.get() + bucket * pointWords;
    if (Affine<Scalar>::read((const uint8_t *)point).isInfinity()) return 0;
    sorted[used] = referenceTo(point, false);
    count++;
    return 1;
  }

  /// Sum of i * point i, or of (i + 1) * point i, by running sums.
  static Extended<Scalar> weighted(const uint64_t *points, size_t count, bool fromOne) {
    Extended<Scalar> running = Extended<Scalar>::infinity(), total = running;
    for (size_t i = count; i-- > 0;) {
      const Affine<Scalar> stored = Affine<Scalar>::read((const uint8_t *)(points + i * pointWords));
      const Affine<Scalar> point = {V::toKey(stored.x), V::toKey(stored.y)};
      running = Extended<Scalar>::add(running, Extended<Scalar>::from(point));
      if (fromOne || i > 0) total = Extended<Scalar>::add(total, running);
    }
    return total;
  }

  const size_t buckets, side;
  Buffer<PointReference> sorted;
  Buffer<uint32_t> starts;
  Buffer<uint64_t> sums, edges;
  SegmentSums<V> segments;
};

/// Puts the windows of one sum together, the highest first.
template <class Scalar>
Extended<Scalar> joinWindows(const Extended<Scalar> *windows, unsigned window) {
  Extended<Scalar> result = Extended<Scalar>::infinity();
  for (unsigned w = windowsFor(window); w-- > 0;) {
    for (unsigned i = 0; i < window; i++) result = Extended<Scalar>::dbl(result);
    result = Extended<Scalar>::add(result, windows[w]);
  }
  return result;
}

}  // namespace

#endif
