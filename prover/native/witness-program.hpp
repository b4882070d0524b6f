// Runs a witness program: the file that circuits/witness/program-file.ts writes and describes. It is checked once, when it is opened, and
// copied, so that nothing can change it afterwards: every register, constant and output exists, every count is as long as what
// follows, every constant is below the modulus.
//
// The program says what an honest prover computes and which rules it must find kept; it is as good as the compiler that made it. A witness
// that breaks a constraint gives a proof that does not verify.
#ifndef STUN_WITNESS_PROGRAM_HPP
#define STUN_WITNESS_PROGRAM_HPP

#include "files.hpp"
#include "platform.hpp"
#include "product-sum.hpp"

namespace {

constexpr unsigned programSections = 5;
constexpr uint32_t mostQuotients = 256, noRule = UINT32_MAX;
/// A program that takes more than this many bytes of registers is none.
constexpr uint32_t mostRegisters = 1u << 26;

enum Operation : uint32_t { operationSum, operationProduct, operationDivide, operationBits, operationZero };

/// A program where it lies.
struct ProgramFile {
  uint32_t wires, inputs, registers, constants, words;
  const uint8_t *constant, *word, *output;
};

inline bool readProgram(const uint8_t *bytes, size_t length, ProgramFile &program) {
  Section s[programSections + 1];
  if (!readSections(MemorySource{bytes, length}, "wprg", 1, programSections, s)) return false;
  if (s[1].length != 12 || s[2].length % 32 != 0 || s[3].length % 4 != 0 || s[2].length / 32 > UINT32_MAX ||
      s[3].length / 4 > UINT32_MAX)
    return false;
  const uint8_t *header = bytes + s[1].offset;
  program = {load32(header), load32(header + 4), load32(header + 8), (uint32_t)(s[2].length / 32), (uint32_t)(s[3].length / 4),
             bytes + s[2].offset, bytes + s[3].offset, bytes + s[4].offset};
  return program.wires > 0 && program.registers <= mostRegisters && program.inputs < program.registers &&
         program.constants >= 2 && s[4].length == 4 * (uint64_t)program.wires;
}

template <class Fr>
class PreparedProgram {
 public:
  PreparedProgram(const Platform &platform, const ProgramFile &file)
      : file(file), constants(platform, file.constants), words(platform, file.words), outputs(platform, file.wires) {}
  bool ok() const { return constants.ok() && words.ok() && outputs.ok(); }

  /// Checks and copies everything.
  bool take() {
    __builtin_memcpy((void *)words.get(), file.word, 4 * (size_t)file.words);
    __builtin_memcpy((void *)outputs.get(), file.output, 4 * (size_t)file.wires);
    for (size_t i = 0; i < file.constants; i++) {
      if (!Fr::isCanonical(file.constant + 32 * i)) return false;
      constants[i] = Fr::read(file.constant + 32 * i);
    }
    for (size_t i = 0; i < file.wires; i++)
      if (outputs[i] >= file.registers) return false;
    size_t at = 0;
    while (at < file.words)
      if (!takeInstruction(at)) return false;
    return true;
  }

  uint32_t wires() const { return file.wires; }
  uint32_t inputs() const { return file.inputs; }

  /// Computes the witness.
  /// @param input `inputs()` integers of 32 bytes below the modulus
  /// @param witness room for `wires()` integers
  /// @param rule the broken rule, where the status is statusRefused
  Status run(const Platform &platform, const uint8_t *input, uint8_t *witness, uint32_t &rule) const {
    Buffer<Fr> registers(platform, file.registers);
    if (!registers.ok()) return statusMemory;
    for (size_t i = file.inputs + 1; i < file.registers; i++) registers[i] = Fr::zero();
    registers[0] = Fr::one();
    for (size_t i = 0; i < file.inputs; i++) {
      if (!Fr::isCanonical(input + 32 * i)) return statusWitness;
      registers[1 + i] = Fr::fromInteger(Fr::read(input + 32 * i));
    }
    Buffer<Fr> products(platform, mostQuotients);
    if (!products.ok()) return statusMemory;
    for (const uint32_t *word = words.get(), *end = word + file.words; word < end;) {
      const bool kept = step(word, registers.get(), products.get(), rule);
      if (!kept) return statusRefused;
    }
    for (size_t i = 0; i < file.wires; i++) {
      const Fr integer = Fr::toInteger(registers[outputs[i]]);
      __builtin_memcpy(witness + 32 * i, integer.limb, 32);
    }
    return statusDone;
  }

 private:
  // Checks.

  bool isRegister(size_t at) const { return words[at] < file.registers; }
  bool has(size_t at, uint64_t count) const { return count <= file.words - at; }

