// A key made ready for proving, once in a process: which wires have a point in which list, the transforms' tables, and the points
// in the form that the engine's lanes take. Only read afterwards.
#ifndef STUN_PREPARED_KEY_HPP
#define STUN_PREPARED_KEY_HPP

#include "point-list.hpp"
#include "transform.hpp"

namespace {

/// `L`: lanes of the base field; `T`: a domain over the scalar field, such as `Domain`.
template <class L, class T>
class PreparedKey {
 public:
  typedef L Lanes;
  typedef T Transforms;

  PreparedKey(const Platform &platform, const KeyFile &file, const uint8_t *bytes)
      : file(file), domain(platform, file.domainExponent), bytes(bytes), listA(platform, file.wires), listB1(platform, file.wires),
        listB2(platform, file.wires), listC(platform, file.privateWires()), listH(platform, file.domainSize()) {}
  bool ok() const { return domain.ok() && listA.ok() && listB1.ok() && listB2.ok() && listC.ok() && listH.ok(); }

  /// Checks and takes all lists.
  bool take() {
    return areCoefficients<typename Transforms::Field>(file, bytes + file.coefficient) && listA.take(bytes + file.a, file.wires, 0) &&
           listB1.take(bytes + file.b1, file.wires, 0) && listB2.take(bytes + file.b2, file.wires, 0) &&
           listC.take(bytes + file.c, file.privateWires(), file.publicSignals + 1) &&
           listH.take(bytes + file.h, file.domainSize(), 0);
  }

  Bases a() const { return listA.bases(); }
  Bases b1() const { return listB1.bases(); }
  Bases b2() const { return listB2.bases(); }
  Bases c() const { return listC.bases(); }
  Bases h() const { return listH.bases(); }
  /// Points in the sums over the witness and over the quotient, about.
  size_t witnessPoints() const { return a().count; }
  size_t quotientPoints() const { return h().count; }
  /// What went wrong in bringing a list.
  Status status() const { return statusDone; }

  /// The coefficients, where they lie.
  struct Coefficients {
    Coefficients(const Platform &, const PreparedKey &key) : first(key.bytes + key.file.coefficient) {}
    Status status() const { return statusDone; }
    const uint8_t *const first;
  };

  const KeyFile file;
  const Transforms domain;

 private:
  const uint8_t *const bytes;
  PointList<Lanes> listA, listB1;
  PointList<Quadratic<Lanes>> listB2;
  PointList<Lanes> listC, listH;
};

}  // namespace

#endif
