/** Every field of a TDX or SGX quote and its collateral, with what it means. For people who want to look before they verify. */
import { parseIntelCollateral, parseIntelQuote } from '#attestation/index.ts';
import type { CertificationData, EnclaveReport, IntelQuote, TdReportField } from '#attestation/index.ts';
import { toHex } from '#protocol/bytes.ts';
import { describeIntelCollateral } from './evidence-intel-fields.ts';
import type { EvidenceBytes } from './evidence-source.ts';

/** One field. */
export interface DescribedField {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

const bodyMeanings: { readonly [Field in TdReportField]: string } = {
  teeTcbSvn: 'TEE_TCB_SVN: byte 0 is the SVN of the TDX module, byte 1 its major version, the rest the platform',
  mrSeam: 'MRSEAM: measurement of the TDX module',
  mrSignerSeam: 'MRSIGNERSEAM: signer of the TDX module, zero for Intel',
  seamAttributes: 'SEAMATTRIBUTES: must be zero',
  tdAttributes:
    'TD attributes: bit 0 DEBUG, bit 28 SEPT_VE_DISABLE, bit 29 MIGRATABLE, bit 30 PKS, bit 31 KL, bit 63 PERFMON (little-endian)',
  xfam: 'XFAM: processor state that the TD may use',
  mrTd: 'MRTD: measurement of the initial TD image',
  mrConfigId: 'MRCONFIGID: set by the host at creation',
  mrOwner: 'MROWNER: owner of the TD, set by the host',
  mrOwnerConfig: 'MROWNERCONFIG: configuration of the owner, set by the host',
  rtMr0: 'RTMR0: firmware configuration, extended at run time',
  rtMr1: 'RTMR1: kernel and boot loader, extended at run time',
  rtMr2: 'RTMR2: operating system, extended at run time',
  rtMr3: 'RTMR3: application, extended at run time',
  reportData: 'REPORTDATA: what the TD put in; here the binding of keyset and nonce',
  teeTcbSvn2: 'TEE_TCB_SVN2: as TEE_TCB_SVN, but of the TDX module that runs now',
  mrServiceTd: 'MRSERVICETD: measurement of the service TDs bound to this one, zero without any',
  vmId: 'VM id inside a partitioned TD',
  tdId: 'TD identifier',
  devInfo: 'DEVINFO: measurement of the devices bound to the TD',
  initServTdHash: 'service TDs at the initialisation of the TD',
  initServTdAttributes: 'attributes of the service TDs at the initialisation',
  initCpuSvn: 'CPU SVN at the initialisation of the TD',
  initTeeTcbSvn: 'TEE_TCB_SVN at the initialisation of the TD',
  initTeeFmspc: 'platform family at the initialisation of the TD',
  curServTdHash: 'service TDs now',
  curServTdAttributes: 'attributes of the service TDs now',
};

const bodyNames = { 1: 'SGX enclave report', 2: 'TD report 1.0', 3: 'TD report 1.5', 4: 'TD report 1.5 Ex' } as const;

function field(name: string, value: string | number, meaning: string): DescribedField {
  return { name, value: String(value), meaning };
}

/** The fields of the enclave that an SGX quote is about. */
function describeEnclave(report: EnclaveReport): readonly DescribedField[] {
  return [
    field('body.cpuSvn', toHex(report.cpuSvn), 'CPU SVN under which the enclave runs'),
    field('body.miscSelect', toHex(report.miscSelect), 'MISCSELECT: what else is saved when the enclave is left'),
    field(
      'body.attributes',
      toHex(report.attributes),
      'ATTRIBUTES: bit 0 INIT, bit 1 DEBUG, bit 2 64-bit; then XFRM (little-endian)',
    ),
    field('body.mrEnclave', toHex(report.mrEnclave), 'MRENCLAVE: measurement of the enclave'),
    field('body.mrSigner', toHex(report.mrSigner), 'MRSIGNER: SHA-256 of the key that signed the enclave'),
    field('body.isvProdId', report.isvProdId, 'ISVPRODID: product number, given by the signer'),
    field('body.isvSvn', report.isvSvn, 'ISVSVN: security version, given by the signer'),
    field('body.reportData', toHex(report.reportData), 'REPORTDATA: what the enclave put in'),
  ];
}

function describeBody(quote: IntelQuote): readonly DescribedField[] {
  const { body, header } = quote;
  const where = header.version === 5 ? 'named by the descriptor inside the signed bytes' : 'as the TEE type says';
  const type = field('body.type', `${body.type}: ${bodyNames[body.type]}`, where);
  if (body.type === 1) return [type, ...describeEnclave(body.report)];
  const fields = Object.entries(body.report).map(([name, bytes]) =>
    field(`body.${name}`, toHex(bytes), bodyMeanings[name as TdReportField]),
  );
  return [type, ...fields];
}

function describeCertification(data: CertificationData): readonly DescribedField[] {
  switch (data.type) {
    case 1:
    case 2:
    case 3:
      return [
        field('certification.type', data.type, 'names the PCK certificate without carrying it'),
        data.type === 1
          ? field('certification.ppid', toHex(data.ppid), 'PPID: identity of the platform')
          : field('certification.encryptedPpid', toHex(data.encryptedPpid), 'PPID, encrypted for Intel'),
        field('certification.cpuSvn', toHex(data.cpuSvn), 'CPU SVN when the PCK key signed'),
        field('certification.pceSvn', data.pceSvn, 'PCE SVN when the PCK key signed'),
        field('certification.pceId', toHex(data.pceId), 'held against the PCK certificate'),
      ];
    case 4:
      return [field('certification.type', 4, 'the PCK certificate alone')];
    case 5:
      return [field('certification.type', 5, 'the PCK certificate chain')];
  }
}

/**
 * Lists the fields of a quote and its collateral.
 * @throws the code of the parser when one of them cannot be read
 */
export function describeSource(source: EvidenceBytes): readonly DescribedField[] {
  const quote = parseIntelQuote(source.quote);
  const collateral = parseIntelCollateral(source.collateral);
  const { header, qeReport } = quote;
  return [
    field('header.version', header.version, 'version of the quote format'),
    field('header.attestationKeyType', header.attestationKeyType, '2: ECDSA with P-256'),
    field('header.teeType', `0x${header.teeType.toString(16)}`, '0x0: SGX, 0x81: TDX'),
    field('header.svns', toHex(header.svns), 'SVNs of quoting and provisioning enclave; not used by the verdict'),
    field('header.qeVendorId', toHex(header.qeVendorId), "Intel's quoting enclave"),
    field('header.userData', toHex(header.userData), 'free for the quoting enclave'),
    ...describeBody(quote),
    field('signature', toHex(quote.signature), 'by the attestation key over header and body, r||s'),
    field('attestationKey', toHex(quote.attestationKey), 'P-256 key of the quoting enclave, x||y'),
    field('qeReport.cpuSvn', toHex(qeReport.cpuSvn), 'CPU SVN of the quoting enclave'),
    field('qeReport.miscSelect', toHex(qeReport.miscSelect), 'held against the QE identity'),
    field('qeReport.attributes', toHex(qeReport.attributes), 'held against the QE identity'),
    field('qeReport.mrEnclave', toHex(qeReport.mrEnclave), 'measurement of the quoting enclave'),
    field('qeReport.mrSigner', toHex(qeReport.mrSigner), 'held against the QE identity'),
    field('qeReport.isvProdId', qeReport.isvProdId, 'held against the QE identity'),
    field('qeReport.isvSvn', qeReport.isvSvn, 'decides the QE part of the TCB status'),
    field('qeReport.reportData', toHex(qeReport.reportData), 'SHA-256(attestation key || authentication data) and 32 zeros'),
    field('qeReportSignature', toHex(quote.qeReportSignature), 'by the PCK key over the QE report, r||s'),
    field('qeAuthData', toHex(quote.qeAuthData), 'authentication data of the quoting enclave'),
    ...describeCertification(quote.certification),
    field('trailingBytes', quote.trailingBytes, 'bytes after the quote; padding, never read'),
    ...describeIntelCollateral(quote, collateral),
  ];
}
