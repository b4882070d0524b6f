/** `stun ceremony …`: a trusted setup from published powers of tau to a verifier; docs/ceremony.md. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseTranscript, StunError, transcriptHashOf, transcriptText, type CeremonyTranscript } from '#protocol/index.ts';
import type { CircuitSpec } from '#circuits/build/build-circuit.ts';
import type { CeremonyTarget } from '#circuits/ceremony/export-ceremony.ts';
import type { CommandResult } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { readText, secretOf } from '../settings.ts';
import { parseWhole } from '../values.ts';
import { barOf, groundOf, hashBlock, r1csPathOf, tableOf, type CircuitOptions, type PowersOptions } from './ceremony-steps.ts';

/** Options that name the file to write. */
interface OutOption {
  readonly out: string;
}

function keyArgument(args: readonly (string | undefined)[]): string {
  const [path] = args;
  if (path === undefined) throw new StunError('STUN_INPUT', 'a proving key was expected');
  return path;
}

/** Checks a powers-of-tau file, and that it is large enough for a circuit when one is named. */
export async function importPtau({
  args,
  options,
  context,
}: Invocation<CircuitOptions & Pick<PowersOptions, 'rehearsalTable'>>): Promise<CommandResult> {
  const [path] = args;
  if (path === undefined) throw new StunError('STUN_INPUT', 'a powers-of-tau file was expected');
  const [{ openPowersOfTau }, table] = [
    await import('#circuits/ceremony/powers-of-tau.ts'),
    await tableOf(options.rehearsalTable, context),
  ];
  const named = [options.circuit, options.r1cs, options.disclosure].some((one) => one !== undefined);
  const leastPower = named ? await powerOf(await r1csPathOf(options, context)) : 1;
  const bar = barOf(context);
  const { entry, sections } = await openPowersOfTau(path, leastPower, table, (share) => bar('hashing the powers of tau', share));
  await sections.close();
  const document = { ...entry, file: path, published: entry.file, leastPower };
  const text = [
    `${path} is ${entry.file}: powers of tau for circuits of up to 2^${entry.power} rows.`,
    ...hashBlock('BLAKE2b-512', entry.blake2b512),
  ].join('\n');
  return { document, text, exitCode: 0 };
}

async function powerOf(r1csPath: string): Promise<number> {
  const { readR1cs } = await import('#circuits/build/r1cs.ts');
  const { domainExponentOf } = await import('#circuits/build/development-key.ts');
  return domainExponentOf(await readR1cs(r1csPath));
}

/** Starts phase 2. */
export async function start({
  options,
  context,
}: Invocation<CircuitOptions & PowersOptions & OutOption>): Promise<CommandResult> {
  const { startCeremony } = await import('#circuits/ceremony/ceremony.ts');
  const circuitHash = await startCeremony(await groundOf(options, context), options.out, barOf(context));
  const text = [
    `${options.out} is the key that contributions are added to. Anybody can forge proofs under it.`,
    ...hashBlock('Circuit hash', circuitHash),
  ].join('\n');
  return { document: { file: options.out, circuitHash }, text, exitCode: 0 };
}

