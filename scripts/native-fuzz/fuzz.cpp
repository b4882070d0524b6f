// Damages keys and witnesses at random and opens, proves and refuses them, under AddressSanitizer and UndefinedBehaviorSanitizer:
// scripts/fuzz-native.ts compiles and runs this. Every input ends with a status; whatever a sanitizer sees ends the process.
//
// usage: fuzz KEY WITNESS ROUNDS SEED
#include <stdio.h>
#include <string.h>

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
    // Half of the changes go to the beginning, where structure is; some write a whole word of an extreme value.
    const size_t reach = below(2) ? copy.length - 8 : (copy.length - 8 < 600 ? copy.length - 8 : 600);
    const size_t at = (size_t)below(reach + 1);
    static const uint64_t extremes[] = {0, 1, 0x7fffffff, 0xffffffff, 0x8000000000000000, 0xffffffffffffffff};
    if (below(2)) copy.bytes[at] = (uint8_t)below(256);
    else memcpy(copy.bytes + at, &extremes[below(6)], below(2) ? 4 : 8);
  }
  return copy;
}

}  // namespace

int main(int count, char **arguments) {
  File key, witness;
  if (count != 5 || !readFile(arguments[1], key) || !readFile(arguments[2], witness)) return 2;
  const unsigned long rounds = strtoul(arguments[3], nullptr, 10);
  state = strtoull(arguments[4], nullptr, 10) | 1;
  const uint8_t randomness[randomnessBytes] = {1, 2, 3};
  unsigned long statuses[6] = {0, 0, 0, 0, 0, 0};
  for (unsigned long round = 0; round < rounds; round++) {
    Surroundings surroundings = {(size_t)64 << 20};
    const Platform platform = platformOf(surroundings);
    const File one = damaged(key), other = damaged(witness);
    void *opened = nullptr;
    Status status = portableEngine.open(platform, one.bytes, one.length, &opened);
    if (status == statusDone) {
      const size_t length = proofBytes(portableEngine.publicSignals(opened));
      uint8_t *proof = (uint8_t *)malloc(length);
      status = portableEngine.prove(platform, opened, other.bytes, other.length, randomness, proof);
      portableEngine.close(platform, opened);
      free(proof);
    }
    if (surroundings.usedBytes != 0) return 3;
    statuses[status]++;
    free(one.bytes);
    free(other.bytes);
  }
  free(key.bytes);
  free(witness.bytes);
  printf("%lu proofs, %lu keys and %lu witnesses refused, %lu without memory\n", statuses[statusDone], statuses[statusKey],
         statuses[statusWitness], statuses[statusMemory]);
  return statuses[statusDone] && statuses[statusKey] && statuses[statusWitness] ? 0 : 4;
}
