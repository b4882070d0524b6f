/** `stun receipt disclose` and `stun receipt verify-disclosure`. */
import {
  biasedElements,
  disclosureInWords,
  disclosureSignals,
  fieldToHex,
  integerRange,
  isTrueOf,
  receiptToWire,
  StunError,
  tensorIntegers,
  toHex,
  fieldFromHex,
  type DisclosedTensor,
  type DisclosureStatement,
} from '#protocol/index.ts';
import { defaultTrustRoots } from '#attestation/index.ts';
import {
  AuditLedger,
  auditOffline,
  disclosureSchema,
  receiptFileSchema,
  settlementOfReceipt,
  verifyDisclosure,
  verifyReceiptFile,
  type Disclosure,
  type VerifiedReceipt,
} from '#client/index.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { extraRootsOf, readJson } from '../settings.ts';
import { parseInteger, parseWhole, showTime } from '../values.ts';
import { disclosureKeys, setupNotice, type DisclosureKeyOptions } from './disclosure-keys.ts';
import { save } from './result.ts';

/** Memory that a backend may take beside key and witness; these circuits are small. */
const MEMORY_LIMIT_MB = 512;

/** Options of `receipt disclose`. */
export interface DiscloseOptions extends DisclosureKeyOptions {
  readonly out: string;
  readonly outputIndex?: string;
  readonly ge?: string;
  readonly le?: string;
  readonly eq?: string;
  readonly argmaxIs?: string;
}

/** The statement that the options make. @throws `STUN_INPUT` when they make none, or two */
function statementOf(options: DiscloseOptions, tensor: DisclosedTensor): DisclosureStatement {
  const range = integerRange(tensor);
  const value = (text: string, option: string): number => parseInteger(text, option, range.low, range.high);
  const { ge, le, eq, argmaxIs, outputIndex } = options;
  const bounds = [ge, le, eq].filter((one) => one !== undefined).length;
  if (argmaxIs !== undefined) {
    if (bounds > 0 || outputIndex !== undefined) throw new StunError('STUN_INPUT', '--argmax-is stands alone');
    return { kind: 'argmax-is', index: parseWhole(argmaxIs, '--argmax-is', 0, 255) };
  }
  if (outputIndex === undefined) throw new StunError('STUN_INPUT', '--output-index or --argmax-is is needed');
  if (bounds === 0 || (eq !== undefined && bounds > 1))
    throw new StunError('STUN_INPUT', 'one of --ge, --le, --eq is needed, or --ge with --le');
  const index = parseWhole(outputIndex, '--output-index', 0, 255);
  const low = value(eq ?? ge ?? String(range.low), eq === undefined ? '--ge' : '--eq');
  const high = value(eq ?? le ?? String(range.high), eq === undefined ? '--le' : '--eq');
  return { kind: 'in-range', index, low, high };
}

/** The committed output of a receipt. @throws `STUN_DISCLOSURE_RECEIPT` */
function disclosedFrom(verified: VerifiedReceipt): { readonly tensor: DisclosedTensor; readonly output: readonly number[] } {
  const { publicModel, record, outputPayload } = verified;
  if (publicModel === undefined)
    throw new StunError(
      'STUN_DISCLOSURE_RECEIPT',
      'the receipt is over a model that is not compiled: its output is committed as bytes',
    );
  if (record.receipt.status !== 'served')
    throw new StunError('STUN_DISCLOSURE_RECEIPT', `the job was not served but ${record.receipt.status}`);
  const { dtype, shape } = publicModel.model.output;
  return { tensor: { dtype, shape }, output: tensorIntegers(publicModel.model.output, outputPayload) };
}

/**
 * Proves a statement and writes the disclosure, verified.
 * @throws `STUN_DISCLOSURE_RECEIPT`, `STUN_DISCLOSURE_FALSE`, `STUN_INPUT`, and the codes of disclosureKeys, verifyReceiptFile and the prover's backends
 */
