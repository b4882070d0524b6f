/**
 * Runs the witness program that circom compiles (WebAssembly, circom 2.2 calling convention) and gives the witness as a `wtns`
 * file in memory, version 2 of the iden3 binary format.
 *
 * The program is trusted for nothing: a wrong witness gives a proof that does not verify. It is silent by design: signals are the
 * provider's business, so no value of a signal gets into a message.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { FIELD_ORDER } from '#protocol/field.ts';

/** Signals by name, field elements or lists of them. */
export type WitnessSignals = Readonly<Record<string, bigint | readonly bigint[]>>;

const FIELD_BYTES = 32;
const WORDS = FIELD_BYTES / 4;
const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;
const MAX_MESSAGE = 200;

/** The exported functions in use; all take and return 32-bit integers. */
interface Program {
  getFieldNumLen32(): number;
  getRawPrime(): void;
  readSharedRWMemory(word: number): number;
  writeSharedRWMemory(word: number, value: number): void;
  init(check: number): void;
  getInputSize(): number;
  getInputSignalSize(hashHigh: number, hashLow: number): number;
  setInputSignal(hashHigh: number, hashLow: number, index: number): void;
  getWitnessSize(): number;
  getWitness(index: number): void;
  getMessageChar(): number;
}

/** FNV-1a of a signal's name, 64 bits: how the program names its inputs. */
function nameHash(name: string): readonly [high: number, low: number] {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return [Number(hash >> 32n), Number(hash & 0xffffffffn)];
}

/** A program that keeps its memory between witnesses; one per thread and circuit. */
export class WitnessCalculator {
  readonly #module: WebAssembly.Module;
  #program: Program | undefined;
  #message = '';

  /** @param module - the compiled witness program of a BN254 circuit */
  constructor(module: WebAssembly.Module) {
    this.#module = module;
  }

  /**
   * The witness of an input.
   * @param signals - every input signal of the circuit, and no other
   * @returns a `wtns` file
   * @throws `STUN_PROOF_WITNESS` when an assertion of the circuit fails or the signals are not those of the circuit
   */
  calculate(signals: WitnessSignals): Uint8Array {
    try {
      const program = (this.#program ??= this.#start());
      program.init(0);
      this.#setInputs(program, signals);
      return this.#readWitness(program);
    } catch (error) {
      // A program that stopped in the middle has an unknown state; the next witness gets a new one.
      this.#program = undefined;
      if (error instanceof StunError) throw error;
      throw new StunError('STUN_PROOF_WITNESS', 'the witness program stopped', { cause: error });
    }
  }

  #start(): Program {
    const refuse = (code: number): never => {
      const why = this.#message.trim().slice(0, MAX_MESSAGE);
      throw new StunError('STUN_PROOF_WITNESS', `the circuit refuses the segment (circom code ${code}) ${why}`.trim());
    };
    const instance = new WebAssembly.Instance(this.#module, {
      runtime: {
        exceptionHandler: refuse,
        // Says the template and the line of the failed assertion, never a value.
        printErrorMessage: () => {
          this.#message += `${this.#readMessage()} `;
        },
        writeBufferMessage: () => void this.#readMessage(),
        showSharedRWMemory: () => {},
      },
    });
    const program = instance.exports as unknown as Program;
    this.#program = program;
    this.#message = '';
    program.getRawPrime();
    if (program.getFieldNumLen32() !== WORDS || this.#readField(program) !== FIELD_ORDER) {
      throw new StunError('STUN_PROOF_WITNESS', 'the witness program is not for the BN254 scalar field');
    }
    return program;
  }

  #readMessage(): string {
    let text = '';
    for (let char = this.#program?.getMessageChar() ?? 0; char !== 0; char = this.#program?.getMessageChar() ?? 0) {
      text += String.fromCharCode(char);
    }
    return text;
  }

  #readField(program: Program): bigint {
    let value = 0n;
    for (let word = WORDS - 1; word >= 0; word--) value = (value << 32n) | BigInt(program.readSharedRWMemory(word) >>> 0);
    return value;
  }

  #setInputs(program: Program, signals: WitnessSignals): void {
    let count = 0;
    for (const [name, value] of Object.entries(signals)) {
      const [high, low] = nameHash(name);
      const values = typeof value === 'bigint' ? [value] : value;
      if (program.getInputSignalSize(high, low) !== values.length) {
        throw new StunError('STUN_PROOF_WITNESS', `the circuit has no input ${name} of ${values.length} elements`);
      }
      for (const [index, element] of values.entries()) {
        if (element < 0n || element >= FIELD_ORDER) {
          throw new StunError('STUN_PROOF_WITNESS', `input ${name}[${index}] is not a field element`);
        }
        for (let word = 0; word < WORDS; word++) {
          program.writeSharedRWMemory(word, Number(BigInt.asIntN(32, element >> BigInt(32 * word))));
        }
        program.setInputSignal(high, low, index);
        count++;
      }
    }
    const expected = program.getInputSize();
    if (count !== expected) throw new StunError('STUN_PROOF_WITNESS', `the circuit takes ${expected} inputs, got ${count}`);
  }

  #readWitness(program: Program): Uint8Array {
    const size = program.getWitnessSize();
    const header = 12 + 12 + 8 + FIELD_BYTES + 12;
    const bytes = new Uint8Array(header + size * FIELD_BYTES);
    const view = new DataView(bytes.buffer);
    bytes.set(new TextEncoder().encode('wtns'));
    view.setUint32(4, 2, true); // format version
    view.setUint32(8, 2, true); // sections
    view.setUint32(12, 1, true); // header section
    view.setBigUint64(16, BigInt(8 + FIELD_BYTES), true);
    view.setUint32(24, FIELD_BYTES, true);
    for (let word = 0; word < WORDS; word++) {
      view.setUint32(28 + 4 * word, Number((FIELD_ORDER >> BigInt(32 * word)) & 0xffffffffn), true);
    }
    view.setUint32(28 + FIELD_BYTES, size, true);
    view.setUint32(32 + FIELD_BYTES, 2, true); // witness section
    view.setBigUint64(36 + FIELD_BYTES, BigInt(size) * BigInt(FIELD_BYTES), true);
    const words = new Uint32Array(bytes.buffer, header, size * WORDS);
    for (let wire = 0; wire < size; wire++) {
      program.getWitness(wire);
      for (let word = 0; word < WORDS; word++) words[wire * WORDS + word] = program.readSharedRWMemory(word);
    }
    return bytes;
  }
}
