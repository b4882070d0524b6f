/**
 * A compiled model gets the key of its own ceremony: a new folder beside the compiled one, with another name on chain. The ceremony is verified
 * whole, against constraints that are made anew from the integer program.
 *
 * It does NOT judge who contributed: that is what coordinators approve.
 */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { fromHex } from '#protocol/bytes.ts';
import { parseTranscript, transcriptHashOf, transcriptText } from '#protocol/ceremony.ts';
import type { ModelSetup } from '#protocol/compiled-model.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { fileSha256 } from '../build/build-circuit.ts';
import { readVerificationKey, vkHashOf } from '../build/verification-key.ts';
import { writeWholeFolder } from '../build/whole-folder.ts';
import { verifyFinished, type CeremonyGround, type StepShare } from '../ceremony/ceremony.ts';
import { assertTranscriptOf } from '../ceremony/export-ceremony.ts';
import { r1csBytes } from './constraints/r1cs-file.ts';
import { synthesise } from './constraints/synthesise.ts';
import { MODEL_FILES, readCompiledFolder, type CompiledFolder } from './folder.ts';
import { identityOf, manifestWithKey, type ModelIdentity } from './manifest.ts';
import { integerOnnx } from './program/integer-onnx.ts';

/** What is adopted, and into what. */
export interface AdoptionRequest extends Pick<CeremonyGround, 'powersPath' | 'table'> {
  /** As `compileModel` wrote it, with a development key. */
  readonly folder: string;
  readonly keyPath: string;
  /** The transcript's file, as `stun ceremony finalise` writes it. */
  readonly transcript: string;
  /** `ceremony` only when `table` is that of the published powers. */
  readonly setup: Exclude<ModelSetup, 'development'>;
  /** The folder to make. */
  readonly outDirectory: string;
}

/**
 * Holds a folder's ONNX file, its constraints and their number to its integer program, from which all are made again.
 * @returns SHA-256 of the constraints' file, hex
 * @throws `STUN_FILE`, `STUN_MODEL_MANIFEST`
 */
export async function assertMadeFromProgram(folder: CompiledFolder): Promise<string> {
  const { model, program, modelPath, r1csPath } = folder;
  const digests = await Promise.all([modelPath, r1csPath].map((path) => fileSha256(path).catch(unreadable(path))));
  const system = synthesise(program);
  const made = [integerOnnx(program), r1csBytes(system)].map((bytes) => bytesToHex(sha256(bytes)));
  if (digests[0] !== made[0] || made[0] !== model.modelSha256 || digests[1] !== made[1]) {
    throw new StunError(
      'STUN_MODEL_MANIFEST',
      `${MODEL_FILES.model} or ${MODEL_FILES.r1cs} is not what the integer program gives`,
    );
  }
  if (folder.constraints !== system.rows.length || folder.wires !== system.wireCount) {
    throw new StunError('STUN_MODEL_MANIFEST', 'the manifest states another number of constraints or wires than the circuit has');
  }
  return made[1]!;
}

function unreadable(path: string) {
  return (cause: unknown): never => {
    throw new StunError('STUN_FILE', `${path} cannot be read`, { cause });
  };
}

/**
 * Verifies a finished ceremony of a compiled model and writes the folder with its key; it appears whole or not at all.
 * @param share - told how far the longer steps have come
 * @returns the names of the model under its new key
 * @throws `STUN_MODEL_ADOPTED` for a folder that has a ceremony's key; `STUN_FILE`, `STUN_MODEL_MANIFEST`; `STUN_CEREMONY_TRANSCRIPT` for a transcript of another key
 *   or one that says something else than the key; `STUN_CEREMONY_CIRCUIT` for a key or transcript of another circuit; `STUN_CEREMONY_KEY_FORMAT` for the
 *   development key; and what `verifyFinished` throws
 */
export async function adoptKey(request: AdoptionRequest, share: StepShare): Promise<ModelIdentity> {
  const { keyPath, powersPath, table, setup, outDirectory } = request;
  const transcript = parseTranscript(request.transcript);
  const compiled = await readCompiledFolder(request.folder);
  if (compiled.model.setup !== 'development') {
    throw new StunError('STUN_MODEL_ADOPTED', `the key in ${request.folder} is of a ${compiled.model.setup} already`);
  }
  const keySha256 = await fileSha256(keyPath).catch(unreadable(keyPath));
  if (keySha256 === compiled.zkeySha256) {
    throw new StunError(
      'STUN_CEREMONY_KEY_FORMAT',
      `${keyPath} is the development key of the folder, which nobody contributed to`,
    );
  }
  assertTranscriptOf(transcript, await assertMadeFromProgram(compiled), keySha256);
  return writeWholeFolder(outDirectory, async (scratch) => {
    const path = (kind: keyof typeof MODEL_FILES): string => join(scratch, MODEL_FILES[kind]);
    for (const kind of ['model', 'program', 'r1cs'] as const) await copyFile(join(request.folder, MODEL_FILES[kind]), path(kind));
    // What is verified is the copy, which nobody changes afterwards.
    await copyFile(keyPath, path('zkey'));
    const verified = await verifyFinished({ r1csPath: path('r1cs'), powersPath, table }, path('zkey'), share);
    if (transcriptText(verified) !== request.transcript) {
      throw new StunError('STUN_CEREMONY_TRANSCRIPT', 'the transcript says something else than the key');
    }
    const key = await readVerificationKey(path('zkey'));
    const vkHash = vkHashOf(key);
    const manifest = manifestWithKey(compiled.manifest, { vkHash, setup });
    const ceremonyHash = fromHex(transcriptHashOf(request.transcript), 32);
    const identity = identityOf(vkHash, manifest, ceremonyHash, await readFile(path('zkey')));
    await writeFile(path('manifest'), manifest);
    await writeFile(path('verificationKey'), `${JSON.stringify(key, null, 1)}\n`);
    await writeFile(path('transcript'), request.transcript);
    await writeFile(path('identity'), `${JSON.stringify(identity, null, 2)}\n`);
    return identity;
  });
}
