/** Who may call what: every function of every contract that changes something. Properties R6, N5, E8, M5, C9 and K1 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import type { ParamType } from 'ethers';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { refuses, startStage, type Stage } from './stage.ts';

type Refusal = Parameters<typeof refuses>[1];

/** What a stranger gets; null where anybody may call, for itself alone or with signatures or proofs that say so. */
type Access = Readonly<Record<string, Refusal | null>>;

const owned: Access = {
  acceptOwnership: 'OwnableUnauthorizedAccount',
  renounceOwnership: 'OwnableUnauthorizedAccount',
  transferOwnership: 'OwnableUnauthorizedAccount',
};

/** A new function that moves money, or says who may, must be shown to be harmless before it is added here. */
const contracts: readonly (readonly [keyof typeof artifacts, 'escrow' | 'court' | 'registry' | 'router' | 'models', Access])[] = [
  [
    'OrderEscrow',
    'escrow',
    {
      ...owned,
      open: null,
      openWithPermit: null,
      refund: null,
      release: 'NotCourt',
      requestClose: null,
      setFee: 'OwnableUnauthorizedAccount',
      setOperator: null,
      setPayoutAddress: null,
      setToken: 'OwnableUnauthorizedAccount',
      settle: null,
      settleChallengeable: null,
      settleProven: null,
      succeedFamily: null,
      topUp: null,
      topUpWithPermit: null,
      withdraw: null,
    },
  ],
  [
    'ChallengeCourt',
    'court',
    {
      admit: 'NotEscrow',
      answer: null,
      challenge: null,
      depositStake: null,
      finalise: null,
      prove: 'NotEscrow',
      record: 'NotEscrow',
      refundUnanswered: null,
      requestUnbond: null,
      setPayoutAddress: null,
      unbond: null,
      withdraw: null,
    },
  ],
  [
    'EnclaveRegistry',
    'registry',
    {
      ...owned,
      cancelConsent: null,
      denyHardware: 'NotAllowed',
      register: null,
      registerWithQuote: null,
      retire: 'NotAllowed',
      revoke: 'NotAllowed',
      revokeByQuorum: 'QuorumNotReached',
      setAttestor: 'OwnableUnauthorizedAccount',
      setGuardian: 'OwnableUnauthorizedAccount',
      setQuoteVerifier: 'OwnableUnauthorizedAccount',
      setThreshold: 'OwnableUnauthorizedAccount',
    },
  ],
  [
    'VerifierRouter',
    'router',
    {
      ...owned,
      addInferenceFamily: 'OwnableUnauthorizedAccount',
      addProvenFamily: 'OwnableUnauthorizedAccount',
      addSettlementFamily: 'OwnableUnauthorizedAccount',
      allowVerificationKey: 'OwnableUnauthorizedAccount',
      freeze: 'NotGuardian',
      setGuardian: 'OwnableUnauthorizedAccount',
      tombstone: 'OwnableUnauthorizedAccount',
      tombstoneByForgery: null,
      tombstoneProvenByForgery: null,
      unfreeze: 'NotGuardian',
    },
  ],
  [
    'ModelRegistry',
    'models',
    {
      ...owned,
      approve: null,
      register: null,
      setCoordinator: 'OwnableUnauthorizedAccount',
      setThreshold: 'OwnableUnauthorizedAccount',
    },
  ],
];

describe('contracts: access', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());

  /** Some value of a type: what is refused for its caller never gets as far as to look at it. */
  function anyOf(type: ParamType): unknown {
    if (type.isTuple()) return type.components.map(anyOf);
    if (type.isArray()) return Array.from({ length: Math.max(type.arrayLength, 0) }, () => anyOf(type.arrayChildren));
    if (type.baseType === 'address') return stage.stranger.address;
    if (type.baseType === 'bool') return true;
    if (type.baseType.startsWith('bytes')) return `0x${'11'.repeat(Number(type.baseType.slice(5)))}`;
    return 1n;
  }

  for (const [name, place, access] of contracts) {
    it(`to ${name} is refused to a stranger wherever it is not for anybody`, async () => {
      const contract = new ContractAccess(artifacts[name], stage.deployment[place], stage.stranger);
      const changing: string[] = [];
      contract.interface.forEachFunction((entry) => {
        if (!entry.constant) changing.push(entry.name);
      });
      assert.deepEqual(changing.toSorted(), Object.keys(access).toSorted());
      for (const [call, refusal] of Object.entries(access)) {
        if (refusal === null) continue;
        const args = contract.interface.getFunction(call)!.inputs.map(anyOf);
        await refuses(contract.simulate(call, args, stage.stranger.address), refusal);
      }
    });
  }
});
