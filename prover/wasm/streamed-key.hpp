// A key that stays outside: of its lists there is one in memory at a time, that of the sums which are being made. A thread that proves
// thus holds no key, and its memory is that of the largest list and of the sums.
#ifndef STUN_STREAMED_KEY_HPP
#define STUN_STREAMED_KEY_HPP

#include "host.hpp"
#include "point-list.hpp"
#include "transform.hpp"

namespace {

/// For one proof. `L` and `T` as in PreparedKey.
template <class L, class T>
class StreamedKey {
 public:
  typedef L Lanes;
  typedef T Transforms;

  /// @param checked an earlier proof found nothing wrong with the same bytes
  StreamedKey(const Platform &platform, const KeyFile &file, bool checked)
      : file(file), domain(platform, file.domainExponent), source{0}, checked(checked),
        list1(platform, file.wires > file.domainSize() ? file.wires : file.domainSize()), list2(platform, file.wires) {}
  bool ok() const { return domain.ok() && list1.ok() && list2.ok(); }

  Bases a() { return bring(list1, offset1, file.a, file.wires, 0); }
  Bases b1() { return bring(list1, offset1, file.b1, file.wires, 0); }
  Bases b2() { return bring(list2, offset2, file.b2, file.wires, 0); }
  Bases c() { return bring(list1, offset1, file.c, file.privateWires(), file.publicSignals + 1); }
  Bases h() { return bring(list1, offset1, file.h, file.domainSize(), 0); }
  /// Infinities counted: which there are is known too late.
  size_t witnessPoints() const { return file.wires; }
  size_t quotientPoints() const { return file.domainSize(); }
  Status status() const { return sound ? statusDone : statusKey; }

  /// The coefficients, in memory for as long as this lives.
  class Coefficients {
   public:
    Coefficients(const Platform &platform, const StreamedKey &key) : memory(platform, coefficientBytes * key.file.coefficients) {
      if (!memory.ok()) return;
      key.source.read(key.file.coefficient, memory.size(), memory.get());
      sound = key.checked || areCoefficients<typename Transforms::Field>(key.file, memory.get());
      first = memory.get();
    }
    Status status() const { return !memory.ok() ? statusMemory : sound ? statusDone : statusKey; }
    const uint8_t *first = nullptr;

   private:
    Buffer<uint8_t> memory;
    bool sound = false;
  };

  const KeyFile file;
  const Transforms domain;

 private:
  template <class V>
  Bases bring(PointList<V> &list, size_t &present, size_t offset, size_t count, uint32_t shift) {
    if (sound && present != offset) {
      source.read(offset, count * list.pointBytes, list.memory());
      // Every point is read before another one can be put in its place.
      if (checked) list.takeChecked(list.memory(), count, shift);
      else sound = list.take(list.memory(), count, shift);
      present = offset;
    }
    return sound ? list.bases() : Bases{nullptr, 0, nullptr, 0};
  }

  const HostSource source;
  const bool checked;
  PointList<Lanes> list1;
  PointList<Quadratic<Lanes>> list2;
  /// Which list is there; no list begins at 0.
  size_t offset1 = 0, offset2 = 0;
  bool sound = true;
};

}  // namespace

#endif
