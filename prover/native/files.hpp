// Strict readers of snarkjs' binary files: the Groth16 proving key ("zkey", version 1) and the witness ("wtns", version 2). They
// take any bytes, look at nothing outside them and copy nothing; a file that is not exactly as expected is refused.
//
// A key is checked for form: every length, every index, every number below its modulus, every point on its curve. Not checked:
// that the points belong to one setup (the proof's verification shows that) and that the points of G2 are in the subgroup.
#ifndef STUN_FILES_HPP
#define STUN_FILES_HPP

#include "curve.hpp"

namespace {

constexpr unsigned keySections = 10, witnessSections = 2;

struct Section {
  const uint8_t *data;
  uint64_t length;
};

inline uint32_t load32(const uint8_t *bytes) {
  uint32_t value;
  __builtin_memcpy(&value, bytes, 4);
  return value;
}

/// Finds sections 1 to `count`, each of which must be there once and no other. Index 0 is unused.
inline bool readSections(const uint8_t *bytes, size_t length, const char *magic, uint32_t version, unsigned count,
                         Section *sections) {
  if (length < 12 || __builtin_memcmp(bytes, magic, 4) != 0 || load32(bytes + 4) != version || load32(bytes + 8) != count)
    return false;
  for (unsigned i = 0; i <= count; i++) sections[i] = {nullptr, 0};
  size_t offset = 12;
  for (unsigned i = 0; i < count; i++) {
    if (length - offset < 12) return false;
    const uint32_t type = load32(bytes + offset);
    const uint64_t size = load64(bytes + offset + 4);
    offset += 12;
    if (type < 1 || type > count || sections[type].data != nullptr || size > length - offset) return false;
    sections[type] = {bytes + offset, size};
    offset += (size_t)size;
  }
  return offset == length;
}

inline bool sameLimbs(const uint8_t *bytes, const uint64_t *limbs) {
  for (int i = 0; i < 4; i++)
    if (load64(bytes + 8 * i) != limbs[i]) return false;
  return true;
}

/// One entry of the key's coefficients: matrix, row, wire, then the value with the Montgomery factor twice.
constexpr size_t coefficientBytes = 44;

/// A key where it lies.
struct KeyFile {
  uint32_t wires, publicSignals, domainExponent;
  uint32_t coefficients;
  const uint8_t *alpha1, *beta1, *beta2, *delta1, *delta2;
  const uint8_t *coefficient;
  /// Points of A, B in G1, B in G2 by wire; of C by private wire; of H by place in the domain.
  const uint8_t *a, *b1, *b2, *c, *h;
  size_t domainSize() const { return (size_t)1 << domainExponent; }
  size_t privateWires() const { return wires - publicSignals - 1; }
};

template <class F>
inline bool isPoint(const uint8_t *bytes, const F &b) {
  return F::isCanonical(bytes) && F::isCanonical(bytes + 8 * F::words) && Affine<F>::read(bytes).isOnCurve(b);
}

/// Reads everything but the long lists, whose lengths it checks.
inline bool readKey(const uint8_t *bytes, size_t length, KeyFile &key) {
  Section s[keySections + 1];
  if (!readSections(bytes, length, "zkey", 1, keySections, s)) return false;
  if (s[1].length != 4 || load32(s[1].data) != 1) return false;
  if (s[2].length != 2 * 36 + 12 + 3 * 64 + 3 * 128) return false;
  const uint8_t *header = s[2].data;
  if (load32(header) != 32 || !sameLimbs(header + 4, FqParameters::modulus)) return false;
  if (load32(header + 36) != 32 || !sameLimbs(header + 40, FrParameters::modulus)) return false;
  key.wires = load32(header + 72);
  key.publicSignals = load32(header + 76);
  const uint32_t domain = load32(header + 80);
  if (key.publicSignals >= key.wires || domain == 0 || (domain & (domain - 1)) != 0 || domain > 1u << 27) return false;
  key.domainExponent = (uint32_t)__builtin_ctz(domain);
  key.alpha1 = header + 84;
  key.beta1 = key.alpha1 + 64;
  key.beta2 = key.beta1 + 64;
  key.delta1 = key.beta2 + 2 * 128;
  key.delta2 = key.delta1 + 64;
  const uint64_t wires = key.wires;
  if (s[3].length != 64 * ((uint64_t)key.publicSignals + 1) || s[4].length < 4) return false;
  key.coefficients = load32(s[4].data);
  if (s[4].length != 4 + coefficientBytes * (uint64_t)key.coefficients) return false;
  key.coefficient = s[4].data + 4;
  if (s[5].length != 64 * wires || s[6].length != 64 * wires || s[7].length != 128 * wires) return false;
  if (s[8].length != 64 * (wires - key.publicSignals - 1) || s[9].length != 64 * (uint64_t)domain) return false;
  key.a = s[5].data;
  key.b1 = s[6].data;
  key.b2 = s[7].data;
  key.c = s[8].data;
  key.h = s[9].data;
  return true;
}

/// Checks coefficient `i`. `last` is the row of the one before: rows must not go down, so that they can be shared out.
template <class Fr>
inline bool isCoefficient(const KeyFile &key, size_t i, uint32_t last) {
  const uint8_t *entry = key.coefficient + coefficientBytes * i;
  return load32(entry) <= 1 && load32(entry + 4) < key.domainSize() && load32(entry + 4) >= last &&
         load32(entry + 8) < key.wires && Fr::isCanonical(entry + 12);
}

/// A witness where it lies.
struct WitnessFile {
  uint32_t count;
  /// Integers of 32 bytes by wire.
  const uint8_t *values;
};

/// Reads a witness and checks that every value is below the scalar field's modulus and that the first is 1.
template <class Fr>
inline bool readWitness(const uint8_t *bytes, size_t length, WitnessFile &witness) {
  Section s[witnessSections + 1];
  if (!readSections(bytes, length, "wtns", 2, witnessSections, s)) return false;
  if (s[1].length != 40 || load32(s[1].data) != 32 || !sameLimbs(s[1].data + 4, FrParameters::modulus)) return false;
  witness.count = load32(s[1].data + 36);
  witness.values = s[2].data;
  if (witness.count == 0 || s[2].length != 32 * (uint64_t)witness.count) return false;
  for (size_t i = 0; i < witness.count; i++)
    if (!Fr::isCanonical(witness.values + 32 * i)) return false;
  const uint64_t one[4] = {1, 0, 0, 0};
  return sameLimbs(witness.values, one);
}

}  // namespace

#endif
