/**
 * One negative vector per check and code of NVIDIA's reports: evidence that differs from accepted evidence in one thing, signed over again
 * wherever the change lies inside something signed. docs/attestation.md lists the same rows.
 */
import { encodeGpuReport, parseGpuReport } from '#attestation/index.ts';
import type { CheckId, GpuInput, GpuPolicy } from '#attestation/index.ts';
import { keyId } from '#attestation/simulated/certificates.ts';
import { derOctets } from '#attestation/simulated/der-writer.ts';
import { compositeDeviceId, diceTcbInfo, simulatedFwid } from '#attestation/simulated/simulated-gpu.ts';
import type { GpuChanges } from '#attestation/simulated/simulated-gpu.ts';
import type { OcspSpec } from '#attestation/simulated/ocsp-writer.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { encodePem, parsePemChain } from '#attestation/x509/pem.ts';
import { toHex, utf8 } from '#protocol/bytes.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { atUnix, flipped } from '../../unit/attestation/simulated-fixture.ts';
import {
  acceptedChain,
  acceptedGpuReport,
  acceptedOcsp,
  assessGpuChanged,
  assessGpuMachine,
  assessGpuWith,
  assessGpuWithRims,
  gpu,
  gpuPki,
  gpuPolicyWith,
  otherGpuPki,
  pdi,
} from '../../unit/attestation/gpu-fixture.ts';
import { acceptedRimOcsp, rimOcspWith } from '../../unit/attestation/rim-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

type Outcome = ReturnType<NegativeVector['run']>;
const vectors: NegativeVector[] = [];
function add(check: CheckId, code: ErrorCode, name: string, run: () => Outcome): void {
  vectors.push({ check, code, name, run });
}

const changed = (changes: GpuChanges): Outcome => assessGpuChanged(changes);
/** The accepted report with bytes written into it; what is checked here is checked before the signature. */
const written = (offset: number, ...bytes: readonly number[]): Outcome => {
  const report = acceptedGpuReport.slice();
  report.set(bytes, offset);
  return assessGpuWith({ report });
};
const judged = (changes: Partial<GpuPolicy>, input: Partial<GpuInput> = {}): Outcome =>
  assessGpuWith({ policy: gpuPolicyWith(changes), ...input });
/** The accepted chain with its certificates in other places, or others in their places. */
const chained = (rearrange: (ders: readonly Uint8Array[]) => readonly (Uint8Array | undefined)[]): Outcome =>
  assessGpuWith({
    chain: rearrange(parsePemChain(acceptedChain))
      .map((der) => encodePem(der ?? new Uint8Array(0)))
      .join(''),
  });
const skipped = { skip: 'no floor' };
const floors = { hopper: skipped, blackwell: skipped, ls10: skipped };
const unknownCritical = { id: '1.2.3.4', critical: true, value: derOctets(Uint8Array.of(1)) };
const deviceKey = gpuPki.deviceKey('device', pdi).publicKey;
const fwidOf = (...extensions: readonly ReturnType<typeof compositeDeviceId>[]): GpuChanges => ({
  certificates: { firmware: { extensions } },
});

// report-format
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'report cut by one byte', () =>
  assessGpuWith({ report: acceptedGpuReport.subarray(0, -1) }),
);
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'report that asks for one measurement', () => written(3, 1));
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'response for another slot', () => written(40, 1));
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'number of blocks that is one too small', () => written(41, 63));
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'measurement record that is one byte too short', () => written(42, 0xbf));
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'block 2 in the place of block 1', () => written(45, 2));
add('report-format', 'STUN_GPU_REPORT_FORMAT', 'opaque field that comes twice', () => {
  const fields = parseGpuReport(acceptedGpuReport);
  return assessGpuWith({ report: encodeGpuReport({ ...fields, opaque: [...fields.opaque, ...fields.opaque.slice(0, 1)] }) });
});
add('report-format', 'STUN_GPU_REPORT_VERSION', 'request of SPDM 1.2', () => written(0, 0x12));
add('report-format', 'STUN_GPU_REPORT_VERSION', 'response of SPDM 1.0', () => written(37, 0x10));

