// A Groth16 proof from a prepared key and a witness: J. Groth, "On the Size of Pairing-based Non-interactive Arguments",
// EUROCRYPT 2016, section 3.2, with the quotient computed as snarkjs 0.7 computes it, on the coset of the domain.
//
// The proof is not verified here. A witness that does not satisfy the constraints gives a proof that does not verify.
#ifndef STUN_PROVER_HPP
#define STUN_PROVER_HPP

#include "files.hpp"
#include "multi-exponentiation.hpp"

namespace {

/// Points of a proof, in the Montgomery form of key files.
template <class Fq>
struct ProofPoints {
  Affine<Fq> a;
  Affine<Quadratic<Fq>> b;
  Affine<Fq> c;
};

/// `Key`: a key with the members of `PreparedKey`, or one that brings its lists into memory one at a time.
template <class Key>
class Prover {
 public:
  typedef typename Key::Lanes Lanes;
  typedef Quadratic<Lanes> Lanes2;
  typedef typename Lanes::Scalar Fq;
  typedef Quadratic<Fq> Fq2;
  typedef typename Key::Transforms::Field Fr;

  /// @param masks r and s as integers below the modulus, drawn afresh for every proof
  static Status prove(const Platform &platform, Key &key, const WitnessFile &witness, const Fr &r, const Fr &s,
                      ProofPoints<Fq> &proof) {
    if (witness.count != key.file.wires) return statusWitness;
    Prover prover(platform, key, witness);
    const Status status = prover.sums();
    if (status == statusDone) prover.assemble(r, s, proof);
    return status;
  }

  /// Bytes that `prove` has of the platform at most, on that many workers: a counting platform is asked for the same arrays that the
  /// stages ask for.
  static uint64_t memory(const Key &key, size_t workers) {
    const size_t moving = workers < transforms ? workers : transforms;
    const unsigned window = windowFor(key.witnessPoints());
    uint64_t scalars = arrays(key, workers, key.file.wires, window);
    const Platform counting = countingPlatform(scalars, workers);
    const typename Key::Coefficients entries(counting, key);
    const uint64_t witness = arrays(key, workers, key.file.wires, window) + sumArrays(workers, key.file.wires, window, true);
    const unsigned quotientWindow = windowFor(key.quotientPoints());
    const uint64_t quotient = arrays(key, workers, key.domain.size, quotientWindow) +
                            sumArrays(workers, key.domain.size, quotientWindow, false);
    return maximum(scalars, maximum(witness + moving * key.domain.cosetBytes(), quotient));
  }

 private:
  static constexpr size_t chunk = 4096;
  static constexpr size_t transforms = 3;

  static uint64_t maximum(uint64_t a, uint64_t b) { return a > b ? a : b; }
  /// The values of the polynomials, which are there all the time, and the digits of a stage.
  static uint64_t arrays(const Key &key, size_t workers, size_t points, unsigned window) {
    uint64_t counted = 0;
    const Platform counting = countingPlatform(counted, workers);
    const Buffer<Fr> values(counting, transforms * key.domain.size);
    const Digits digits(counting, points, window);
    return counted;
  }
  /// Sums over `points` points.
  static uint64_t sumArrays(size_t workers, size_t points, unsigned window, bool both) {
    uint64_t counted = 0;
    const Platform counting = countingPlatform(counted, workers);
    const Buffer<Work *> all(counting, workers);
    const Buffer<Work> memory(counting, workers);
    for (size_t i = 0; i < workers; i++) Work(counting, points, window, both);
    return counted;
  }

  Prover(const Platform &platform, Key &key, const WitnessFile &witness)
      : platform(platform), key(key), witness(witness), witnessWindow(windowFor(key.witnessPoints())),
        quotientWindow(windowFor(key.quotientPoints())) {}

  bool cancelled() const { return platform.cancelled(platform.context); }
  template <class T>
  void parallel(size_t count, void (*run)(T *, size_t, size_t), T *argument) {
    platform.parallel(platform.context, count, (Task)(void *)run, argument);
  }

