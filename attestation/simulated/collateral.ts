/** The collateral of simulated hardware: TCB Info, QE identity and CRLs, signed by the simulated authorities. */
import { toHex, utf8 } from '#protocol/bytes.ts';
import type { IntelCollateralJson } from '../intel/collateral.ts';
import { encodePem } from '../x509/pem.ts';
import type { CrlSpec } from './certificates.ts';
import { keyId, makeCrl } from './certificates.ts';
import type { AuthorityChanges, SimulatedPki } from './pki.ts';
import { makeAuthorityCertificates, simulatedNames } from './pki.ts';

/** The simulated platform family, `SIM` in ASCII, and its PCE. */
export const simulatedFmspc = '53494D000001';
export const simulatedPceId = '0000';
/** SVNs of a simulated platform that is up to date. */
export const currentSvns = {
  components: [5, 5, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 13,
  /** Module SVN 5, module major version 1, microcode 7. */
  teeTcb: [5, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  qeIsvSvn: 8,
} as const;
/** SVNs one level below: the platform, the module and the QE each have an OutOfDate level for them. */
export const outdatedSvns = {
  components: [4, 4, 2, 2, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0],
  pceSvn: 11,
  teeTcb: [3, 1, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  qeIsvSvn: 4,
} as const;
export const simulatedQe = { mrSigner: 'dc'.repeat(32), attributes: '11'.padEnd(32, '0'), isvProdId: 2 } as const;

const validitySeconds = 30 * 86_400;
const outdatedAdvisory = 'STUN-SIMULATED-SA-00001';

/** A JSON document before it is signed; tests change it. */
export type MutableDocument = Record<string, unknown>;

/** Changes to the collateral, for evidence that must be refused. A changed text is signed as it is returned. */
export interface CollateralChanges extends AuthorityChanges {
  readonly tcbInfo?: (document: MutableDocument) => MutableDocument | string;
  readonly qeIdentity?: (document: MutableDocument) => MutableDocument | string;
  readonly rootCrl?: Partial<CrlSpec>;
  readonly pckCrl?: Partial<CrlSpec>;
}

function iso(unix: number): string {
  return new Date(unix * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

function dates(atUnix: number): MutableDocument {
  return { issueDate: iso(atUnix - 3600), nextUpdate: iso(atUnix - 3600 + validitySeconds), tcbEvaluationDataNumber: 18 };
}

function components(svns: readonly number[]): readonly { readonly svn: number }[] {
  return svns.map((svn) => ({ svn }));
}

function platformLevel(
  svns: typeof currentSvns | typeof outdatedSvns,
  tcbDate: string,
  tcbStatus: string,
  advisoryIDs: readonly string[],
): MutableDocument {
  const tdx = [svns.teeTcb[0], 0, ...svns.teeTcb.slice(2)];
  return {
    tcb: { sgxtcbcomponents: components(svns.components), pcesvn: svns.pceSvn, tdxtcbcomponents: components(tdx) },
    tcbDate,
    tcbStatus,
    ...(advisoryIDs.length === 0 ? {} : { advisoryIDs }),
  };
}

const currentDate = '2024-11-13T00:00:00Z';
const outdatedDate = '2023-08-09T00:00:00Z';
const moduleIdentity = { mrsigner: '0'.repeat(96), attributes: '0'.repeat(16), attributesMask: 'F'.repeat(16) };

/** TCB Info of the simulated platform family. */
export function simulatedTcbInfo(atUnix: number): MutableDocument {
  return {
    id: 'TDX',
    version: 3,
    ...dates(atUnix),
    fmspc: simulatedFmspc,
    pceId: simulatedPceId,
    tcbType: 0,
    tdxModule: moduleIdentity,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...moduleIdentity,
        tcbLevels: [
          { tcb: { isvsvn: currentSvns.teeTcb[0] }, tcbDate: currentDate, tcbStatus: 'UpToDate' },
          { tcb: { isvsvn: outdatedSvns.teeTcb[0] }, tcbDate: outdatedDate, tcbStatus: 'OutOfDate' },
        ],
      },
    ],
    tcbLevels: [
      platformLevel(currentSvns, currentDate, 'UpToDate', []),
      platformLevel(outdatedSvns, outdatedDate, 'OutOfDate', [outdatedAdvisory]),
    ],
  };
}

/** TCB Info of the simulated platform family for SGX, in version 2 or 3. */
export function simulatedSgxTcbInfo(atUnix: number, version: 2 | 3 = 3): MutableDocument {
  const level = (svns: typeof currentSvns | typeof outdatedSvns, tcbDate: string, tcbStatus: string): MutableDocument => ({
    tcb:
      version === 3
        ? { sgxtcbcomponents: components(svns.components), pcesvn: svns.pceSvn }
        : { ...numberedComponents(svns.components), pcesvn: svns.pceSvn },
    tcbDate,
    tcbStatus,
    ...(tcbStatus === 'UpToDate' || version === 2 ? {} : { advisoryIDs: [outdatedAdvisory] }),
  });
  return {
    ...(version === 3 ? { id: 'SGX' } : {}),
    version,
    ...dates(atUnix),
    fmspc: simulatedFmspc,
    pceId: simulatedPceId,
    tcbType: 0,
    tcbLevels: [level(currentSvns, currentDate, 'UpToDate'), level(outdatedSvns, outdatedDate, 'OutOfDate')],
  };
}

function numberedComponents(svns: readonly number[]): MutableDocument {
  return Object.fromEntries(svns.map((svn, i) => [`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`, svn]));
}

/** QE identity of the simulated quoting enclave of a kind. */
export function simulatedQeIdentity(atUnix: number, kind: 'tdx' | 'sgx' = 'tdx'): MutableDocument {
  return {
    id: kind === 'tdx' ? 'TD_QE' : 'QE',
    version: 2,
    ...dates(atUnix),
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: simulatedQe.attributes,
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: simulatedQe.mrSigner,
    isvprodid: simulatedQe.isvProdId,
    tcbLevels: [
      { tcb: { isvsvn: currentSvns.qeIsvSvn }, tcbDate: currentDate, tcbStatus: 'UpToDate' },
      { tcb: { isvsvn: outdatedSvns.qeIsvSvn }, tcbDate: outdatedDate, tcbStatus: 'OutOfDate' },
    ],
  };
}

function hex(bytes: Uint8Array): string {
  return toHex(bytes).slice(2);
}

function text(document: MutableDocument, change: ((document: MutableDocument) => MutableDocument | string) | undefined): string {
  const changed = change === undefined ? document : change(document);
  return typeof changed === 'string' ? changed : JSON.stringify(changed);
}

/**
 * Makes the collateral of simulated hardware, valid from an hour before `atUnix` for 30 days.
 * @param revokedPcks - serials of PCK certificates that the platform CA revoked
 * @param kind - the kind of quotes that the collateral is for
 */
export function makeSimulatedCollateral(
  pki: SimulatedPki,
  atUnix: number,
  revokedPcks: readonly Uint8Array[] = [],
  changes: CollateralChanges = {},
  kind: 'tdx' | 'sgx' = 'tdx',
): IntelCollateralJson {
  const certificates = makeAuthorityCertificates(pki, changes);
  const crl = (issuer: string, publicKey: Uint8Array, revokedSerials: readonly Uint8Array[]): CrlSpec => ({
    issuer,
    thisUpdateUnix: atUnix - 3600,
    nextUpdateUnix: atUnix - 3600 + validitySeconds,
    revokedSerials,
    authorityKeyId: keyId(publicKey),
    crlNumber: 1,
    extensions: [],
  });
  const rootCrl = makeCrl({ ...crl(simulatedNames.root, pki.rootKey.publicKey, []), ...changes.rootCrl }, pki.rootKey);
  const pckCrl = makeCrl(
    { ...crl(simulatedNames.platformCa, pki.platformCaKey.publicKey, revokedPcks), ...changes.pckCrl },
    pki.platformCaKey,
  );
  const tcbInfo = text(kind === 'tdx' ? simulatedTcbInfo(atUnix) : simulatedSgxTcbInfo(atUnix), changes.tcbInfo);
  const qeIdentity = text(simulatedQeIdentity(atUnix, kind), changes.qeIdentity);
  const signingChain = encodePem(certificates.tcbSigning) + encodePem(certificates.root);
  return Object.freeze({
    pck_crl_issuer_chain: encodePem(certificates.platformCa) + encodePem(certificates.root),
    root_ca_crl: hex(rootCrl),
    pck_crl: hex(pckCrl),
    tcb_info_issuer_chain: signingChain,
    tcb_info: tcbInfo,
    tcb_info_signature: hex(pki.tcbSigningKey.sign(utf8(tcbInfo))),
    qe_identity_issuer_chain: signingChain,
    qe_identity: qeIdentity,
    qe_identity_signature: hex(pki.tcbSigningKey.sign(utf8(qeIdentity))),
  });
}
