/** What Intel certified and published about the platform of a quote, field by field: PCK chain and extension, CRLs, TCB Info, QE identity. */
import type { IntelCollateral, IntelQuote } from '#attestation/index.ts';
import { assemblePckChain } from '#attestation/intel/pck-chain.ts';
import { parsePckExtension } from '#attestation/intel/pck-extension.ts';
import type { QeIdentity } from '#attestation/intel/qe-identity.ts';
import type { DatedDocument, IsvLevel, TcbInfo } from '#attestation/intel/tcb-info.ts';
import type { Certificate } from '#attestation/x509/certificate.ts';
import { toHex } from '#protocol/bytes.ts';
import type { DescribedField } from './evidence-fields.ts';

function field(name: string, value: string | number, meaning: string): DescribedField {
  return { name, value: String(value), meaning };
}

function time(unix: number): string {
  return new Date(unix * 1000).toISOString();
}

function describeChain(name: string, chain: readonly Certificate[]): readonly DescribedField[] {
  return chain.map(({ subject, serialHex, notBeforeUnix, notAfterUnix }, i) =>
    field(`${name}[${i}]`, `${subject.commonName}, serial ${serialHex}`, `valid ${time(notBeforeUnix)} to ${time(notAfterUnix)}`),
  );
}

function describePck(chain: readonly Certificate[]): readonly DescribedField[] {
  const [leaf] = chain;
  if (leaf === undefined) return [field('pckChain', 'absent', 'without it nobody says whose platform this is')];
  const pck = parsePckExtension(leaf);
  const { platformInstanceId } = pck;
  return [
    ...describeChain('pckChain', chain),
    field('pck.ppid', toHex(pck.ppid), 'PPID: identity of the platform'),
    field('pck.fmspc', toHex(pck.fmspc), 'FMSPC: platform family; the TCB Info must be about it'),
    field('pck.pceId', toHex(pck.pceId), 'PCEID: provisioning enclave; the TCB Info must be about it'),
    field('pck.componentSvns', pck.componentSvns.join(' '), 'SVNs of the 16 SGX TCB components that the certificate is for'),
    field('pck.pceSvn', pck.pceSvn, 'SVN of the provisioning enclave that the certificate is for'),
    field('pck.cpuSvn', toHex(pck.cpuSvn), 'CPU SVN that the certificate is for'),
    field(
      'pck.platformInstanceId',
      platformInstanceId === null ? 'absent' : toHex(platformInstanceId),
      'instance of a platform with several packages; absent under the Processor CA',
    ),
  ];
}

function describeDates(name: string, document: DatedDocument): readonly DescribedField[] {
  return [
    field(`${name}.issueDate`, time(document.issueDateUnix), 'from when Intel says this'),
    field(`${name}.nextUpdate`, time(document.nextUpdateUnix), 'until when it counts'),
    field(`${name}.tcbEvaluationDataNumber`, document.tcbEvaluationDataNumber, 'which recovery of the TCB it takes account of'),
  ];
}

/** A level's status, with its date and advisories. */
function statusOf({ status, tcbDateUnix, advisoryIds }: Omit<IsvLevel, 'isvSvn'> | TcbInfo['levels'][number]): string {
  return `${status}, of ${time(tcbDateUnix)}; advisories: ${advisoryIds.join(', ') || 'none'}`;
}

function describeIsvLevels(name: string, levels: readonly IsvLevel[]): readonly DescribedField[] {
  return levels.map((level, i) => field(`${name}.levels[${i}]`, `ISVSVN ${level.isvSvn}`, statusOf(level)));
}

