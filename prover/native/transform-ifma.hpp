// The transforms of transform.hpp over eight lanes. Values lie in blocks of eight neighbours; blocks meet as wholes until a
// transform is eight long, and then the lanes of one block meet.
//
// Values are only multiplied with constants, so that whatever Montgomery form they have stays; the constants are in that of the
// lanes.
#ifndef STUN_TRANSFORM_IFMA_HPP
#define STUN_TRANSFORM_IFMA_HPP

#include "lanes-ifma.hpp"
#include "transform.hpp"

namespace {

/// `V`: lanes of the scalar field.
template <class V>
class LaneDomain : public Domain<typename V::Scalar> {
  typedef typename V::Scalar F;
  typedef Domain<F> Plain;

 public:
  LaneDomain(const Platform &platform, unsigned exponent)
      : Plain(platform, exponent), forwardRoots(platform, 5 * this->size / 2 + 4), backwardRoots(platform, 5 * this->size / 2 + 4),
        blocks(platform, this->size / V::lanes) {
    if (!ok()) return;
    spread(this->roots.get(), forwardRoots.get());
    spread(this->inverseRoots.get(), backwardRoots.get());
    for (size_t i = 0; i + V::lanes <= this->size; i += V::lanes) {
      F values[V::lanes];
      for (unsigned lane = 0; lane < V::lanes; lane++) values[lane] = V::fromKey(this->coset[i + lane]);
      blocks[i / V::lanes] = load(values);
    }
  }
  bool ok() const { return Plain::ok() && forwardRoots.ok() && backwardRoots.ok() && blocks.ok(); }

  size_t cosetBytes() const { return this->size < 2 * V::lanes ? 0 : this->size / V::lanes * sizeof(V); }
  bool toCoset(const Platform &platform, F *values) const {
    if (this->size < 2 * V::lanes) return Plain::toCoset(platform, values);
    const size_t count = this->size / V::lanes;
    Buffer<V> work(platform, count);
    if (!work.ok()) return false;
    for (size_t i = 0; i < count; i++) work[i] = load(values + i * V::lanes);
    inverse(work.get(), count, 0);
    for (size_t i = 0; i < count; i++) work[i] = V::mul(work[i], blocks[i]);
    forward(work.get(), count, 0);
    for (size_t i = 0; i < count; i++) store(V::template canonical<4>(work[i]), values + i * V::lanes);
    return true;
  }

 private:
  static inline V load(const F *values) {
    const uint64_t *rows[V::lanes];
    for (unsigned lane = 0; lane < V::lanes; lane++) rows[lane] = values[lane].limb;
    return V::gather(rows, 0);
  }
  static inline void store(const V &value, F *values) {
    uint64_t *rows[V::lanes];
    for (unsigned lane = 0; lane < V::lanes; lane++) rows[lane] = values[lane].limb;
    value.scatter(rows, 0);
  }

  /// Roots in the form of the lanes, limb by limb.
  void spread(const F *from, uint64_t *to) const {
    const size_t count = this->size / 2;
    for (size_t i = 0; i < count; i++) {
      const F root = V::fromKey(from[i]);
      for (int limb = 0; limb < 5; limb++) to[limb * count + i] = limb52(root.limb, limb);
    }
  }
  /// One root for all lanes, two for four lanes each, four for two each.
  inline V rootFor(const uint64_t *table, size_t i) const {
    V root;
    _Pragma("GCC unroll 5")
    for (int limb = 0; limb < 5; limb++) root.limb[limb] = V::same(table[limb * (this->size / 2) + i]);
    return root;
  }
  inline V rootsFor(const uint64_t *table, size_t i, __m512i places) const {
    V root;
    _Pragma("GCC unroll 5")
    for (int limb = 0; limb < 5; limb++) {
      const __m256i four = _mm256_loadu_si256((const __m256i *)(table + limb * (this->size / 2) + i));
      root.limb[limb] = _mm512_permutexvar_epi64(places, _mm512_zextsi256_si512(four));
    }
    return root;
  }
  static inline V permuted(const V &value, __m512i places) {
    V result;
    _Pragma("GCC unroll 5")
    for (int limb = 0; limb < 5; limb++) result.limb[limb] = _mm512_permutexvar_epi64(places, value.limb[limb]);
    return result;
  }

  /// How lanes meet whose distance is 4, 2 or 1: which lanes come first, which second, which of four roots each takes, and which
  /// lanes get the sums.
  struct Meeting {
    __m512i first, second, roots;
    unsigned sums;
  };
  static inline Meeting meeting(int distance) {
    switch (distance) {
      case 4:
        return {_mm512_setr_epi64(0, 1, 2, 3, 0, 1, 2, 3), _mm512_setr_epi64(4, 5, 6, 7, 4, 5, 6, 7), _mm512_setzero_si512(), 0x0f};
      case 2:
        return {_mm512_setr_epi64(0, 1, 0, 1, 4, 5, 4, 5), _mm512_setr_epi64(2, 3, 2, 3, 6, 7, 6, 7),
                _mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1), 0x33};
      default:
        return {_mm512_setr_epi64(0, 0, 2, 2, 4, 4, 6, 6), _mm512_setr_epi64(1, 1, 3, 3, 5, 5, 7, 7),
                _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3), 0x55};
    }
  }

  // Every step adds at most 2q to a value, so that after 27 of them it is below 55q: few enough for the next product.
  void inverse(V *values, size_t length, size_t block) const {
    if (length == 1) {
      for (int distance = 4; distance > 0; distance /= 2) {
        const Meeting m = meeting(distance);
        const V first = permuted(values[0], m.first);
        const V product = V::mul(permuted(values[0], m.second), rootsFor(backwardRoots.get(), 4 / distance * block, m.roots));
        values[0] = V::select(m.sums, V::add(first, product), V::template sub<2>(first, product));
      }
      return;
    }
    const size_t half = length / 2;
    const V root = rootFor(backwardRoots.get(), block);
    for (size_t i = 0; i < half; i++) {
      const V product = V::mul(values[half + i], root);
      values[half + i] = V::template sub<2>(values[i], product);
      values[i] = V::add(values[i], product);
    }
    inverse(values, half, 2 * block);
    inverse(values + half, half, 2 * block + 1);
  }

  // Values stay below 4q.
  void forward(V *values, size_t length, size_t block) const {
    if (length == 1) {
      for (int distance = 1; distance < 8; distance *= 2) {
        const Meeting m = meeting(distance);
        const V first = permuted(values[0], m.first), second = permuted(values[0], m.second);
        const V difference = V::mul(V::template sub<4>(first, second), rootsFor(forwardRoots.get(), 4 / distance * block, m.roots));
        values[0] = V::select(m.sums, V::template reducedBy<4>(V::add(first, second)), difference);
      }
      return;
    }
    const size_t half = length / 2;
    forward(values, half, 2 * block);
    forward(values + half, half, 2 * block + 1);
    const V root = rootFor(forwardRoots.get(), block);
    for (size_t i = 0; i < half; i++) {
      const V sum = V::add(values[i], values[half + i]);
      values[half + i] = V::mul(V::template sub<4>(values[i], values[half + i]), root);
      values[i] = V::template reducedBy<4>(sum);
    }
  }

  Buffer<uint64_t> forwardRoots, backwardRoots;
  Buffer<V> blocks;
};

}  // namespace

#endif
