/** Settlement with real Groth16 proofs: copies, replays, twins, aliases and forgeries. Properties P1 to P4 of PROPERTIES.md. */
import assert from 'node:assert/strict';
import { verifierArtifacts } from '#chain/verifier-artifacts.ts';
import { deployContract } from '#chain/deploy.ts';
import { NATIVE_TOKEN } from '#chain/token.ts';
import { CIRCUIT_NAMES, circuitSpec, loadManifest } from '#circuits/manifest.ts';
import { FIELD_ORDER, packPayee, SETTLEMENT_SIGNALS } from '#protocol/index.ts';
import { sampleCases } from '#test/depth.ts';
import { rejectsCode } from '#test/unit/assert-code.ts';
import { allEngineBackends } from '#test/unit/prover/engines.ts';
import { artifacts } from '#chain/artifacts.ts';
import { ContractAccess } from '#chain/contract-access.ts';
import { EscrowContract } from '#chain/escrow.ts';
import { forgeForEqualGammaDelta, negatedTwin } from './forgery.ts';
import { openRealOrder, proveSegment, serveSegment, type RealOrder, type RealProof } from './real-segment.ts';
import { refuses, registerEnclave, restoreEachTest, startStage, type Stage, type StageEnclave } from './stage.ts';

/** Circuits whose proofs `settle` takes. */
const attestedCircuits = CIRCUIT_NAMES.filter((name) => circuitSpec(name).publishedPairs === 0);

