// A key made ready for proving, once in a process: which wires have a point in which list, where the rows of the constraint
// matrices begin, the transforms' tables, and the points in the form that the engine's lanes take. Only read afterwards.
#ifndef STUN_PREPARED_KEY_HPP
#define STUN_PREPARED_KEY_HPP

#include "files.hpp"
#include "multi-exponentiation.hpp"
#include "transform.hpp"

namespace {

/// The constants of the curve and of its twist, 3 and 3 / (9 + u), in Montgomery form.
constexpr uint64_t curveB[4] = {0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e};
constexpr uint64_t twistB[2][4] = {{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d},
                                   {0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}};

/// `Lanes`: lanes of the base field; `Transforms`: a domain over the scalar field, such as `Domain`.
template <class Lanes, class Transforms>
class PreparedKey {
 public:
  typedef typename Lanes::Scalar Fq;
  typedef Quadratic<Fq> Fq2;
  typedef typename Transforms::Field Fr;

  /// One list of points without its infinities.
  template <class V>
  class List {
   public:
    typedef typename V::Scalar Coordinate;
    static constexpr size_t pointBytes = 16 * V::words;

    List(const Platform &platform, size_t most) : scalarOf(platform, most), points(platform, most * 2 * V::words) {}
    bool ok() const { return scalarOf.ok() && points.ok(); }
    Bases bases() const { return {(const uint8_t *)points.get(), pointBytes, scalarOf.get(), used}; }

    /// Takes points from a key, checking each. The scalar of point i is i + shift.
    bool take(const uint8_t *from, size_t count, uint32_t shift, const Coordinate &b) {
      for (size_t i = 0; i < count; i++)
        if (!isPoint<Coordinate>(from + i * pointBytes, b)) return false;
      takeChecked(from, count, shift);
      return true;
    }

    /// Takes points that are known to be canonical and on the curve.
    void takeChecked(const uint8_t *from, size_t count, uint32_t shift) {
      for (size_t i = 0; i < count; i++) {
        Affine<Coordinate> point = Affine<Coordinate>::read(from + i * pointBytes);
        if (point.isInfinity()) continue;
        point = {V::fromKey(point.x), V::fromKey(point.y)};
        __builtin_memcpy(points.get() + used * 2 * V::words, &point, pointBytes);
        scalarOf[used++] = (uint32_t)i + shift;
      }
    }

   private:
    Buffer<uint32_t> scalarOf;
    Buffer<uint64_t> points;
    size_t used = 0;
  };

  PreparedKey(const Platform &platform, const KeyFile &file)
      : file(file), domain(platform, file.domainExponent), a(platform, file.wires), b1(platform, file.wires),
        b2(platform, file.wires), c(platform, file.privateWires()), h(platform, file.domainSize()) {}
  bool ok() const { return domain.ok() && a.ok() && b1.ok() && b2.ok() && c.ok() && h.ok(); }

  /// Checks and takes all lists.
  bool take() {
    const Fq b = Fq::read((const uint8_t *)curveB);
    const Fq2 twist = {Fq::read((const uint8_t *)twistB[0]), Fq::read((const uint8_t *)twistB[1])};
    uint32_t row = 0;
    for (size_t i = 0; i < file.coefficients; i++) {
      if (!isCoefficient<Fr>(file, i, row)) return false;
      row = load32(file.coefficient + coefficientBytes * i + 4);
    }
    return isPoint<Fq>(file.alpha1, b) && isPoint<Fq>(file.beta1, b) && isPoint<Fq>(file.delta1, b) &&
           isPoint<Fq2>(file.beta2, twist) && isPoint<Fq2>(file.delta2, twist) && a.take(file.a, file.wires, 0, b) &&
           b1.take(file.b1, file.wires, 0, b) && b2.take(file.b2, file.wires, 0, twist) &&
           c.take(file.c, file.privateWires(), file.publicSignals + 1, b) && h.take(file.h, file.domainSize(), 0, b);
  }

  const KeyFile file;
  const Transforms domain;
  List<Lanes> a, b1;
  List<Quadratic<Lanes>> b2;
  List<Lanes> c, h;
};

}  // namespace

#endif
