/**
 * Where each check of RIM documents comes from. docs/attestation.md lists the same, and a test holds the two equal.
 *
 * RIM is TCG "Reference Integrity Manifest (RIM) Information Model", version 1.01; XML-DSIG is W3C "XML Signature Syntax and Processing
 * Version 1.1"; C14N is W3C "Canonical XML Version 1.1"; NVT is NVIDIA/nvtrust, `guest_tools/gpu_verifiers/local_gpu_verifier`.
 */
import type { RimCheckId, rimKinds } from '../../checks.ts';

const ofEach = {
  'cert-chain': 'RFC 5280, section 6.1; chains of RIM documents of NVIDIA; NVT module rim',
  'cert-expired': 'RFC 5280, section 6.1.3',
  signature: 'XML-DSIG, section 3.2.2; RFC 9231, section 2.3.6',
  digest: 'XML-DSIG, section 3.2.1; C14N, section 2',
  version: 'RIM, section 4.1, colloquialVersion; NVT module rim',
  measurement: 'NVT module verifier, golden against runtime measurements',
} as const;

function sourcesOf(kind: (typeof rimKinds)[number]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(ofEach).map(([check, source]) => [`rim-${kind}-${check}`, source]));
}

/** Document and place of each check. */
export const rimCheckSources = {
  'rim-format': 'RIM, section 4; XML-DSIG, section 4; W3C XML 1.0 and Namespaces in XML 1.0',
  ...sourcesOf('driver'),
  ...sourcesOf('vbios'),
  'rim-index-owner': 'NVT module verifier, golden measurements of driver and VBIOS',
  'rim-ocsp': 'RFC 6960, sections 3.2 and 4.2.2; NVT module rim, OCSP of its certificates',
} as { readonly [Id in RimCheckId]: string };