/** What the contributor adds: a variable or file, else typed on the terminal without being shown. */
async function entropyOf(): Promise<Buffer> {
  const given = await secretOf('STUN_CEREMONY_ENTROPY');
  if (given !== undefined && given !== '') return Buffer.from(given);
  if (!process.stdin.isTTY) {
    throw new StunError(
      'STUN_INPUT',
      'add randomness of your own: set STUN_CEREMONY_ENTROPY or STUN_CEREMONY_ENTROPY_FILE, or use a terminal',
    );
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write('Type random text, as long as you like, and press Enter (it is not shown): ');
  try {
    return Buffer.from(await terminal.question(''));
  } catch (cause) {
    throw new StunError('STUN_CEREMONY_STOPPED', 'stopped at the question for random text; nothing was written', { cause });
  } finally {
    process.stderr.write('\n');
    terminal.close();
  }
}

/** Adds a contribution and prints what its contributor publishes. */
export async function contribute({ args, options, context }: Invocation<OutOption & { name: string }>): Promise<CommandResult> {
  const from = keyArgument(args);
  const steps = await import('#circuits/ceremony/contribute.ts');
  const bar = barOf(context);
  const entropy = await entropyOf();
  let hash: Uint8Array;
  try {
    const request = { from, to: options.out, name: options.name };
    hash = await steps.contribute(request, entropy, (share) => bar('contributing', share));
  } finally {
    entropy.fill(0);
  }
  return attestation(from, options, hash, 'Publish these lines. The secret behind them is gone; keep nothing of it.');
}

async function attestation(
  from: string,
  { out, name }: OutOption & { name: string },
  hash: Uint8Array,
  advice: string,
): Promise<CommandResult> {
  const { fileSha256 } = await import('#circuits/build/build-circuit.ts');
  const [sha256Before, sha256After] = [await fileSha256(from), await fileSha256(out)];
  const contributionHash = Buffer.from(hash).toString('hex');
  const text = [
    `Contribution of ${JSON.stringify(name)} to a proving key`,
    ...hashBlock('Contribution hash', contributionHash),
    `SHA-256 of the key before  ${sha256Before}`,
    `SHA-256 of the key after   ${sha256After}`,
    advice,
  ].join('\n');
  return { document: { file: out, name, contributionHash, sha256Before, sha256After }, text, exitCode: 0 };
}

/** Options of `ceremony beacon`. */
interface BeaconOptions extends OutOption {
  readonly value: string;
  readonly iterationsExponent: string;
  readonly name: string;
}

/** Closes a key with a public value. */
export async function beacon({ args, options, context }: Invocation<BeaconOptions>): Promise<CommandResult> {
  const from = keyArgument(args);
  const hex = options.value.replace(/^0x/, '');
  if (!/^(?:[0-9a-fA-F]{2}){1,255}$/.test(hex)) throw new StunError('STUN_INPUT', '--value must be 1 to 255 bytes of hex');
  const iterationsExponent = parseWhole(options.iterationsExponent, '--iterations-exponent', 0, 255);
  const { applyBeacon } = await import('#circuits/ceremony/contribute.ts');
  const bar = barOf(context);
  const request = { from, to: options.out, name: options.name };
  const source = { value: Buffer.from(hex, 'hex'), iterationsExponent };
  const hash = await applyBeacon(request, source, (share) => bar('applying the beacon', share));
  return attestation(from, options, hash, 'Publish where the value came from, and that it was announced before it existed.');
}

/** A transcript for people. Names are quoted: they come from strangers. */
function transcriptLines(transcript: CeremonyTranscript): string[] {
  const { circuit, contributions, powersOfTau } = transcript;
  return [
    `circuit         ${circuit.constraints} constraints, ${circuit.publicSignals} public signals, SHA-256 ${circuit.r1csSha256}`,
    `powers of tau   2^${powersOfTau.power}, BLAKE2b-512 ${powersOfTau.blake2b512.slice(0, 32)}…`,
    ...hashBlock('Circuit hash', transcript.circuitHash),
    ...contributions.flatMap((one, i) => [
      ...hashBlock(`${one.beacon === null ? 'Contribution' : 'Beacon'} ${i + 1} ${JSON.stringify(one.name)}`, one.hash),
      ...(one.beacon === null
        ? []
        : [`    value ${one.beacon.value}, SHA-256 iterated 2^${one.beacon.iterationsExponent} times`]),
    ]),
    `key             ${transcript.key.vkHash}`,
    `key file        SHA-256 ${transcript.key.zkeySha256}`,
  ];
}

type GroundOptions = CircuitOptions & PowersOptions;

/** Verifies a key whole; with a transcript, that it is the one of this key. */
export async function verify({
  args,
  options,
  context,
}: Invocation<GroundOptions & { transcript?: string }>): Promise<CommandResult> {
  const { verifyCeremony } = await import('#circuits/ceremony/ceremony.ts');
  const given = options.transcript === undefined ? undefined : await readText(options.transcript, 'transcript');
  if (given !== undefined) parseTranscript(given);
  const transcript = await verifyCeremony(await groundOf(options, context), keyArgument(args), barOf(context));
  if (given !== undefined && given !== transcriptText(transcript)) {
    throw new StunError('STUN_CEREMONY_TRANSCRIPT', `${options.transcript ?? ''} says something else than the key`);
  }
  const transcriptHash = given === undefined ? null : transcriptHashOf(given);
  const text = [
    'The key holds: powers of tau, circuit, every contribution, and the key they give.',
    ...transcriptLines(transcript),
    ...(transcriptHash === null ? [] : [`transcript      ${transcriptHash}`]),
  ].join('\n');
  return { document: { verified: true, transcriptHash, transcript }, text, exitCode: 0 };
}

/** Verifies a finished ceremony and writes its transcript. */
export async function finalise({ args, options, context }: Invocation<GroundOptions & OutOption>): Promise<CommandResult> {
  const [{ verifyFinished }, { writeOnce }] = [
    await import('#circuits/ceremony/ceremony.ts'),
    await import('#circuits/ceremony/write-once.ts'),
  ];
  const transcript = await verifyFinished(await groundOf(options, context), keyArgument(args), barOf(context));
  const { writeFile } = await import('node:fs/promises');
  const written = transcriptText(transcript);
  await writeOnce(options.out, (partial) => writeFile(partial, written));
  const transcriptHash = transcriptHashOf(written);
  const text = [
    `The ceremony is finished; ${options.out} is its transcript.`,
    ...transcriptLines(transcript),
    `transcript      ${transcriptHash}`,
  ];
  return { document: { file: options.out, transcriptHash, transcript }, text: text.join('\n'), exitCode: 0 };
}

/** Options of `ceremony export`. */
interface ExportOptions extends CircuitOptions, OutOption {
  readonly transcript: string;
  readonly contract?: string;
  readonly jobs?: string;
}

/** What the exported verifier is called and bound to. @throws `STUN_INPUT` */
function targetOf(options: ExportOptions, spec: CircuitSpec | undefined): Omit<CeremonyTarget, 'r1csPath'> {
  const ofDisclosures = options.disclosure !== undefined;
  const verifier = options.contract ?? spec?.verifier ?? (ofDisclosures ? 'DisclosureVerifier' : undefined);
  const n = options.jobs === undefined ? spec?.n : parseWhole(options.jobs, '--jobs', 1, 65_535);
  if (verifier === undefined || (n === undefined) !== ofDisclosures)
    throw new StunError('STUN_INPUT', 'with --r1cs, --contract and --jobs are needed; with --disclosure there are no jobs');
  if (!/^[A-Z][A-Za-z0-9]{0,63}$/.test(verifier))
    throw new StunError('STUN_INPUT', '--contract must be a name of letters and digits');
  return { circuit: spec?.name ?? (ofDisclosures ? 'disclosure' : verifier), n: n ?? null, verifier };
}

/** Writes the folder that provers, deployments and disclosures take. */
export async function exportFolder({ args, options, context }: Invocation<ExportOptions>): Promise<CommandResult> {
  const { exportCeremony } = await import('#circuits/ceremony/export-ceremony.ts');
  const { circuitSpec } = await import('#circuits/manifest.ts');
  const r1csPath = await r1csPathOf(options, context);
  const target = { ...targetOf(options, options.circuit === undefined ? undefined : circuitSpec(options.circuit)), r1csPath };
  const manifest = await exportCeremony(keyArgument(args), await readText(options.transcript, 'transcript'), target, options.out);
  const allowed = { vkHash: manifest.vkHash, transcriptHash: manifest.transcriptHash };
  const text = [
    `${options.out} holds proving key, verification key, ${target.verifier}.sol, manifest and transcript.`,
    'Whoever has verified the ceremony adds this to the list of allowed keys:',
    JSON.stringify(allowed, null, 2),
  ].join('\n');
  return { document: { folder: options.out, manifest: { ...manifest }, allowed }, text, exitCode: 0 };
}