// chain-format
add('chain-format', 'STUN_PEM_FORMAT', 'chain with text after it', () => assessGpuWith({ chain: `${acceptedChain}x` }));
add('chain-format', 'STUN_DER_FORMAT', 'certificate with a byte after its end', () =>
  chained((ders) => ders.map((der, place) => (place === 0 ? Uint8Array.of(...der, 0) : der))),
);
add('chain-format', 'STUN_CERTIFICATE_FORMAT', 'firmware certificate with an unknown critical extension', () =>
  changed(fwidOf(compositeDeviceId(deviceKey, simulatedFwid), unknownCritical)),
);

// chain
add('chain', 'STUN_CHAIN_LENGTH', 'chain without its root', () => chained((ders) => ders.slice(0, -1)));
add('chain', 'STUN_CHAIN_LENGTH', 'chain with the root twice', () => chained((ders) => [...ders, ders[4]]));
add('chain', 'STUN_ROOT_UNTRUSTED', 'root that is not in the store', () => assessGpuWith({ roots: [otherGpuPki.root] }));
add('chain', 'STUN_ROOT_UNTRUSTED', 'root that is trusted for reference values alone', () =>
  assessGpuWith({ roots: [{ ...gpuPki.root, purpose: 'rim' }] }),
);
for (const [place, name] of ['firmware', 'device', 'provisioner', 'identity', 'root'].entries())
  add('chain', 'STUN_CHAIN_SIGNATURE', `${name} certificate with another signature`, () =>
    chained((ders) => ders.map((der, i) => (i === place ? flipped(der, der.length - 1) : der))),
  );

// chain-names
add('chain-names', 'STUN_CHAIN_NAMES', 'firmware certificate of an unknown chip', () =>
  changed({ certificates: { firmware: { subject: 'GH200 A01 GSP FMC LF' } } }),
);
add('chain-names', 'STUN_CHAIN_NAMES', 'device certificate of another chip', () =>
  changed({ certificates: { device: { subject: 'GB100 A01 GSP BROM' }, firmware: { issuer: 'GB100 A01 GSP BROM' } } }),
);
add('chain-names', 'STUN_CHAIN_NAMES', 'provisioner of another chip', () =>
  changed({
    certificates: {
      provisioner: { subject: 'NVIDIA GB100 Provisioner ICA 1' },
      device: { issuer: 'NVIDIA GB100 Provisioner ICA 1' },
    },
    ocsp: { device: { issuer: 'NVIDIA GB100 Provisioner ICA 1' } },
  }),
);
add('chain-names', 'STUN_CHAIN_NAMES', 'firmware certificate that names another issuer', () =>
  changed({ certificates: { firmware: { issuer: 'GH100 A02 GSP BROM' } } }),
);

// chain-constraints
const constrained = (certificates: GpuChanges['certificates'], name: string): void =>
  add('chain-constraints', 'STUN_CHAIN_CONSTRAINTS', name, () => changed(certificates === undefined ? {} : { certificates }));
constrained({ firmware: { isCa: true } }, 'firmware certificate that is an authority');
constrained({ firmware: { keyUsage: [1] } }, 'firmware certificate without digitalSignature');
constrained({ device: { isCa: false } }, 'device certificate that is no authority');
constrained({ device: { keyUsage: [0] } }, 'device certificate without keyCertSign');
constrained({ identity: { pathLength: 1 } }, 'identity CA with a path length of 1');
constrained({ firmware: { authorityKeyId: new Uint8Array(20) } }, 'firmware certificate with another authority key identifier');

