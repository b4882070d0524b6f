// The functions of one engine: the prover compiled for one instruction set. Plain pointers, so that engines can be chosen at
// run time.
#ifndef STUN_ENGINE_HPP
#define STUN_ENGINE_HPP

#include "platform.hpp"

/// Bytes of a proof: a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y and then the public signals, 32 bytes each, big-endian:
/// Solidity's order.
constexpr size_t proofBytes(size_t publicSignals) { return 32 * (8 + publicSignals); }
/// Bytes of randomness that one proof takes.
constexpr size_t randomnessBytes = 128;

struct Engine {
  const char *name;
  /// Prepares a key. The bytes must stay where they are, unchanged, until `close`; so must the platform.
  Status (*open)(const Platform &platform, const uint8_t *bytes, size_t length, void **key);
  void (*close)(const Platform &platform, void *key);
  /// Public signals of a key, the constant 1 not counted.
  size_t (*publicSignals)(const void *key);
  /// Bytes that one proof takes of the platform at most, on that many workers.
  uint64_t (*proofMemory)(const void *key, size_t workers);
  /// Makes a proof of proofBytes(publicSignals(key)) bytes. `randomness` comes from a cryptographic generator and is never used again.
  Status (*prove)(const Platform &platform, const void *key, const uint8_t *witness, size_t length, const uint8_t *randomness,
                  uint8_t *proof);
  /// Prepares a witness program; it is copied, the platform must stay until it is closed.
  Status (*openProgram)(const Platform &platform, const uint8_t *bytes, size_t length, void **program);
  void (*closeProgram)(const Platform &platform, void *program);
  /// Values that a program takes, and wires of its witness.
  size_t (*programInputs)(const void *program);
  size_t (*programWires)(const void *program);
  /// Computes a witness of 32 bytes for each wire from inputs of 32 bytes each; `rule` is set with statusRefused.
  Status (*runProgram)(const Platform &platform, const void *program, const uint8_t *inputs, uint8_t *witness, uint32_t &rule);
  /// Sum of scalars times points of group 1 or 2, for tests: affine points as in key files, scalars as in witnesses below 2^254,
  /// any window from 2 to 16. The sum is written as an affine point.
  Status (*multiply)(const Platform &platform, unsigned group, const uint8_t *points, const uint8_t *scalars, size_t count,
                     unsigned window, uint8_t *sum);
  /// Values on a domain of 2^exponent to values on its coset, in place and in Montgomery form, for tests.
  Status (*transform)(const Platform &platform, uint8_t *values, unsigned exponent);
};

extern const Engine portableEngine, adxEngine, ifmaEngine;

#endif
