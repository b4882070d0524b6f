/** The generated settlement verifiers of contracts/verifiers, in the order of their N, then those that publish pairs. */
import type { Artifact } from './artifacts.ts';
import Settlement16Verifier from './generated/Settlement16Verifier.json' with { type: 'json' };
import Settlement256Verifier from './generated/Settlement256Verifier.json' with { type: 'json' };
import Settlement64Verifier from './generated/Settlement64Verifier.json' with { type: 'json' };
import SettlementProven16Verifier from './generated/SettlementProven16Verifier.json' with { type: 'json' };

/** One artifact for each settlement circuit. */
export const verifierArtifacts: readonly Artifact[] = [
  Settlement16Verifier,
  Settlement64Verifier,
  Settlement256Verifier,
  SettlementProven16Verifier,
];