// certificate-dates
for (const place of ['firmware', 'device', 'provisioner', 'identity', 'root'] as const) {
  add('certificate-dates', 'STUN_CERTIFICATE_EXPIRED', `${place} certificate that ended a second ago`, () =>
    changed({ certificates: { [place]: { notAfterUnix: atUnix - 1 } } }),
  );
  add('certificate-dates', 'STUN_CERTIFICATE_NOT_YET_VALID', `${place} certificate that begins in a second`, () =>
    changed({ certificates: { [place]: { notBeforeUnix: atUnix + 1 } } }),
  );
}

// architecture, fwid, device-identity
add('architecture', 'STUN_GPU_ARCHITECTURE', 'report of a Blackwell GPU under a chain of Hopper', () =>
  changed({ opaque: { gpuInfo: Uint8Array.of(0xa0, 1, 0, 0) } }),
);
add('architecture', 'STUN_GPU_ARCHITECTURE', 'report that claims no known architecture', () =>
  changed({ opaque: { gpuInfo: null } }),
);
add('architecture', 'STUN_GPU_ARCHITECTURE', 'report of another chip of the same architecture', () =>
  changed({ opaque: { chipInfo: utf8('GH200\0') } }),
);
add('fwid', 'STUN_GPU_FWID', 'report with another FWID', () => changed({ opaque: { fwid: new Uint8Array(48) } }));
add('fwid', 'STUN_GPU_FWID', 'certificate without a FWID', () => changed(fwidOf()));
add('fwid', 'STUN_GPU_FWID', 'certificate with a FWID in both forms', () =>
  changed(fwidOf(compositeDeviceId(deviceKey, simulatedFwid), diceTcbInfo([simulatedFwid], null))),
);
add('fwid', 'STUN_GPU_FWID', 'composite device id of another device', () =>
  changed(fwidOf(compositeDeviceId(gpuPki.authorityKey('root').publicKey, simulatedFwid))),
);
add('fwid', 'STUN_GPU_FWID', 'composite device id of version 2', () =>
  changed(fwidOf(compositeDeviceId(deviceKey, simulatedFwid, 2))),
);
add('fwid', 'STUN_GPU_FWID', 'FWID of 47 bytes', () => changed(fwidOf(compositeDeviceId(deviceKey, simulatedFwid.subarray(1)))));
add('fwid', 'STUN_GPU_FWID', 'DiceTcbInfo without a FWID', () =>
  assessGpuMachine({ architecture: 'blackwell', changes: fwidOf(diceTcbInfo([], 0x80)) }),
);
add('device-identity', 'STUN_GPU_DEVICE_IDENTITY', 'device certificate with a serial of 8 bytes', () =>
  changed({ certificates: { device: { serial: pdi } }, ocsp: { device: { serial: pdi } } }),
);
const ls10 = gpuPolicyWith({ architectures: ['ls10'], modes: ['ppcie'] });
add('device-identity', 'STUN_GPU_DEVICE_IDENTITY', 'report of another switch', () =>
  assessGpuMachine({ architecture: 'ls10', changes: { opaque: { pdis: new Uint8Array(8).fill(7) } } }, { policy: ls10 }),
);

// report-signature, nonce
add('report-signature', 'STUN_GPU_REPORT_SIGNATURE', 'report with another measurement', () =>
  assessGpuWith({ report: flipped(acceptedGpuReport, 60) }),
);
add('report-signature', 'STUN_GPU_REPORT_SIGNATURE', 'report with a signature of zeros', () =>
  written(acceptedGpuReport.length - 96, ...new Array<number>(96).fill(0)),
);
add('nonce', 'STUN_GPU_NONCE', 'report that was asked for with another nonce', () =>
  assessGpuWith({ report: gpu().report(new Uint8Array(32).fill(0xc4)) }),
);

