// Strict readers of snarkjs' binary files: the Groth16 proving key ("zkey", version 1) and the witness ("wtns", version 2). They
// take any bytes and look at nothing outside them; a file that is not exactly as expected is refused.
//
// A file is read through a source, an object with `length` and `read(offset, bytes, to)`, because not every target has it in memory.
//
// A key is checked for form: every length, every index, every number below its modulus, every point on its curve. Not checked:
// that the points belong to one setup (the proof's verification shows that) and that the points of G2 are in the subgroup.
#ifndef STUN_FILES_HPP
#define STUN_FILES_HPP

#include "curve.hpp"

namespace {

constexpr unsigned keySections = 10, witnessSections = 2;

/// A file that lies in memory.
struct MemorySource {
  const uint8_t *bytes;
  size_t length;
  inline void read(size_t offset, size_t count, uint8_t *to) const { __builtin_memcpy(to, bytes + offset, count); }
};

struct Section {
  size_t offset;
  uint64_t length;
};

inline uint32_t load32(const uint8_t *bytes) {
  uint32_t value;
  __builtin_memcpy(&value, bytes, 4);
  return value;
}

/// Finds sections 1 to `count`, each of which must be there once and no other. Index 0 is unused.
template <class Source>
inline bool readSections(const Source &source, const char *magic, uint32_t version, unsigned count, Section *sections) {
  uint8_t head[12];
  if (source.length < sizeof head) return false;
  source.read(0, sizeof head, head);
  if (load32(head) != load32((const uint8_t *)magic) || load32(head + 4) != version || load32(head + 8) != count) return false;
  // No section begins at 0.
  for (unsigned i = 0; i <= count; i++) sections[i] = {0, 0};
  size_t offset = sizeof head;
  for (unsigned i = 0; i < count; i++) {
    if (source.length - offset < sizeof head) return false;
    source.read(offset, sizeof head, head);
    const uint32_t type = load32(head);
    const uint64_t size = load64(head + 4);
    offset += sizeof head;
    if (type < 1 || type > count || sections[type].offset != 0 || size > source.length - offset) return false;
    sections[type] = {offset, size};
    offset += (size_t)size;
  }
  return offset == source.length;
}

inline bool sameLimbs(const uint8_t *bytes, const uint64_t *limbs) {
  for (int i = 0; i < 4; i++)
    if (load64(bytes + 8 * i) != limbs[i]) return false;
  return true;
}

/// One entry of the key's coefficients: matrix, row, wire, then the value with the Montgomery factor twice.
constexpr size_t coefficientBytes = 44;

/// What a key says of itself, and where its lists begin.
struct KeyFile {
  uint32_t wires, publicSignals, domainExponent;
  uint32_t coefficients;
  /// Points alpha and beta, beta in G2, gamma in G2, delta, delta in G2.
  uint8_t points[3 * 64 + 3 * 128];
  size_t coefficient;
  /// Points of A, B in G1, B in G2 by wire; of C by private wire; of H by place in the domain.
  size_t a, b1, b2, c, h;
  const uint8_t *alpha1() const { return points; }
  const uint8_t *beta1() const { return points + 64; }
  const uint8_t *beta2() const { return points + 2 * 64; }
  const uint8_t *delta1() const { return points + 2 * 64 + 2 * 128; }
  const uint8_t *delta2() const { return points + 3 * 64 + 2 * 128; }
  size_t domainSize() const { return (size_t)1 << domainExponent; }
  size_t privateWires() const { return wires - publicSignals - 1; }
};

/// The constants of the curve and of its twist, 3 and 3 / (9 + u), in Montgomery form.
constexpr uint64_t curveB[4] = {0x7a17caa950ad28d7, 0x1f6ac17ae15521b9, 0x334bea4e696bd284, 0x2a1f6744ce179d8e};
constexpr uint64_t twistB[2][4] = {{0x3bf938e377b802a8, 0x020b1b273633535d, 0x26b7edf049755260, 0x2514c6324384a86d},
                                   {0x38e7ecccd1dcff67, 0x65f0b37d93ce0d3e, 0xd749d0dd22ac00aa, 0x0141b9ce4a688d4d}};

/// The constant of the curve whose points have coordinates in F.
template <class F>
inline F curveConstant() {
  return F::read((const uint8_t *)(F::words == 4 ? curveB : twistB[0]));
}

template <class F>
inline bool isPoint(const uint8_t *bytes) {
  return F::isCanonical(bytes) && F::isCanonical(bytes + 8 * F::words) && Affine<F>::read(bytes).isOnCurve(curveConstant<F>());
}

/// Reads everything but the long lists, whose lengths it checks. `Fq`: the field of the coordinates.
template <class Fq, class Source>
inline bool readKey(const Source &source, KeyFile &key) {
  typedef Quadratic<Fq> Fq2;
  Section s[keySections + 1];
  uint8_t header[84], word[4];
  if (!readSections(source, "zkey", 1, keySections, s)) return false;
  if (s[1].length != sizeof word || s[2].length != sizeof header + sizeof key.points || s[4].length < sizeof word) return false;
  source.read(s[1].offset, sizeof word, word);
  if (load32(word) != 1) return false;
  source.read(s[2].offset, sizeof header, header);
  if (load32(header) != 32 || !sameLimbs(header + 4, FqParameters::modulus)) return false;
  if (load32(header + 36) != 32 || !sameLimbs(header + 40, FrParameters::modulus)) return false;
  key.wires = load32(header + 72);
  key.publicSignals = load32(header + 76);
  const uint32_t domain = load32(header + 80);
  if (key.publicSignals >= key.wires || domain == 0 || (domain & (domain - 1)) != 0 || domain > 1u << 27) return false;
  key.domainExponent = (uint32_t)__builtin_ctz(domain);
  source.read(s[2].offset + sizeof header, sizeof key.points, key.points);
  const uint64_t wires = key.wires;
  source.read(s[4].offset, sizeof word, word);
  key.coefficients = load32(word);
  if (s[3].length != 64 * ((uint64_t)key.publicSignals + 1)) return false;
  if (s[4].length != sizeof word + coefficientBytes * (uint64_t)key.coefficients) return false;
  if (s[5].length != 64 * wires || s[6].length != 64 * wires || s[7].length != 128 * wires) return false;
  if (s[8].length != 64 * (wires - key.publicSignals - 1) || s[9].length != 64 * (uint64_t)domain) return false;
  key.coefficient = s[4].offset + sizeof word;
  key.a = s[5].offset;
  key.b1 = s[6].offset;
  key.b2 = s[7].offset;
  key.c = s[8].offset;
  key.h = s[9].offset;
  return isPoint<Fq>(key.alpha1()) && isPoint<Fq>(key.beta1()) && isPoint<Fq>(key.delta1()) && isPoint<Fq2>(key.beta2()) &&
         isPoint<Fq2>(key.delta2());
}

/// Whether all coefficients have their indices in range and their rows never go down, so that rows can be shared out.
template <class Fr>
inline bool areCoefficients(const KeyFile &key, const uint8_t *entry) {
  uint32_t last = 0;
  for (size_t i = 0; i < key.coefficients; i++, entry += coefficientBytes) {
    const uint32_t matrix = load32(entry), row = load32(entry + 4), wire = load32(entry + 8);
    if (matrix > 1 || row < last || row >= key.domainSize() || wire >= key.wires || !Fr::isCanonical(entry + 12)) return false;
    last = row;
  }
  return true;
}

/// A witness where it lies.
struct WitnessFile {
  uint32_t count;
  /// Integers of 32 bytes by wire.
  const uint8_t *values;
};

/// Bytes of a witness file.
constexpr size_t witnessBytes(uint32_t wires) { return 76 + 32 * (size_t)wires; }

/// Reads a witness and checks that every value is below the scalar field's modulus and that the first is 1.
template <class Fr>
inline bool readWitness(const uint8_t *bytes, size_t length, WitnessFile &witness) {
  Section s[witnessSections + 1];
  if (!readSections(MemorySource{bytes, length}, "wtns", 2, witnessSections, s)) return false;
  const uint8_t *header = bytes + s[1].offset;
  if (s[1].length != 40 || load32(header) != 32 || !sameLimbs(header + 4, FrParameters::modulus)) return false;
  witness.count = load32(header + 36);
  witness.values = bytes + s[2].offset;
  if (witness.count == 0 || s[2].length != 32 * (uint64_t)witness.count) return false;
  for (size_t i = 0; i < witness.count; i++)
    if (!Fr::isCanonical(witness.values + 32 * i)) return false;
  const uint64_t one[4] = {1, 0, 0, 0};
  return sameLimbs(witness.values, one);
}

}  // namespace

#endif