describe('contracts: settlement with real proofs', function () {
  this.timeout(240_000);
  let stage: Stage;
  let enclave: StageEnclave;
  let order: RealOrder;
  let made: RealProof;
  before(async () => {
    stage = await startStage();
    enclave = await registerEnclave(stage);
    await registerEnclave(stage);
    order = await openRealOrder(stage, enclave, 16);
    made = await proveSegment('settlement-16', await serveSegment(stage, enclave, order, { jobs: 3, price: 100n }));
  });
  after(() => stage.close());
  restoreEachTest(() => stage);

  const escrow = () => stage.as(stage.provider).escrow;
  const settle = (proof = made.proof, signals = made.signals) => escrow().settle(stage.funder.address, proof, signals);

  it('deploys the verifiers of the committed keys, all of them development keys', async () => {
    for (const [index, name] of attestedCircuits.entries()) {
      const manifest = await loadManifest(name);
      const family = stage.deployment.families[index];
      assert.equal(family?.vkHash, manifest.vkHash);
      assert.equal(family.family, manifest.familyId);
      assert.equal(family.development, manifest.setup === 'development');
    }
  });

  it('pays for three jobs, and for the next segment of the lane', async () => {
    const { event } = await settle();
    assert.deepEqual([event.total, event.credited, event.fee], [300n, 297n, 3n]);
    const segment = await serveSegment(stage, enclave, order, { jobs: 1, price: 7n, laneOld: event.laneNew });
    const next = await proveSegment('settlement-16', segment);
    const steady = await settle(next.proof, next.signals);
    assert.equal(steady.event.total, 7n);
    // Gas is deterministic: the aim for a steady-state batch, whatever the number of jobs.
    assert.ok(steady.gasUsed < 340_000n, `a steady-state batch took ${steady.gasUsed} gas`);
    assert.equal(await escrow().lane(order.orderKey, segment.leaf.provider, 0), next.signals.laneNew);
  });

  it('pays for a proof of every engine that this machine can run', async () => {
    const engines = allEngineBackends();
    assert.ok(engines.length >= 2);
    for (const [laneIndex, backend] of sampleCases(engines, 2).entries()) {
      const segment = await serveSegment(stage, enclave, order, { jobs: 16, price: 5n, laneIndex });
      const proven = await proveSegment('settlement-16', segment, backend);
      const { event } = await settle(proven.proof, proven.signals);
      assert.equal(event.total, 80n, `${backend.name} ${backend.engine}`);
    }
  });

  it('refuses the proof for any signal changed by one', async () => {
    const verifier = new ContractAccess(verifierArtifacts[0]!, stage.deployment.families[0]!.verifier, stage.owner);
    const { a, b, c } = made.proof;
    const list = SETTLEMENT_SIGNALS.map((name) => made.signals[name]);
    const answer = async (signals: readonly bigint[]) => (await verifier.read('verifyProof', [a, b, c, signals]))[0];
    assert.equal(await answer(list), true);
    for (const [index, name] of SETTLEMENT_SIGNALS.entries()) {
      const changed = (value: bigint) => list.map((signal, i) => (i === index ? value : signal));
      assert.equal(await answer(changed((list[index]! + 1n) % FIELD_ORDER)), false, name);
      assert.equal(await answer(changed(list[index]! + FIELD_ORDER)), false, `${name} + r`);
    }
  });

  it('refuses a real proof with a larger total', async () => {
    await refuses(settle(made.proof, { ...made.signals, total: made.signals.total + 1n }), 'ProofInvalid');
  });

  it('refuses a real proof with another new head, so that nobody jumps over jobs', async () => {
    await refuses(settle(made.proof, { ...made.signals, laneNew: made.signals.laneNew ^ 1n }), 'ProofInvalid');
  });

  it('refuses a copied proof from everybody but the provider', async () => {
    for (const thief of [stage.stranger, stage.funder]) {
      const call = stage.as(thief).escrow.settle(stage.funder.address, made.proof, made.signals);
      await refuses(call, 'NotProviderOrOperator');
      // With the thief named as payee the statement is another one.
      const payee = made.signals.payee - BigInt(stage.provider.address) + BigInt(thief.address);
      await registerEnclave({ ...stage, provider: thief });
      await stage.as(stage.funder).escrow.topUp(order.orderId, thief.address, 100n, NATIVE_TOKEN);
      const root = await stage.as(stage.owner).registry.rootOf(thief.address);
      const claimed = { ...made.signals, payee, enclaveRoot: root };
      await refuses(stage.as(thief).escrow.settle(stage.funder.address, made.proof, claimed), 'ProofInvalid');
    }
  });

  it('refuses a replay, also of a malleable twin of the proof', async () => {
    const twin = negatedTwin(made.proof);
    await settle();
    await refuses(settle(), 'LaneMoved');
    await refuses(settle(twin), 'LaneMoved');
  });

  it('takes the twin in place of the proof, as the same one payment', async () => {
    await settle(negatedTwin(made.proof));
    await refuses(settle(), 'LaneMoved');
    assert.equal(await escrow().credit(NATIVE_TOKEN, stage.provider.address), 297n);
  });

  it('refuses a replay on another lane', async () => {
    const payee = made.signals.payee + (1n << 200n);
    await refuses(settle(made.proof, { ...made.signals, payee }), 'ProofInvalid');
  });

  it('refuses a replay with a fresher time', async () => {
    await stage.chain.increaseTime(3700);
    await refuses(settle(), 'ValidAtStale');
    await refuses(settle(made.proof, { ...made.signals, payee: made.signals.payee + (3600n << 160n) }), 'ProofInvalid');
  });

  it('refuses a replay in another order of the same customer', async () => {
    const other = await openRealOrder(stage, enclave, 16);
    const moved = { ...made.signals, orderId: other.orderId, domain: other.domain };
    await refuses(settle(made.proof, moved), 'ProofInvalid');
  });

  it('refuses a replay in another deployment with the same order id', async () => {
    const { registry, router, models } = stage.deployment;
    const args = [stage.owner.address, registry, router, models, 100, stage.feeAccount];
    const address = await deployContract(stage.owner, artifacts.OrderEscrow, args);
    const elsewhere = new EscrowContract(address, stage.funder);
    await new EscrowContract(address, stage.owner).access.send('setToken', [NATIVE_TOKEN, true]);
    const place = { chainId: 31337n, escrow: address, funder: stage.funder.address.toLowerCase(), token: NATIVE_TOKEN };
    await elsewhere.open(place, order.request);
    const provider = new EscrowContract(address, stage.provider);
    await refuses(provider.settle(stage.funder.address, made.proof, made.signals), 'DomainMismatch');
    const domain = (await provider.order(stage.funder.address, order.orderId)).domain;
    await refuses(provider.settle(stage.funder.address, made.proof, { ...made.signals, domain }), 'ProofInvalid');
  });

  it('refuses a proof under the verifier of another family', async () => {
    const [own, other] = stage.deployment.families.map((family, index) => {
      return new ContractAccess(verifierArtifacts[index]!, family.verifier, stage.owner);
    });
    const { a, b, c } = made.proof;
    const args = [a, b, c, SETTLEMENT_SIGNALS.map((name) => made.signals[name])];
    assert.equal((await own!.read('verifyProof', args))[0], true);
    assert.equal((await other!.read('verifyProof', args))[0], false);
  });

  it('refuses a proof by an enclave that was revoked after it was made', async () => {
    await stage.as(stage.provider).registry.revoke(enclave.keysetDigest);
    await refuses(settle(), 'RootNotLive');
  });

  it('cannot be proven at or after the expiry of the leaf, nor for a time the leaf does not reach', async () => {
    const expiresAt = enclave.registration.expiresAtUnix;
    const segment = await serveSegment(stage, enclave, order, { jobs: 1, price: 1n });
    for (const validAtUnix of [expiresAt, expiresAt + 1]) {
      await rejectsCode(proveSegment('settlement-16', { ...segment, validAtUnix }), 'STUN_CIRCUIT_UNSATISFIED');
    }
    // On chain the claimed time must be within the hour, so an expired enclave has none left to claim.
    await stage.chain.request('evm_setNextBlockTimestamp', [expiresAt + 3601]);
    await stage.chain.request('evm_mine');
    const payee = packPayee({ provider: segment.leaf.provider, validAtUnix: expiresAt - 1, laneIndex: 0 });
    const long = await openRealOrder(stage, enclave, 16);
    const signals = { ...made.signals, orderId: long.orderId, domain: long.domain, payee };
    await refuses(settle(made.proof, signals), 'ValidAtStale');
  });

  it('refuses the forgery that works on a key whose gamma equals delta', async () => {
    // The larger circuit takes a minute to build where nothing else needs it.
    const names = process.env['STUN_CIRCUITS'] === 'all' ? attestedCircuits : attestedCircuits.slice(0, 1);
    for (const [index, name] of names.entries()) {
      const address = stage.deployment.families[index]!.verifier;
      const { forged, control } = await forgeForEqualGammaDelta(name, made.signals, stage.chain.provider);
      // The same forgery passes the pairing equation once delta is replaced by gamma: the test can fail.
      assert.equal(control, true, name);
      const verifier = new ContractAccess(verifierArtifacts[index]!, address, stage.owner);
      const signals = SETTLEMENT_SIGNALS.map((signal) => made.signals[signal]);
      assert.equal((await verifier.read('verifyProof', [forged.a, forged.b, forged.c, signals]))[0], false, name);
    }
    const { forged } = await forgeForEqualGammaDelta('settlement-16', made.signals, stage.chain.provider);
    await refuses(settle(forged), 'ProofInvalid');
  });

  it('refuses an all-zero proof', async () => {
    const zero = {
      a: [0n, 0n],
      b: [
        [0n, 0n],
        [0n, 0n],
      ],
      c: [0n, 0n],
    } as const;
    await refuses(settle(zero), 'ProofInvalid');
  });
});
