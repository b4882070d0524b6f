/** ABI and bytecode of the contracts, as chain/generate.ts committed them: nothing at run time needs a compiler. */
import type { JsonFragment } from 'ethers';
import ChallengeCourt from './generated/ChallengeCourt.json' with { type: 'json' };
import EnclaveRegistry from './generated/EnclaveRegistry.json' with { type: 'json' };
import InferenceVerifier from './generated/InferenceVerifier.json' with { type: 'json' };
import ModelRegistry from './generated/ModelRegistry.json' with { type: 'json' };
import OrderEscrow from './generated/OrderEscrow.json' with { type: 'json' };
import Poseidon2 from './generated/Poseidon2.json' with { type: 'json' };
import Poseidon5 from './generated/Poseidon5.json' with { type: 'json' };
import Poseidon6 from './generated/Poseidon6.json' with { type: 'json' };
import SignatureOnlyEscrow from './generated/SignatureOnlyEscrow.json' with { type: 'json' };
import StunToken from './generated/StunToken.json' with { type: 'json' };
import VerifierRouter from './generated/VerifierRouter.json' with { type: 'json' };

/** What is needed to deploy a contract and to talk to it. */
export interface Artifact {
  readonly contractName: string;
  readonly abi: readonly JsonFragment[];
  /** Creation code, hex with 0x. */
  readonly bytecode: string;
}

/** The project's contracts by name. */
export const artifacts = {
  ChallengeCourt,
  EnclaveRegistry,
  InferenceVerifier,
  ModelRegistry,
  OrderEscrow,
  Poseidon2,
  Poseidon5,
  Poseidon6,
  SignatureOnlyEscrow,
  StunToken,
  VerifierRouter,
} as const satisfies Record<string, Artifact>;