// ocsp
const answered = (device: Partial<OcspSpec>): Outcome => changed({ ocsp: { device } });
const responder = gpuPki.responderKey('provisioner').publicKey;
const responderWith = (change: Partial<OcspSpec['responder']>): Outcome =>
  answered({
    responder: {
      serial: keyId(responder),
      subject: 'STUN simulated OCSP responder',
      issuer: 'NVIDIA GH100 Provisioner ICA 1',
      notBeforeUnix: atUnix - 1000,
      notAfterUnix: atUnix + 1000,
      publicKey: responder,
      isCa: false,
      pathLength: null,
      keyUsage: [0],
      subjectKeyId: keyId(responder),
      authorityKeyId: keyId(gpuPki.authorityKey('provisioner').publicKey),
      extensions: [],
      ...change,
    },
  });
add('ocsp', 'STUN_DER_FORMAT', 'OCSP response with a byte after its end', () =>
  assessGpuWith({ ocsp: acceptedOcsp.map((der) => Uint8Array.of(...der, 0)) }),
);
add('ocsp', 'STUN_OCSP_FORMAT', 'OCSP response that says tryLater', () => answered({ answer: 3 }));
add('ocsp', 'STUN_CERTIFICATE_FORMAT', 'responder with an unknown critical extension', () =>
  responderWith({ extensions: [unknownCritical] }),
);
add('ocsp', 'STUN_OCSP_RESPONDER', 'responder without the purpose OCSPSigning', () =>
  answered({ purposes: ['1.3.6.1.5.5.7.3.1'] }),
);
add('ocsp', 'STUN_OCSP_RESPONDER', 'responder without a purpose', () => answered({ purposes: null }));
add('ocsp', 'STUN_OCSP_RESPONDER', 'responder of another authority', () =>
  responderWith({ issuer: 'NVIDIA GB100 Provisioner ICA 1' }),
);
add('ocsp', 'STUN_OCSP_RESPONDER', 'responder that is an authority', () => responderWith({ isCa: true }));
add('ocsp', 'STUN_OCSP_RESPONDER', 'responder that ended a second ago', () => responderWith({ notAfterUnix: atUnix - 1 }));
add('ocsp', 'STUN_OCSP_RESPONDER', 'responder that begins in a second', () => responderWith({ notBeforeUnix: atUnix + 1 }));
add('ocsp', 'STUN_OCSP_RESPONDER', 'OCSP response that names another responder than its certificate', () =>
  answered({ responderKeyId: new Uint8Array(20) }),
);
add('ocsp', 'STUN_OCSP_SIGNATURE', 'OCSP response that another key signed', () =>
  responderWith({ publicKey: gpuPki.responderKey('root').publicKey }),
);
add('ocsp', 'STUN_OCSP_EXPIRED', 'OCSP response that ended a second ago', () => answered({ nextUpdateUnix: atUnix - 1 }));
add('ocsp', 'STUN_OCSP_NOT_YET_VALID', 'OCSP response that begins in a second', () => answered({ thisUpdateUnix: atUnix + 1 }));
for (const place of ['device', 'provisioner', 'identity'] as const)
  add('ocsp', 'STUN_CERTIFICATE_REVOKED', `${place} certificate that is revoked`, () =>
    changed({ ocsp: { [place]: { status: { revokedAtUnix: atUnix - 5, reason: 1 } } } }),
  );