  bool takeTerms(size_t &at) const {
    if (!has(at, 3)) return false;
    const uint64_t units = (uint64_t)words[at] + words[at + 1], others = words[at + 2];
    at += 3;
    if (!has(at, units + 2 * others)) return false;
    for (uint64_t i = 0; i < units; i++)
      if (!isRegister(at++)) return false;
    for (uint64_t i = 0; i < others; i++, at += 2)
      if (words[at] >= file.constants || !isRegister(at + 1)) return false;
    return true;
  }

  bool takeInstruction(size_t &at) const {
    // The shortest instruction has three words.
    if (!has(at, 3)) return false;
    const uint32_t operation = words[at];
    const size_t first = at + 1;
    switch (operation) {
      case operationSum:
        at = first + 1;
        return isRegister(first) && takeTerms(at);
      case operationProduct:
        at = first + 4;
        return has(first, 4) && isRegister(first) && words[first + 1] < file.constants && isRegister(first + 2) &&
               isRegister(first + 3) && takeTerms(at);
      case operationDivide: {
        const uint64_t count = words[first];
        at = first + 1;
        if (count > mostQuotients || !has(at, 4 * count)) return false;
        for (uint64_t i = 0; i < count; i++, at += 4)
          if (!isRegister(at) || !isRegister(at + 1) || !isRegister(at + 2)) return false;
        return true;
      }
      case operationBits: {
        if (!has(first, 3) || !isRegister(first)) return false;
        const uint64_t count = words[first + 2];
        at = first + 3;
        if (!has(at, 2 * count)) return false;
        for (uint64_t i = 0; i < count; i++, at += 2)
          if (!isRegister(at) || words[at + 1] > 255) return false;
        return true;
      }
      case operationZero:
        at = first + 2;
        return isRegister(first);
      default:
        return false;
    }
  }

  // Steps.

  Fr sumOf(const uint32_t *&word, const Fr *registers) const {
    const uint32_t plus = word[0], minus = word[1], others = word[2];
    word += 3;
    Fr sum = Fr::zero();
    for (uint32_t i = 0; i < plus; i++) sum = Fr::add(sum, registers[*word++]);
    for (uint32_t i = 0; i < minus; i++) sum = Fr::sub(sum, registers[*word++]);
    if (others == 0) return sum;
    ProductSum<Fr> products(sum);
    for (uint32_t i = 0; i < others; i++, word += 2) products.add(constants[word[0]], registers[word[1]]);
    return products.reduced();
  }

  bool step(const uint32_t *&word, Fr *registers, Fr *products, uint32_t &rule) const {
    switch (*word++) {
      case operationSum: {
        Fr &to = registers[*word++];
        to = sumOf(word, registers);
        return true;
      }
      case operationProduct: {
        Fr &to = registers[word[0]];
        Fr product = Fr::mul(registers[word[2]], registers[word[3]]);
        if (word[1] == 1) product = Fr::neg(product);
        else if (word[1] != 0) product = Fr::mul(product, constants[word[1]]);
        word += 4;
        to = Fr::add(product, sumOf(word, registers));
        return true;
      }
      case operationDivide:
        return divide(word, registers, products, rule);
      case operationBits:
        return cutBits(word, registers, rule);
      default:
        rule = word[1];
        word += 2;
        return registers[word[-2]].isZero();
    }
  }

  /// One inversion for all: the product of all divisors, then each quotient from the last to the first.
  bool divide(const uint32_t *&word, Fr *registers, Fr *products, uint32_t &rule) const {
    const uint32_t count = *word++;
    Fr product = Fr::one();
    for (uint32_t i = 0; i < count; i++) {
      products[i] = product;
      const Fr &under = registers[word[4 * i + 2]];
      if (!under.isZero()) product = Fr::mul(product, under);
    }
    Fr rest = Fr::inverse(product);
    for (uint32_t i = count; i-- > 0;) {
      const uint32_t *quotient = word + 4 * i;
      const Fr over = registers[quotient[1]], under = registers[quotient[2]];
      if (under.isZero()) {
        rule = quotient[3];
        if (rule != noRule && !over.isZero()) return false;
        registers[quotient[0]] = Fr::zero();
        continue;
      }
      registers[quotient[0]] = Fr::mul(over, Fr::mul(rest, products[i]));
      rest = Fr::mul(rest, under);
    }
    word += 4 * (size_t)count;
    return true;
  }

  bool cutBits(const uint32_t *&word, Fr *registers, uint32_t &rule) const {
    Fr integer = Fr::toInteger(registers[word[0]]);
    rule = word[1];
    const uint32_t count = word[2];
    word += 3;
    for (uint32_t i = 0; i < count; i++, word += 2) {
      uint64_t &limb = integer.limb[word[1] / 64];
      const uint64_t bit = (uint64_t)1 << (word[1] % 64);
      registers[word[0]] = limb & bit ? Fr::one() : Fr::zero();
      limb &= ~bit;
    }
    return integer.isZero();
  }

  const ProgramFile file;
  Buffer<Fr> constants;
  Buffer<uint32_t> words, outputs;
};

}  // namespace

#endif
