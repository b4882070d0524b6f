// What engines do, over a key type; and an engine of a type of lanes and a domain for transforms.
#ifndef STUN_ENGINE_OF_HPP
#define STUN_ENGINE_OF_HPP

#include "engine.hpp"
#include "prepared-key.hpp"
#include "prover.hpp"
#include "witness-program.hpp"

namespace {

/// `Key`: see Prover.
template <class Key>
struct EngineOf {
  typedef typename Key::Lanes Lanes;
  typedef typename Key::Transforms Transforms;
  typedef typename Transforms::Field Fr;
  typedef typename Lanes::Scalar Fq;
  typedef PreparedProgram<Fr> Program;

  static Status open(const Platform &platform, const uint8_t *bytes, size_t length, void **opened) {
    KeyFile file;
    if (!readKey<Fq>(MemorySource{bytes, length}, file)) return statusKey;
    void *memory = platform.allocate(platform.context, sizeof(Key));
    if (!memory) return statusMemory;
    Key *key = new (memory) Key(platform, file, bytes);
    const Status status = !key->ok() ? statusMemory : key->take() ? statusDone : statusKey;
    if (status == statusDone) *opened = key;
    else close(platform, key);
    return status;
  }

  static void close(const Platform &platform, void *opened) {
    ((Key *)opened)->~Key();
    platform.release(platform.context, opened, sizeof(Key));
  }

  static size_t publicSignals(const void *key) { return ((const Key *)key)->file.publicSignals; }

  static uint64_t proofMemory(const void *opened, size_t workers) { return proofMemoryOf(*(const Key *)opened, workers); }

  static uint64_t proofMemoryOf(const Key &key, size_t workers) {
    return Prover<Key>::memory(key, workers) + sizeof(Masks) + proofBytes(key.file.publicSignals);
  }

  static Status prove(const Platform &platform, const void *key, const uint8_t *bytes, size_t length, const uint8_t *randomness,
                      uint8_t *proof) {
    return proveWith(platform, *(Key *)key, bytes, length, randomness, proof);
  }

  static Status proveWith(const Platform &platform, Key &key, const uint8_t *bytes, size_t length, const uint8_t *randomness,
                          uint8_t *proof) {
    WitnessFile witness;
    if (!readWitness<Fr>(bytes, length, witness)) return statusWitness;
    Buffer<Masks> masks(platform, 1);
    if (!masks.ok()) return statusMemory;
    masks[0].r = mask(randomness);
    masks[0].s = mask(randomness + randomnessBytes / 2);
    ProofPoints<Fq> points;
    const Status status = Prover<Key>::prove(platform, key, witness, masks[0].r, masks[0].s, points);
    if (status != statusDone) return status;
    const Fq coordinates[] = {points.a.x, points.a.y, points.b.x.c1, points.b.x.c0, points.b.y.c1, points.b.y.c0,
                              points.c.x, points.c.y};
    for (size_t i = 0; i < 8; i++) writeBigEndian(Fq::toInteger(coordinates[i]), proof + 32 * i);
    for (size_t i = 1; i <= key.file.publicSignals; i++) writeBigEndian(Fr::read(witness.values + 32 * i), proof + 32 * (7 + i));
    return statusDone;
  }

  static Status openProgram(const Platform &platform, const uint8_t *bytes, size_t length, void **opened) {
    ProgramFile file;
    if (!readProgram(bytes, length, file)) return statusKey;
    void *memory = platform.allocate(platform.context, sizeof(Program));
    if (!memory) return statusMemory;
    Program *program = new (memory) Program(platform, file);
    const Status status = !program->ok() ? statusMemory : program->take() ? statusDone : statusKey;
    if (status == statusDone) *opened = program;
    else closeProgram(platform, program);
    return status;
  }

  static void closeProgram(const Platform &platform, void *opened) {
    ((Program *)opened)->~Program();
    platform.release(platform.context, opened, sizeof(Program));
  }

  static size_t programInputs(const void *program) { return ((const Program *)program)->inputs(); }
  static size_t programWires(const void *program) { return ((const Program *)program)->wires(); }

  static Status runProgram(const Platform &platform, const void *program, const uint8_t *inputs, uint8_t *witness, uint32_t &rule) {
    return ((const Program *)program)->run(platform, inputs, witness, rule);
  }

  static Status multiply(const Platform &platform, unsigned group, const uint8_t *points, const uint8_t *scalars, size_t count,
                         unsigned window, uint8_t *sum) {
    if (window < leastWindow || window > greatestWindow || group < 1 || group > 2) return statusArgument;
    return group == 1 ? sumOf<Lanes>(platform, points, scalars, count, window, sum)
                      : sumOf<Quadratic<Lanes>>(platform, points, scalars, count, window, sum);
  }

  static Status transform(const Platform &platform, uint8_t *values, unsigned exponent) {
    if (exponent > greatestDomain) return statusArgument;
    const Transforms domain(platform, exponent);
    Buffer<Fr> copy(platform, domain.size);
    if (!domain.ok() || !copy.ok()) return statusMemory;
    __builtin_memcpy((void *)copy.get(), values, domain.size * sizeof(Fr));
    if (!domain.toCoset(platform, copy.get())) return statusMemory;
    __builtin_memcpy(values, (const void *)copy.get(), domain.size * sizeof(Fr));
    return statusDone;
  }

 private:
  /// The masks of a proof, in memory that is wiped.
  struct Masks {
    Fr r, s;
  };

  /// An integer below the modulus from 64 random bytes, of which 62 count: 496 bits leave no bias above 2^-240.
  static Fr mask(const uint8_t *bytes) {
    Fr low = Fr::read(bytes), high = Fr::read(bytes + 32);
    low.limb[3] &= ((uint64_t)1 << 56) - 1;
    high.limb[3] &= ((uint64_t)1 << 56) - 1;
    const Fr shift = Fr::fromInteger({{0, 0, 0, (uint64_t)1 << 56}});
    return Fr::toInteger(Fr::add(Fr::fromInteger(low), Fr::mul(Fr::fromInteger(high), shift)));
  }

  template <class F>
  static void writeBigEndian(const F &integer, uint8_t *bytes) {
    for (int i = 0; i < 32; i++) bytes[31 - i] = (uint8_t)(integer.limb[i / 8] >> (8 * (i % 8)));
  }

  template <class V>
  static Status sumOf(const Platform &platform, const uint8_t *points, const uint8_t *scalars, size_t count, unsigned window,
                      uint8_t *sum) {
    typedef typename V::Scalar Coordinate;
    PointList<V> list(platform, count);
    Digits digits(platform, count, window);
    WindowSums<V> work(platform, count, window);
    if (!list.ok() || !digits.ok() || !work.ok()) return statusMemory;
    list.takeChecked(points, count, 0);
    digits.cut(scalars, 0, count);
    Extended<Coordinate> windows[(scalarBits + leastWindow - 1) / leastWindow];
    for (unsigned w = 0; w < windowsFor(window); w++) windows[w] = work.sum(list.bases(), digits.of(w));
    const Affine<Coordinate> result = joinWindows(windows, window).toAffine();
    __builtin_memcpy(sum, &result, sizeof result);
    return statusDone;
  }
};

template <class Lanes, class Transforms>
constexpr Engine makeEngine(const char *name) {
  typedef EngineOf<PreparedKey<Lanes, Transforms>> E;
  return {name,           E::open,          E::close,        E::publicSignals, E::proofMemory, E::prove,    E::openProgram,
          E::closeProgram, E::programInputs, E::programWires, E::runProgram,    E::multiply, E::transform};
}

}  // namespace

#endif