// policy
add('policy-kind', 'STUN_POLICY_KIND', 'policy without GPUs', () =>
  assessGpuWith({ policy: { ...gpuPolicyWith({}), nvidia: null } }),
);
add('policy-simulated', 'STUN_POLICY_SIMULATED', 'simulated GPU under the default policy', () =>
  assessGpuWith({ policy: { ...gpuPolicyWith({}), allowSimulated: false } }),
);
add('policy-architecture', 'STUN_POLICY_GPU_ARCHITECTURE', 'switch, which is not named', () =>
  assessGpuMachine({ architecture: 'ls10' }, { policy: gpuPolicyWith({ modes: ['ppcie'] }) }),
);
add('policy-nonce', 'STUN_POLICY_GPU_NONCE', 'report without a nonce to hold it against', () => assessGpuWith({ nonce: null }));
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'evidence without OCSP responses', () => assessGpuWith({ ocsp: [] }));
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'OCSP responses about other certificates', () =>
  assessGpuWith({ ocsp: gpu({ pki: otherGpuPki }).ocsp }),
);
add('policy-revocation', 'STUN_POLICY_REVOCATION', 'OCSP response that does not know the certificate', () =>
  answered({ status: 'unknown' }),
);
add('policy-hold', 'STUN_POLICY_GPU_HOLD', 'certificate on hold', () =>
  answered({ status: { revokedAtUnix: atUnix - 5, reason: 6 } }),
);
add('policy-hold', 'STUN_POLICY_GPU_HOLD', 'signer of the reference values on hold', () =>
  assessGpuWithRims(rimOcspWith({ signer: { status: { revokedAtUnix: atUnix - 5, reason: 6 } } })),
);
add('policy-rim', 'STUN_POLICY_GPU_RIM', 'evidence without reference values', () => assessGpuWith({ policy: simulatedPolicy }));
add('policy-rim-revocation', 'STUN_POLICY_REVOCATION', 'reference values without OCSP responses', () => assessGpuWithRims([]));
for (const [i, name] of ['signer', 'L3', 'CA of the chip'].entries())
  add('policy-rim-revocation', 'STUN_POLICY_REVOCATION', `reference values without an OCSP response about the ${name}`, () =>
    assessGpuWithRims(acceptedRimOcsp.toSpliced(i, 1)),
  );
add('policy-rim-revocation', 'STUN_POLICY_REVOCATION', 'OCSP response that does not know a signer of reference values', () =>
  assessGpuWithRims(rimOcspWith({ signer: { status: 'unknown' } })),
);
for (const [flag, name] of [
  [0x40, 'not secure'],
  [0x20, 'in recovery'],
  [0x10, 'in debug mode'],
] as const)
  add('policy-debug', 'STUN_POLICY_DEBUG', `Blackwell that says that it is ${name}`, () =>
    assessGpuMachine({ architecture: 'blackwell', changes: fwidOf(diceTcbInfo([simulatedFwid], flag)) }),
  );
add('policy-mode', 'STUN_POLICY_GPU_MODE', 'protected PCIe, which is not named', () =>
  changed({ opaque: { featureFlag: Uint8Array.of(2, 0), protectedPcieStatus: Uint8Array.of(0xaa) } }),
);
add('policy-mode', 'STUN_POLICY_GPU_MODE', 'report that does not say the mode', () =>
  changed({ opaque: { featureFlag: null, protectedPcieStatus: null } }),
);
add('policy-driver', 'STUN_POLICY_GPU_VERSION', 'driver below the floor', () => judged({ minDriverVersion: '570.124.07' }));
add('policy-driver', 'STUN_POLICY_GPU_VERSION', 'report without a driver version', () =>
  assessGpuChangedUnder({ opaque: { driverVersion: null } }, { minDriverVersion: '1.0' }),
);
add('policy-vbios', 'STUN_POLICY_GPU_VERSION', 'VBIOS below the floor', () =>
  judged({ minVbiosVersions: { ...floors, hopper: '96.00.A0.00.00' } }),
);
add('policy-firmware', 'STUN_POLICY_GPU_FIRMWARE', 'first firmware that is not named', () =>
  judged({ firmwareIds: [toHex(new Uint8Array(48))] }),
);
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'GPU on the deny list', () => judged({ deniedHardwareIds: [toHex(pdi)] }));
add('policy-hardware', 'STUN_POLICY_HARDWARE', 'GPU outside the list of admitted ones', () =>
  judged({ hardwareIds: ['0x0000000000000001'] }),
);

function assessGpuChangedUnder(changes: GpuChanges, policy: Partial<GpuPolicy>): Outcome {
  return assessGpuMachine({ changes }, { policy: gpuPolicyWith(policy) });
}

/** All negative vectors of NVIDIA's reports. */
export const gpuNegativeVectors: readonly NegativeVector[] = vectors;
