/** The receipt file of a job over a compiled model, with every signature and the evidence of simulated hardware. */
import { createSimulatedPki, type SimulatedPki } from '#attestation/simulated/pki.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedTdx } from '#attestation/simulated/simulated-tdx.ts';
import { canonicalPolicyJson } from '#attestation/index.ts';
import type { CompiledFolder } from '#circuits/model/folder.ts';
import type { ReceiptFile } from '#client/receipt.ts';
import {
  commitIntegers,
  deliveryDigestOf,
  demandHeadOf,
  encodeTensors,
  fieldToHex,
  jobHeaderToWire,
  keysetDigestOf,
  laneGenesisOf,
  openingToWire,
  orderIdOf,
  policyIdOf,
  receiptRecordToWire,
  signDemand,
  toHex,
  utf8,
  type JobHeader,
  type JobStatus,
  type Receipt,
} from '#protocol/index.ts';
import { makeEnclave, makeOrder, NOW, recordOf, type TestEnclave } from '../protocol/fixtures.ts';
import { integerInput } from '../worker/compiled-fixture.ts';

const INPUT_BLINDING = 11n;
const OUTPUT_BLINDING = 22n;

/** A receipt file and who made it. */
export interface CompiledReceipt {
  readonly file: ReceiptFile;
  readonly pki: SimulatedPki;
  readonly enclave: TestEnclave;
  readonly receipt: Receipt;
  /** The model's output. */
  readonly output: readonly number[];
}

/** @param input - one integer for each feature of the folder's model */
export async function makeCompiledReceipt(
  folder: CompiledFolder,
  input: readonly number[],
  status: JobStatus = 'served',
): Promise<CompiledReceipt> {
  const policy = canonicalPolicyJson(simulatedPolicy);
  const made = makeOrder();
  const opening = { ...made.opening, modelId: folder.model.modelId, policyId: policyIdOf(utf8(policy)) };
  const order = { ...made, opening, orderId: orderIdOf(opening) };
  const enclave = await makeEnclave(opening.policyId);
  const output = folder.run(input);
  const lane = { orderId: order.orderId, provider: enclave.leaf.provider, laneIndex: 0 };
  const previousHead = laneGenesisOf(lane);
  const inputCommitment = commitIntegers(folder.model.input, input, INPUT_BLINDING);
  const demand = { inputCommitment, maxPrice: 1000n, signerId: enclave.signerId };
  const demandHead = demandHeadOf(previousHead, demand);
  const header: JobHeader = {
    funder: order.place.funder,
    ...lane,
    demandKey: order.demandKey.publicKey,
    k: 1,
    previousHead,
    ...demand,
    signature: signDemand(order.demandKey, demandHead),
  };
  const sealedResult = utf8('sealed');
  const receipt: Receipt = {
    demandHead,
    outputCommitment: commitIntegers(folder.model.output, output, OUTPUT_BLINDING),
    price: status === 'served' ? 700n : 0n,
    deliveryDigest: deliveryDigestOf(sealedResult),
    status,
    startedAtUnix: NOW,
    finishedAtUnix: NOW + 1,
  };
  const pki = createSimulatedPki();
  const machine = createSimulatedTdx({ atUnix: NOW - 3600, pki });
  const { name, dtype, dims } = folder.model.output;
  const data = new Uint8Array(Int32Array.from(output).buffer);
  const file: ReceiptFile = {
    format: 'stun-receipt/1',
    opening: openingToWire(order),
    policy,
    header: jobHeaderToWire(header),
    keyset: toHex(enclave.keysetBytes),
    evidence: new TextDecoder().decode(machine.evidence(keysetDigestOf(enclave.keysetBytes), new Uint8Array(32))),
    record: receiptRecordToWire(recordOf(enclave, header, opening.modelId, receipt)),
    input: { payload: toHex(encodeTensors([integerInput(folder, input)])), blinding: fieldToHex(INPUT_BLINDING) },
    output: { payload: toHex(encodeTensors([{ name, dtype, dims, data }])), blinding: fieldToHex(OUTPUT_BLINDING) },
    sealedResult: toHex(sealedResult),
    publicModel: {
      manifest: new TextDecoder().decode(folder.manifest),
      verificationKey: toHex(folder.verificationKeyBytes),
      ceremonyHash: toHex(folder.ceremonyHash),
    },
  };
  return { file, pki, enclave, receipt, output };
}
