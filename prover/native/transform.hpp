// Number-theoretic transforms over a domain of 2^k roots of unity, without reordering: the inverse one takes values in natural
// order and leaves coefficients in bit-reversed order, the forward one goes back (W. M. Gentleman, G. Sande, "Fast Fourier
// Transforms: for fun and profit", AFIPS 1966). Halves of a block are transformed before its other half, so that small
// blocks stay in the cache.
#ifndef STUN_TRANSFORM_HPP
#define STUN_TRANSFORM_HPP

#include "field.hpp"
#include "platform.hpp"

namespace {

/// log2 of the largest domain of which the doubled one has roots too.
constexpr unsigned greatestDomain = 27;
/// A primitive 2^28-th root of unity in Montgomery form: 5^((r - 1) / 2^28), the one that snarkjs uses.
constexpr uint64_t rootOfAll[4] = {0x636e735580d13d9c, 0xa22bf3742445ffd6, 0x56452ac01eb203d8, 0x1860ef942963f9e7};

/// What transforms over one domain need; made once and then only read. `F`: the scalar field.
template <class F>
class Domain {
 public:
  typedef F Field;

  Domain(const Platform &platform, unsigned exponent)
      : exponent(exponent), size((size_t)1 << exponent), roots(platform, size / 2 + 1), inverseRoots(platform, size / 2 + 1),
        coset(platform, size) {
    if (!ok()) return;
    F root = {{rootOfAll[0], rootOfAll[1], rootOfAll[2], rootOfAll[3]}};
    for (unsigned i = greatestDomain + 1; i > exponent + 1; i--) root = F::sqr(root);
    // `root` generates the doubled domain: its odd powers are the coset on which the quotient is computed.
    const F generator = F::sqr(root);
    powers(roots.get(), size / 2, generator, F::one());
    powers(inverseRoots.get(), size / 2, F::inverse(generator), F::one());
    powers(coset.get(), size, root, F::inverse(F::fromInteger({{size, 0, 0, 0}})));
  }
  bool ok() const { return roots.ok() && inverseRoots.ok() && coset.ok(); }

  /// Bytes that `toCoset` asks the platform for.
  size_t cosetBytes() const { return 0; }

  /// From values on the domain to values on its coset by a root of the doubled domain, in place and in natural order. Answers
  /// false when the platform has no memory for it; this type needs none.
  bool toCoset(const Platform &, F *values) const {
    inverse(values, size, 0);
    for (size_t i = 0; i < size; i++) values[i] = F::mul(values[i], coset[i]);
    forward(values, size, 0);
    return true;
  }

  /// Values on the domain from coefficients in bit-reversed order.
  void forward(F *values, size_t length, size_t block) const {
    if (length < 2) return;
    const size_t half = length / 2;
    forward(values, half, 2 * block);
    forward(values + half, half, 2 * block + 1);
    const F root = roots[block];
    for (size_t i = 0; i < half; i++) {
      const F sum = F::add(values[i], values[half + i]);
      values[half + i] = F::mul(F::sub(values[i], values[half + i]), root);
      values[i] = sum;
    }
  }

  /// Coefficients, times the size and in bit-reversed order, from values.
  void inverse(F *values, size_t length, size_t block) const {
    if (length < 2) return;
    const size_t half = length / 2;
    const F root = inverseRoots[block];
    for (size_t i = 0; i < half; i++) {
      const F product = F::mul(values[half + i], root);
      values[half + i] = F::sub(values[i], product);
      values[i] = F::add(values[i], product);
    }
    inverse(values, half, 2 * block);
    inverse(values + half, half, 2 * block + 1);
  }

  const unsigned exponent;
  const size_t size;

 protected:
  static size_t reversed(size_t index, unsigned bits) {
    size_t result = 0;
    for (unsigned i = 0; i < bits; i++) result |= ((index >> i) & 1) << (bits - 1 - i);
    return result;
  }

  /// start * base^i at the bit-reversed place of i.
  static void powers(F *table, size_t count, const F &base, F start) {
    unsigned bits = 0;
    while (((size_t)1 << bits) < count) bits++;
    for (size_t i = 0; i < count; i++) {
      table[reversed(i, bits)] = start;
      start = F::mul(start, base);
    }
  }

  Buffer<F> roots, inverseRoots, coset;
};

}  // namespace

#endif
