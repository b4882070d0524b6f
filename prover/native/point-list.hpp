// One list of points of a key without its infinities, in the form that the engine's lanes take.
#ifndef STUN_POINT_LIST_HPP
#define STUN_POINT_LIST_HPP

#include "files.hpp"
#include "multi-exponentiation.hpp"

namespace {

/// `V`: lanes of the field of the coordinates.
template <class V>
class PointList {
 public:
  typedef typename V::Scalar Coordinate;
  static constexpr size_t pointBytes = 16 * V::words;

  PointList(const Platform &platform, size_t most) : scalarOf(platform, most), points(platform, most * 2 * V::words) {}
  bool ok() const { return scalarOf.ok() && points.ok(); }
  Bases bases() const { return {(const uint8_t *)points.get(), pointBytes, scalarOf.get(), used}; }
  /// Where points may be put that `take` then takes.
  uint8_t *memory() const { return (uint8_t *)points.get(); }

  /// Takes points from a key in place of those it has, checking each. The scalar of point i is i + shift.
  bool take(const uint8_t *from, size_t count, uint32_t shift) {
    for (size_t i = 0; i < count; i++)
      if (!isPoint<Coordinate>(from + i * pointBytes)) return false;
    takeChecked(from, count, shift);
    return true;
  }

  /// Takes points that are known to be canonical and on the curve.
  void takeChecked(const uint8_t *from, size_t count, uint32_t shift) {
    used = 0;
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

}  // namespace

#endif
