// Sums many segments of a list of points at once, by halving: each round adds neighbours of one segment pairwise, so that all
// additions of a round are independent and share their inversions.
#ifndef STUN_SEGMENT_SUMS_HPP
#define STUN_SEGMENT_SUMS_HPP

#include "pair-adder.hpp"

namespace {

/// `V`: lanes of the coordinates' field.
template <class V>
class SegmentSums {
 public:
  static constexpr int pointWords = PairAdder<V>::pointWords;

  /// @param points most points in one list @param segments most segments in one list
  SegmentSums(const Platform &platform, size_t points, size_t segments)
      : adder(platform), counts(platform, segments), first(platform, (points + segments) / 2 * pointWords),
        second(platform, (points + 3 * segments) / 4 * pointWords + pointWords) {}
  bool ok() const { return adder.ok() && counts.ok() && first.ok() && second.ok(); }

  /// Points of each segment; the caller fills it before every `sum`, which uses it up.
  uint32_t *segmentCounts() const { return counts.get(); }

  /// Writes the sum of segment i to sums + i * pointWords; an empty segment gives infinity.
  void sum(const PointReference *points, size_t segments, uint64_t *sums) {
    size_t longest = firstRound(points, segments, sums);
    uint64_t *from = first.get(), *to = second.get();
    while (longest > 1) {
      longest = nextRound(from, to, segments, sums);
      uint64_t *swap = from;
      from = to;
      to = swap;
    }
  }

 private:
  // In every round a segment of two or one is finished; of a longer one the sums, and a last point without a neighbour, go
  // to the next list. `counts` then says how many points a segment has there.
  size_t firstRound(const PointReference *points, size_t segments, uint64_t *sums) {
    uint64_t *to = first.get();
    size_t longest = 0;
    for (size_t segment = 0; segment < segments; segment++) {
      const uint32_t count = counts[segment];
      uint64_t *sum = sums + segment * pointWords;
      if (count == 0) __builtin_memset(sum, 0, 8 * pointWords);
      else if (count == 1) PairAdder<V>::copy(points[0], sum);
      else if (count == 2) adder.add(points[0], points[1], sum);
      else {
        for (uint32_t i = 0; i + 1 < count; i += 2, to += pointWords) adder.add(points[i], points[i + 1], to);
        if (count & 1) {
          PairAdder<V>::copy(points[count - 1], to);
          to += pointWords;
        }
      }
      points += count;
      counts[segment] = count <= 2 ? 0 : (count + 1) / 2;
      longest = counts[segment] > longest ? counts[segment] : longest;
    }
    adder.flush();
    return longest;
  }

  size_t nextRound(const uint64_t *from, uint64_t *to, size_t segments, uint64_t *sums) {
    size_t longest = 0;
    for (size_t segment = 0; segment < segments; segment++) {
      const uint32_t count = counts[segment];
      if (count == 0) continue;
      if (count == 2) adder.add(referenceTo(from, false), referenceTo(from + pointWords, false), sums + segment * pointWords);
      else {
        for (uint32_t i = 0; i + 1 < count; i += 2, to += pointWords) {
          const uint64_t *pair = from + i * pointWords;
          adder.add(referenceTo(pair, false), referenceTo(pair + pointWords, false), to);
        }
        if (count & 1) {
          __builtin_memcpy(to, from + (count - 1) * pointWords, 8 * pointWords);
          to += pointWords;
        }
      }
      from += count * pointWords;
      counts[segment] = count <= 2 ? 0 : (count + 1) / 2;
      longest = counts[segment] > longest ? counts[segment] : longest;
    }
    adder.flush();
    return longest;
  }

  PairAdder<V> adder;
  Buffer<uint32_t> counts;
  Buffer<uint64_t> first, second;
};

}  // namespace

#endif