function describeTcbInfo(info: TcbInfo): readonly DescribedField[] {
  const modules = info.kind === 'sgx' ? [] : [{ id: 'module', ...info.module, levels: [] }, ...info.moduleIdentities];
  return [
    field('tcbInfo.version', info.version, `TCB Info of ${info.kind.toUpperCase()}`),
    ...describeDates('tcbInfo', info),
    field('tcbInfo.fmspc', toHex(info.fmspc), 'platform family that it is about'),
    field('tcbInfo.pceId', toHex(info.pceId), 'provisioning enclave that it is about'),
    ...modules.flatMap(({ id, mrSigner, attributes, attributesMask, levels }) => [
      field(`tcbInfo.${id}.mrSigner`, toHex(mrSigner), 'signer that the TDX module must have'),
      field(`tcbInfo.${id}.attributes`, toHex(attributes), 'SEAMATTRIBUTES that it must have, under the mask'),
      field(`tcbInfo.${id}.attributesMask`, toHex(attributesMask), 'bits of them that count'),
      ...describeIsvLevels(`tcbInfo.${id}`, levels),
    ]),
    ...info.levels.map((level, i) => {
      const tdx = 'tdxComponentSvns' in level ? `, TDX ${level.tdxComponentSvns.join(' ')}` : '';
      const svns = `SGX ${level.sgxComponentSvns.join(' ')}, PCESVN ${level.pceSvn}${tdx}`;
      return field(`tcbInfo.levels[${i}]`, svns, statusOf(level));
    }),
  ];
}

function describeQeIdentity(identity: QeIdentity): readonly DescribedField[] {
  return [
    field('qeIdentity.kind', identity.kind, 'sgx: QE, tdx: TD_QE'),
    ...describeDates('qeIdentity', identity),
    field('qeIdentity.mrSigner', toHex(identity.mrSigner), 'signer that the quoting enclave must have'),
    field('qeIdentity.isvProdId', identity.isvProdId, 'product number that it must have'),
    field('qeIdentity.miscSelect', toHex(identity.miscSelect), 'MISCSELECT that it must have, under the mask'),
    field('qeIdentity.miscSelectMask', toHex(identity.miscSelectMask), 'bits of it that count'),
    field('qeIdentity.attributes', toHex(identity.attributes), 'ATTRIBUTES that it must have, under the mask'),
    field('qeIdentity.attributesMask', toHex(identity.attributesMask), 'bits of them that count'),
    ...describeIsvLevels('qeIdentity', identity.levels),
  ];
}

/**
 * Lists what stands beside a quote.
 * @throws the code of the parser when a part cannot be read
 */
export function describeIntelCollateral({ certification }: IntelQuote, collateral: IntelCollateral): readonly DescribedField[] {
  const { tcbInfo, qeIdentity, pckChain } = collateral;
  // A quote that only names its certificate may come without it.
  const isNamed = 'pceId' in certification && pckChain === null;
  const crls = [
    ['rootCaCrl', collateral.rootCaCrl],
    ['pckCrl', collateral.pckCrl],
  ] as const;
  return [
    ...describePck(isNamed ? [] : assemblePckChain(certification, collateral)),
    ...describeChain('pckCrlIssuerChain', collateral.pckCrlIssuerChain),
    ...crls.map(([name, crl]) =>
      crl === null
        ? field(name, 'absent', 'without it nothing is known of revocation')
        : field(name, `${crl.revokedSerials.size} revoked`, `valid ${time(crl.thisUpdateUnix)} to ${time(crl.nextUpdateUnix)}`),
    ),
    ...describeChain('tcbInfo.chain', tcbInfo.chain),
    ...describeTcbInfo(tcbInfo.content()),
    field('tcbInfo.signature', toHex(tcbInfo.signature), 'by the first certificate of its chain over the text, r||s'),
    field('tcbInfo.text', tcbInfo.text, 'TCB Info exactly as signed'),
    ...describeChain('qeIdentity.chain', qeIdentity.chain),
    ...describeQeIdentity(qeIdentity.content()),
    field('qeIdentity.signature', toHex(qeIdentity.signature), 'by the first certificate of its chain over the text, r||s'),
    field('qeIdentity.text', qeIdentity.text, 'QE identity exactly as signed'),
  ];
}
