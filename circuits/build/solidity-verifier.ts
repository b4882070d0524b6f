/**
 * Generates the Solidity verifier of a Groth16 key: one contract, no dependencies, the key in the code.
 * It checks that every signal is < r and every coordinate < q before any arithmetic, and refuses keys with gamma = delta.
 */
import { FIELD_ORDER } from '#protocol/field.ts';
import type { Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { assertNotForgeable, g1Words, g2Words, vkHashOf, type G1Json, type VerificationKey } from './verification-key.ts';
import { BASE_FIELD_ORDER } from './zkey-format.ts';

/** What the generated file says about itself. */
export interface VerifierDescription {
  /** Solidity contract name. */
  readonly contract: string;
  readonly circuit: string;
  /** A settlement circuit, whose verifier has the interface of its kind. */
  readonly settlement?: {
    /** Jobs a segment may have. */
    readonly n: number;
    /** Jobs whose commitments are public signals: 0 or n. */
    readonly publishedPairs: number;
  };
  /** Names of the public signals, in order. */
  readonly signals: readonly string[];
  /** SHA-256 of sources, compiler and key recipe, hex. */
  readonly sourceHash: string;
  readonly setup: 'development' | 'ceremony';
}

function hexWord(decimal: string | bigint): string {
  return `0x${BigInt(decimal).toString(16).padStart(64, '0')}`;
}

/** Assembly that writes words to consecutive places behind `pairing`. */
function store(offset: number, words: readonly string[]): string {
  return words.map((word, i) => `            mstore(add(pairing, ${offset + 32 * i}), ${hexWord(word)})`).join('\n');
}

/** Offsets of the four pairs in the pairing input; vk_x is summed in place, its scratch is where gamma goes afterwards. */
const PAIR = { proof: 0, alphaBeta: 192, input: 384, delta: 576 } as const;
const SCRATCH = PAIR.input + 64;

function addSignal(point: G1Json, index: number): string {
  return [
    `            // + signals[${index}] * IC[${index + 1}]`,
    store(SCRATCH, g1Words(point)),
    `            mstore(add(pairing, ${SCRATCH + 64}), calldataload(add(signals, ${32 * index})))`,
    `            ok := and(ok, staticcall(gas(), 7, add(pairing, ${SCRATCH}), 96, add(pairing, ${SCRATCH}), 64))`,
    `            ok := and(ok, staticcall(gas(), 6, add(pairing, ${PAIR.input}), 128, add(pairing, ${PAIR.input}), 64))`,
  ].join('\n');
}

/** The signals in words: places of one array as a range. */
function signalNames(signals: readonly string[]): string {
  const parts = signals.map((name) => /^(?<array>\w+)\[(?<place>\d+)\]$/.exec(name)?.groups ?? { array: name, place: undefined });
  return parts
    .flatMap(({ array, place }, i) => {
      if (place === undefined) return [array];
      return parts[i + 1]?.array === array ? [] : [`${array}[0..${place}]`];
    })
    .join(', ');
}

function developmentNotice(description: VerifierDescription): string {
  if (description.setup === 'ceremony') return '';
  return `/// @dev INSECURE DEVELOPMENT KEY: its trapdoor is public, so anyone can forge proofs. For a local chain only.\n`;
}

/**
 * The Solidity source of a verifier.
 * @throws `STUN_CIRCUIT_FORGEABLE_KEY` when gamma equals delta
 */
export function solidityVerifier(key: VerificationKey, description: VerifierDescription): string {
  assertNotForgeable(key);
  const vkHash: Hex = vkHashOf(key);
  const count = key.nPublic;
  const { settlement } = description;
  const verifierInterface = settlement?.publishedPairs === 0 ? 'ISettlementVerifier' : 'IProvenSettlementVerifier';
  const inherits = settlement === undefined ? '' : ` is ${verifierInterface}`;
  const overrides = settlement === undefined ? '' : ' override';
  const doc = (own: string): string => (settlement === undefined ? `@notice ${own}` : `@inheritdoc ${verifierInterface}`);
  return `// SPDX-License-Identifier: GPL-3.0-or-later
// Generated from ${description.circuit}, do not edit. Source hash ${description.sourceHash}.
pragma solidity ^0.8.37;

${settlement === undefined ? '' : `import {${verifierInterface}} from "../interfaces/${verifierInterface}.sol";\n\n`}/// @title ${description.contract}
/// @notice Verifies Groth16 proofs of ${description.circuit} over BN254. Trusted for: true only if the proof satisfies the pairing
/// equation of the key below. Does not check what the signals mean, nor who made the key.
${developmentNotice(description)}contract ${description.contract}${inherits} {
    /// ${doc('Whether the key was made with a known trapdoor.')}
    bool public constant${overrides} DEVELOPMENT = ${description.setup === 'development'};
    /// ${doc("sha256 of the verification key's fixed binary encoding.")}
    bytes32 public constant${overrides} VK_HASH = ${vkHash};
${settlement === undefined ? '' : `    /// @inheritdoc ${verifierInterface}\n    uint256 public constant override N = ${settlement.n};\n`}
    /// ${doc('Whether the proof shows the statement of these signals.')}
    /// @dev Never reverts on bad input; a signal of r or more and a coordinate of q or more are answered with false.
    /// b is taken as (c1, c0) per coordinate; signals are ${signalNames(description.signals)}.
    function verifyProof(
        uint256[2] calldata a,
        uint256[2][2] calldata b,
        uint256[2] calldata c,
        uint256[${count}] calldata signals
    ) external view${overrides} returns (bool valid) {
        // Assembly: the precompiles take packed words, and copying them through Solidity arrays would double the overhead.
        // Memory behind the free pointer is scratch; nothing allocated is touched.
        assembly ("memory-safe") {
            let q := ${hexWord(BASE_FIELD_ORDER)}
            let r := ${hexWord(FIELD_ORDER)}
            let pairing := mload(0x40)

            // Canonical signals and coordinates. A precompile would refuse a large coordinate itself, -A would not.
            let ok := lt(calldataload(signals), r)
${Array.from({ length: count - 1 }, (_, i) => `            ok := and(ok, lt(calldataload(add(signals, ${32 * (i + 1)})), r))`).join('\n')}
            ok := and(ok, lt(calldataload(a), q))
            ok := and(ok, lt(calldataload(add(a, 32)), q))
${[0, 32, 64, 96].map((offset) => `            ok := and(ok, lt(calldataload(add(b, ${offset})), q))`).join('\n')}
            ok := and(ok, lt(calldataload(c), q))
            ok := and(ok, lt(calldataload(add(c, 32)), q))

            if ok {
            // vk_x = IC[0] + sum of signals[i] * IC[i + 1]
${store(PAIR.input, g1Words(key.IC[0]!))}
${key.IC.slice(1).map(addSignal).join('\n')}

            // e(-A, B) * e(alpha, beta) * e(vk_x, gamma) * e(C, delta) = 1
            mstore(pairing, calldataload(a))
            mstore(add(pairing, 32), mod(sub(q, calldataload(add(a, 32))), q))
            calldatacopy(add(pairing, 64), b, 128)
${store(PAIR.alphaBeta, [...g1Words(key.vk_alpha_1), ...g2Words(key.vk_beta_2)])}
${store(PAIR.input + 64, g2Words(key.vk_gamma_2))}
            calldatacopy(add(pairing, ${PAIR.delta}), c, 64)
${store(PAIR.delta + 64, g2Words(key.vk_delta_2))}
            ok := and(ok, staticcall(gas(), 8, pairing, 768, 0, 32))
            valid := and(ok, eq(mload(0), 1))
            }
        }
    }
}
`;
}

/**
 * Compares a committed verifier with what is generated now.
 * @throws `STUN_CIRCUIT_STALE_VERIFIER` naming the file
 */
export function assertCurrent(path: string, committed: string, generated: string): void {
  if (committed !== generated)
    throw new StunError('STUN_CIRCUIT_STALE_VERIFIER', `${path} must equal what its circuit generates`);
}
