/** Simulated SEV-SNP machines under one PKI, so that every test starts from the same accepted evidence. */
import { generateKeyPairSync } from 'node:crypto';
import { assessSnp } from '#attestation/index.ts';
import type { Policy, SnpAssessment, SnpEndorsementBytes, SnpPolicy, TrustRoot } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { createSimulatedSnp } from '#attestation/simulated/simulated-snp.ts';
import type { SimulatedSnp, SimulatedSnpOptions, SnpChanges } from '#attestation/simulated/simulated-snp.ts';
import { importSimulatedSnpPki, simulatedSnpPkiOf } from '#attestation/simulated/snp-pki.ts';
import { toHex } from '#protocol/bytes.ts';
import { observed } from './observed-inputs.ts';
import { atUnix, reportData } from './simulated-fixture.ts';

/** RSA keys of 4,096 bits take seconds: they are made once in a process, even where it loads the modules anew for every mutant. */
const kept = globalThis as { stunTestSnpKeys?: { readonly ark: Uint8Array; readonly ask: Uint8Array } };
const freshKey = (): Uint8Array =>
  generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey.export({ type: 'pkcs8', format: 'der' });
const { ark, ask } = (kept.stunTestSnpKeys ??= { ark: freshKey(), ask: freshKey() });

export const snpPki = importSimulatedSnpPki(JSON.stringify({ version: 1, ark: toHex(ark), ask: toHex(ask) }));
/** Another root with another authority: the same keys in each other's place. */
export const otherSnpPki = simulatedSnpPkiOf(snpPki.askKey, snpPki.arkKey);
export const chipId = Uint8Array.from({ length: 64 }, (_, i) => i + 1);

/** The fixed machine, with changes. */
export function snpMachine(options: Partial<SimulatedSnpOptions> = {}): SimulatedSnp {
  return createSimulatedSnp({ atUnix, pki: snpPki, chipId, ...options });
}

/** A policy for simulated hardware with changes in its SEV-SNP part. */
export function snpPolicyWith(changes: Partial<SnpPolicy>): Policy {
  if (simulatedPolicy.sevSnp === null) throw new RangeError('the simulated policy has a SEV-SNP part');
  return { ...simulatedPolicy, sevSnp: { ...simulatedPolicy.sevSnp, ...changes } };
}

const accepted = snpMachine();
/** The accepted report and endorsements that the changes start from. */
export const acceptedReport = accepted.report(reportData);
export const acceptedEndorsements = accepted.endorsements;

export interface SnpAssessChanges {
  readonly report?: Uint8Array;
  readonly endorsements?: SnpEndorsementBytes;
  readonly atUnix?: number;
  readonly roots?: readonly TrustRoot[];
  readonly policy?: Policy;
}

/** Assesses the accepted evidence with changes. */
export function assessSnpWith(changes: SnpAssessChanges): SnpAssessment {
  const start = {
    report: acceptedReport,
    endorsements: acceptedEndorsements,
    atUnix,
    roots: [accepted.root],
    policy: simulatedPolicy,
  };
  return assessSnp(observed('assessSnp', { ...start, ...changes }));
}

/** Assesses a machine made with other options. */
export function assessSnpMachine(options: Partial<SimulatedSnpOptions>, changes: SnpAssessChanges = {}): SnpAssessment {
  const made = snpMachine(options);
  return assessSnpWith({ report: made.report(reportData), endorsements: made.endorsements, roots: [made.root], ...changes });
}

/** Assesses the accepted machine, made over again with changes inside what is signed. */
export function assessSnpChanged(changes: SnpChanges, options: Partial<SimulatedSnpOptions> = {}): SnpAssessment {
  return assessSnpMachine({ ...options, changes });
}