export async function receiptDisclose({ args, options, context }: Invocation<DiscloseOptions>): Promise<CommandResult> {
  const document = await readJson(args[0] ?? '', 'receipt');
  const verified = verifyReceiptFile(document, [...defaultTrustRoots, ...(await extraRootsOf(options))]);
  const { tensor, output } = disclosedFrom(verified);
  const statement = statementOf(options, tensor);
  const { receipt, receiptSignature } = verified.record;
  const signals = disclosureSignals(tensor, receipt.outputCommitment, statement);
  if (!isTrueOf(statement, output))
    throw new StunError('STUN_DISCLOSURE_FALSE', `it is not true that ${disclosureInWords(tensor, statement)}`);
  const { system, zkey, keyBytes, setup } = await disclosureKeys(tensor, options, context);
  const [{ disclosureWitness }, { witnessBytes }, { chooseBackends, backendWishOf }] = await Promise.all([
    import('#circuits/model/disclosure/disclosure-circuit.ts'),
    import('#circuits/model/constraints/r1cs-file.ts'),
    import('#prover/backends.ts'),
  ]);
  const { keyset, output: opening } = receiptFileSchema.parse(document);
  const blinding = fieldFromHex(opening.blinding, 'output.blinding');
  const witness = witnessBytes(disclosureWitness(system, biasedElements(tensor, output), blinding, signals));
  context.progress('proving');
  const [backend] = chooseBackends(backendWishOf(process.env)).backends;
  const { a, b, c } = await backend!.prove(await zkey(), witness, { threads: 1, memoryLimitMb: MEMORY_LIMIT_MB });
  const { sha256 } = await import('@noble/hashes/sha2.js');
  const disclosure: Disclosure = {
    format: 'stun-disclosure/1',
    tensor,
    statement,
    proof: { a, b, c },
    vkHash: toHex(sha256(keyBytes)),
    receipt: receiptToWire(receipt),
    receiptSignature,
    keyset,
    escrow: verified.order.place.escrow,
  };
  verifyDisclosure(disclosure, keyBytes);
  await save(options.out, `${JSON.stringify(disclosure, null, 1)}\n`);
  const words = disclosureInWords(tensor, statement);
  return {
    document: { file: options.out, statement: words, receiptHash: verified.receiptHash, setup },
    text: [`${options.out} shows that ${words}.`, setupNotice(setup)].join('\n'),
    exitCode: 0,
  };
}

/** Verifies a disclosure, and says what a bundle shows of its receipt. */
export async function disclosureVerify({
  args,
  options,
  context,
}: Invocation<DisclosureKeyOptions & { readonly audit?: string }>): Promise<CommandResult> {
  const document = await readJson(args[0] ?? '', 'disclosure');
  const form = disclosureSchema.safeParse(document);
  if (!form.success) throw new StunError('STUN_INPUT', 'the file is no disclosure of a known version');
  const { keyBytes, setup } = await disclosureKeys(form.data.tensor, options, context);
  const verified = verifyDisclosure(document, keyBytes);
  const { receipt, receiptHash, keysetDigest } = verified;
  const roots = [...defaultTrustRoots, ...(await extraRootsOf(options))];
  const words = disclosureInWords(verified.tensor, verified.statement);
  // The quorum of attestors stays unknown here: stun audit verify is told whom to believe.
  const trust = { roots, attestors: [], threshold: 1 };
  const ledger = new AuditLedger();
  const settlement =
    options.audit === undefined
      ? { state: 'not shown: name an audit bundle with --audit' as const }
      : settlementOfReceipt(auditOffline(await readJson(options.audit, 'audit bundle'), trust, ledger), receiptHash);
  if (ledger.refuted) throw new StunError('STUN_AUDIT_REFUTED', 'the audit bundle is refuted: see stun audit verify');
  return {
    document: {
      verified: true,
      statement: { ...verified.statement },
      words,
      receiptHash,
      outputCommitment: fieldToHex(receipt.outputCommitment),
      keysetDigest,
      chainId: verified.chainId.toString(),
      escrow: verified.escrow,
      startedAtUnix: receipt.startedAtUnix,
      settlement: { ...settlement },
      vkHash: verified.vkHash,
      setup,
    },
    text: [
      `The disclosure holds: ${words}.`,
      `receipt  ${receiptHash}, ${receipt.status}, ran ${showTime(receipt.startedAtUnix)} by the clock of its host`,
      `signed   by the keyset ${keysetDigest}; whether it is an enclave's its evidence says, not this file`,
      `settled  ${settlement.state}`,
      setupNotice(setup),
    ].join('\n'),
    exitCode: 0,
  };
}
