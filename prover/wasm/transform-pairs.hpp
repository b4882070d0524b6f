// The transforms of transform.hpp over two lanes. Values lie in pairs of neighbours; pairs meet as wholes until a transform is four
// long, and then the lanes of two pairs meet.
//
// Values are only multiplied with constants, so that whatever Montgomery form they have stays; the constants are in that of the
// lanes. Sums and differences are brought within q / 2 and their limbs within 2^50, so that products are within 0.7 q.
#ifndef STUN_TRANSFORM_PAIRS_HPP
#define STUN_TRANSFORM_PAIRS_HPP

#include "lanes-fma.hpp"
#include "transform.hpp"

namespace {

/// `V`: lanes of the scalar field.
template <class V>
class PairDomain : public Domain<typename V::Scalar> {
  typedef typename V::Scalar F;
  typedef Domain<F> Plain;

 public:
  PairDomain(const Platform &platform, unsigned exponent) : Plain(platform, exponent) {
    if (!this->ok() || isSmall()) return;
    for (size_t i = 0; i < this->size / 2; i++) {
      this->roots[i] = V::fromKey(this->roots[i]);
      this->inverseRoots[i] = V::fromKey(this->inverseRoots[i]);
    }
    for (size_t i = 0; i < this->size; i++) this->coset[i] = V::fromKey(this->coset[i]);
  }

  size_t cosetBytes() const { return isSmall() ? 0 : this->size / 2 * sizeof(V); }
  bool toCoset(const Platform &platform, F *values) const {
    if (isSmall()) return Plain::toCoset(platform, values);
    const size_t count = this->size / 2;
    Buffer<V> pairs(platform, count);
    if (!pairs.ok()) return false;
    for (size_t i = 0; i < count; i++) pairs[i] = load(values + 2 * i, values + 2 * i + 1);
    inverse(pairs.get(), count, 0);
    for (size_t i = 0; i < count; i++) pairs[i] = V::mul(pairs[i], load(&this->coset[2 * i], &this->coset[2 * i + 1]));
    forward(pairs.get(), count, 0);
    for (size_t i = 0; i < count; i++) {
      uint64_t *const rows[2] = {values[2 * i].limb, values[2 * i + 1].limb};
      V::template canonical<1>(pairs[i]).scatter(rows, 0);
    }
    return true;
  }

 private:
  bool isSmall() const { return this->size < 4; }

  static inline V load(const F *first, const F *second) {
    const uint64_t *const rows[2] = {first->limb, second->limb};
    return V::gather(rows, 0);
  }
  static inline V kept(const V &value) { return V::tidied(V::centred(value)); }

  /// One step: `low` and `high` are values half a block apart.
  static inline void part(V &low, V &high, const V &root) {
    const V product = V::mul(high, root);
    high = kept(V::sub(low, product));
    low = kept(V::add(low, product));
  }
  static inline void join(V &low, V &high, const V &root) {
    const V difference = V::mul(kept(V::sub(low, high)), root);
    low = kept(V::add(low, high));
    high = difference;
  }
  /// Two pairs as their first and their second lanes, and back.
  static inline void turn(V *pairs) {
    const V firsts = V::firsts(pairs[0], pairs[1]), seconds = V::seconds(pairs[0], pairs[1]);
    pairs[0] = firsts;
    pairs[1] = seconds;
  }

  // `length` counts pairs, and is 2 at least.

  void inverse(V *pairs, size_t length, size_t block) const {
    const size_t half = length / 2;
    const V root = load(&this->inverseRoots[block], &this->inverseRoots[block]);
    for (size_t i = 0; i < half; i++) part(pairs[i], pairs[half + i], root);
    if (length == 2) {
      turn(pairs);
      part(pairs[0], pairs[1], load(&this->inverseRoots[2 * block], &this->inverseRoots[2 * block + 1]));
      turn(pairs);
      return;
    }
    inverse(pairs, half, 2 * block);
    inverse(pairs + half, half, 2 * block + 1);
  }

  void forward(V *pairs, size_t length, size_t block) const {
    const size_t half = length / 2;
    if (length == 2) {
      turn(pairs);
      join(pairs[0], pairs[1], load(&this->roots[2 * block], &this->roots[2 * block + 1]));
      turn(pairs);
    } else {
      forward(pairs, half, 2 * block);
      forward(pairs + half, half, 2 * block + 1);
    }
    const V root = load(&this->roots[block], &this->roots[block]);
    for (size_t i = 0; i < half; i++) join(pairs[i], pairs[half + i], root);
  }
};

}  // namespace

#endif