  Status sums() {
    const size_t size = key.domain.size;
    platform.enter(platform.context, stageScalars);
    Buffer<Fr> values(platform, transforms * size);
    if (!values.ok()) return statusMemory;
    for (size_t i = 0; i < transforms; i++) polynomials[i] = values.get() + i * size;
    {
      Digits digits(platform, key.file.wires, witnessWindow);
      if (!digits.ok()) return statusMemory;
      witnessDigits = &digits;
      {
        const typename Key::Coefficients entries(platform, key);
        if (entries.status() != statusDone) return entries.status();
        coefficients = entries.first;
        const size_t cuts = (key.file.wires + chunk - 1) / chunk;
        parallel<Prover>(cuts + pieces(), [](Prover *self, size_t task, size_t) { self->prepareScalars(task); }, this);
      }
      if (cancelled()) return statusCancelled;
      platform.enter(platform.context, stageWitness);
      const Status status = windows(transforms + 4 * windowsFor(witnessWindow), witnessWindow, key.file.wires, true,
                                    [](Prover *self, size_t task, size_t worker) { self->witnessTask(task, worker); });
      if (status != statusDone) return status;
    }
    platform.enter(platform.context, stageQuotient);
    Digits digits(platform, size, quotientWindow);
    if (!digits.ok()) return statusMemory;
    quotientDigits = &digits;
    parallel<Prover>((size + chunk - 1) / chunk, [](Prover *self, size_t task, size_t) { self->quotient(task); }, this);
    if (cancelled()) return statusCancelled;
    const Status status = windows(windowsFor(quotientWindow), quotientWindow, size, false,
                                  [](Prover *self, size_t task, size_t worker) { self->quotientTask(task, worker); });
    platform.enter(platform.context, stageDone);
    return status;
  }

  // Scalars.

  /// Rows of the matrices are shared out in as many pieces as keep every thread busy.
  size_t pieces() const { return platform.workers == 1 ? 1 : 8 * platform.workers; }

  void prepareScalars(size_t task) {
    if (cancelled()) return;
    const size_t cuts = (key.file.wires + chunk - 1) / chunk;
    if (task < cuts) {
      const size_t begin = task * chunk, end = begin + chunk < key.file.wires ? begin + chunk : key.file.wires;
      witnessDigits->cut(witness.values, begin, end);
    } else {
      const size_t size = key.domain.size, piece = task - cuts;
      multiplyRows((uint32_t)(size * piece / pieces()), (uint32_t)(size * (piece + 1) / pieces()));
    }
  }

