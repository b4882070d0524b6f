// Damages keys, witnesses and witness programs at random and opens, proves, runs and refuses them, under AddressSanitizer and
// UndefinedBehaviorSanitizer: scripts/fuzz-native.ts compiles and runs this. Every input ends with a status; whatever a sanitizer sees ends the process.
//
// usage: fuzz KEY WITNESS PROGRAM ROUNDS SEED
#include <stdio.h>
#include <string.h>

#include <initializer_list>

#include "engine.hpp"
#include "threads.hpp"

namespace {

struct File {
  uint8_t *bytes;
  size_t length;
};

bool readFile(const char *path, File &file) {
  FILE *stream = fopen(path, "rb");
  if (!stream) return false;
  fseek(stream, 0, SEEK_END);
  file.length = (size_t)ftell(stream);
  rewind(stream);
  file.bytes = (uint8_t *)malloc(file.length);
  const bool whole = fread(file.bytes, 1, file.length, stream) == file.length;
  fclose(stream);
  return whole;
}

uint64_t state;

/// xorshift64*, S. Vigna, 2016: for choosing cases, nothing else.
uint64_t below(uint64_t bound) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * 0x2545f4914f6cdd1d) % bound;
}

/// A copy of exactly its length, so that the first byte outside is seen; cut, overwritten or with a length gone wild.
File damaged(const File &file) {
  File copy = {nullptr, below(4) == 0 ? (size_t)below(file.length + 1) : file.length};
  copy.bytes = (uint8_t *)malloc(copy.length + (copy.length == 0));
  memcpy(copy.bytes, file.bytes, copy.length);
  const uint64_t changes = below(4);
  for (uint64_t i = 0; i < changes && copy.length > 8; i++) {
    // Half of the changes go to the beginning, where structure is; some write a whole word of an extreme or a small value.
    const size_t reach = below(2) ? copy.length - 8 : (copy.length - 8 < 600 ? copy.length - 8 : 600);
    const size_t at = (size_t)below(reach + 1);
    static const uint64_t extremes[] = {0, 1, 0x7fffffff, 0xffffffff, 0x8000000000000000, 0xffffffffffffffff};
    const uint64_t small = below(16);
    switch (below(3)) {
      case 0: copy.bytes[at] = (uint8_t)below(256); break;
      case 1: memcpy(copy.bytes + at, &extremes[below(6)], below(2) ? 4 : 8); break;
      default: memcpy(copy.bytes + at / 4 * 4, &small, 4);
    }
  }
  return copy;
}

/// How often calls ended with each status.
struct Ends {
  unsigned long of[statusRefused + 1] = {};
};

/// Opens a key and proves with it.
Status proveWith(const Platform &platform, const File &key, const File &witness) {
  const uint8_t randomness[randomnessBytes] = {1, 2, 3};
  void *opened = nullptr;
  Status status = portableEngine.open(platform, key.bytes, key.length, &opened);
  if (status != statusDone) return status;
  const size_t length = proofBytes(portableEngine.publicSignals(opened));
  uint8_t *proof = (uint8_t *)malloc(length);
  status = portableEngine.prove(platform, opened, witness.bytes, witness.length, randomness, proof);
  portableEngine.close(platform, opened);
  free(proof);
  return status;
}

/// Opens a program, whose bytes it gives back before it runs the copy.
Status runProgram(const Platform &platform, const File &program) {
  void *opened = nullptr;
  Status status = portableEngine.openProgram(platform, program.bytes, program.length, &opened);
  free(program.bytes);
  if (status != statusDone) return status;
  const size_t inputs = portableEngine.programInputs(opened);
  uint8_t *input = (uint8_t *)calloc(inputs + 1, 32), *witness = (uint8_t *)malloc(32 * portableEngine.programWires(opened));
  // Any numbers, which are hardly ever field elements; any field elements; or small ones: 5 keeps the rules of the undamaged program.
  const uint64_t kind = below(8);
  for (size_t i = 0; i < 32 * inputs; i++)
    if (kind == 0) input[i] = (uint8_t)below(256);
    else if (kind == 1) input[i] = (uint8_t)below(i % 32 < 31 ? 256 : 0x30);
    else if (i % 32 == 0) input[i] = (uint8_t)(below(2) ? 5 : below(8));
  uint32_t rule;
  status = portableEngine.runProgram(platform, opened, input, witness, rule);
  portableEngine.closeProgram(platform, opened);
  free(input);
  free(witness);
  return status;
}

}  // namespace

int main(int count, char **arguments) {
  File key, witness, program;
  if (count != 6 || !readFile(arguments[1], key) || !readFile(arguments[2], witness) || !readFile(arguments[3], program)) return 2;
  const unsigned long rounds = strtoul(arguments[4], nullptr, 10);
  state = strtoull(arguments[5], nullptr, 10) | 1;
  Ends proofs, programs;
  for (unsigned long round = 0; round < rounds; round++) {
    // Now and then there is little memory, or each is given the other's file.
    Surroundings surroundings = {below(8) == 0 ? (size_t)below(16384) : (size_t)64 << 20};
    const Platform platform = platformOf(surroundings);
    const bool confused = below(16) == 0;
    const File one = damaged(confused ? program : key), other = damaged(witness);
    proofs.of[proveWith(platform, one, other)]++;
    free(one.bytes);
    free(other.bytes);
    programs.of[runProgram(platform, damaged(confused ? key : program))]++;
    if (surroundings.usedBytes != 0) return 3;
  }
  free(key.bytes);
  free(witness.bytes);
  free(program.bytes);
  printf("%lu proofs, %lu keys and %lu witnesses refused, %lu without memory\n", proofs.of[statusDone], proofs.of[statusKey],
         proofs.of[statusWitness], proofs.of[statusMemory]);
  printf("%lu programs ran, %lu programs and %lu inputs refused, %lu rules broken, %lu without memory\n", programs.of[statusDone],
         programs.of[statusKey], programs.of[statusWitness], programs.of[statusRefused], programs.of[statusMemory]);
  for (const Status status : {statusDone, statusKey, statusWitness, statusMemory})
    if (proofs.of[status] == 0 || programs.of[status] == 0) return 4;
  return programs.of[statusRefused] == 0 ? 4 : 0;
}