  /// First coefficient of a row at or after `row`.
  size_t coefficientOf(uint32_t row) const {
    size_t low = 0, high = key.file.coefficients;
    while (low < high) {
      const size_t middle = low + (high - low) / 2;
      if (load32(coefficients + coefficientBytes * middle + 4) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /// Rows begin to end - 1 of A and B times the witness, and the products of both, in Montgomery form.
  void multiplyRows(uint32_t begin, uint32_t end) {
    for (uint32_t row = begin; row < end; row++) polynomials[0][row] = polynomials[1][row] = Fr::zero();
    const uint8_t *entry = coefficients + coefficientBytes * coefficientOf(begin);
    const uint8_t *last = coefficients + coefficientBytes * (size_t)key.file.coefficients;
    for (; entry < last && load32(entry + 4) < end; entry += coefficientBytes) {
      const uint32_t matrix = load32(entry), row = load32(entry + 4), wire = load32(entry + 8);
      // Checked when the key was opened, but other threads of the process can write to where it lies.
      if (matrix > 1 || row < begin || row >= end || wire >= witness.count) continue;
      const uint8_t *value = witness.values + 32 * (size_t)wire;
      Fr &sum = polynomials[matrix][row];
      // The coefficient has the Montgomery factor twice and the witness not at all: the product has it once.
      sum = Fr::add(sum, Fr::mul(Fr::read(entry + 12), Fr::read(value)));
    }
    for (uint32_t row = begin; row < end; row++) polynomials[2][row] = Fr::mul(polynomials[0][row], polynomials[1][row]);
  }

  void quotient(size_t task) {
    if (cancelled()) return;
    const size_t begin = task * chunk, end = begin + chunk < key.domain.size ? begin + chunk : key.domain.size;
    for (size_t i = begin; i < end; i++) {
      Fr &value = polynomials[0][i];
      value = Fr::toInteger(Fr::sub(Fr::mul(value, polynomials[1][i]), polynomials[2][i]));
    }
    quotientDigits->cut((const uint8_t *)polynomials[0], begin, end);
  }

  // Sums.

  /// One worker's memory, made by its first task.
  struct Work {
    Work(const Platform &platform, size_t points, unsigned window, bool both)
        : g1(platform, points, window), g2(platform, both ? points : 0, both ? window : leastWindow) {}
    bool ok() const { return g1.ok() && g2.ok(); }
    WindowSums<Lanes> g1;
    WindowSums<Lanes2> g2;
  };

  Status windows(size_t tasks, unsigned window, size_t points, bool both, void (*run)(Prover *, size_t, size_t)) {
    Buffer<Work *> all(platform, platform.workers);
    Buffer<Work> memory(platform, platform.workers);
    if (!all.ok() || !memory.ok()) return statusMemory;
    bool enough = true;
    for (size_t i = 0; i < platform.workers; i++) {
      all[i] = new (&memory[i]) Work(platform, points, window, both);
      enough = enough && all[i]->ok();
    }
    work = all.get();
    if (enough) parallel<Prover>(tasks, run, this);
    for (size_t i = 0; i < platform.workers; i++) all[i]->~Work();
    return !enough || exhausted ? statusMemory : cancelled() ? statusCancelled : key.status();
  }

  void witnessTask(size_t task, size_t worker) {
    if (cancelled()) return;
    const unsigned count = windowsFor(witnessWindow);
    // The longest first, and the windows of one list one after the other: a key may have one list in memory at a time.
    if (task < count) b2[task] = work[worker]->g2.sum(key.b2(), witnessDigits->of((unsigned)task));
    else if (task < count + transforms) {
      if (!key.domain.toCoset(platform, polynomials[task - count])) __atomic_store_n(&exhausted, true, __ATOMIC_RELAXED);
    } else {
      const size_t list = (task - count - transforms) / count, window = (task - count - transforms) % count;
      (list == 0 ? b1 : list == 1 ? a : c)[window] =
          work[worker]->g1.sum(list == 0 ? key.b1() : list == 1 ? key.a() : key.c(), witnessDigits->of((unsigned)window));
    }
  }

  void quotientTask(size_t task, size_t worker) {
    if (cancelled()) return;
    h[task] = work[worker]->g1.sum(key.h(), quotientDigits->of((unsigned)task));
  }

  // Proof.

  void assemble(const Fr &r, const Fr &s, ProofPoints<Fq> &proof) const {
    typedef Extended<Fq> G1;
    typedef Extended<Fq2> G2;
    const G1 delta1 = G1::from(Affine<Fq>::read(key.file.delta1()));
    const G2 delta2 = G2::from(Affine<Fq2>::read(key.file.delta2()));
    const G1 sumA = G1::add(joinWindows(a, witnessWindow), G1::from(Affine<Fq>::read(key.file.alpha1())));
    const G1 sumB = G1::add(joinWindows(b1, witnessWindow), G1::from(Affine<Fq>::read(key.file.beta1())));
    const G2 sumB2 = G2::add(joinWindows(b2, witnessWindow), G2::from(Affine<Fq2>::read(key.file.beta2())));
    const G1 pointA = G1::add(sumA, G1::multiply(delta1, r.limb));
    const G1 pointB = G1::add(sumB, G1::multiply(delta1, s.limb));
    proof.a = pointA.toAffine();
    proof.b = G2::add(sumB2, G2::multiply(delta2, s.limb)).toAffine();
    const Fr product = Fr::mul(Fr::fromInteger(r), s);
    const G1 masked = G1::add(G1::add(G1::multiply(pointA, s.limb), G1::multiply(pointB, r.limb)),
                              G1::neg(G1::multiply(delta1, product.limb)));
    const G1 sums = G1::add(joinWindows(c, witnessWindow), joinWindows(h, quotientWindow));
    proof.c = G1::add(sums, masked).toAffine();
  }

  static constexpr unsigned mostWindows = (scalarBits + leastWindow - 1) / leastWindow;
  const Platform &platform;
  Key &key;
  const WitnessFile &witness;
  const unsigned witnessWindow, quotientWindow;
  Digits *witnessDigits = nullptr, *quotientDigits = nullptr;
  const uint8_t *coefficients = nullptr;
  Fr *polynomials[transforms];
  /// A transform found no memory.
  bool exhausted = false;
  Work **work = nullptr;
  Extended<Fq> a[mostWindows], b1[mostWindows], c[mostWindows], h[mostWindows];
  Extended<Fq2> b2[mostWindows];
};

}  // namespace

#endif
