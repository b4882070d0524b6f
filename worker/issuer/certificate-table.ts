/**
 * The certificate table that a SEV-SNP host hands its guests beside a report (`auxblob` of configfs-tsm): entries of a GUID, an offset
 * and a length, little-endian, ended by a GUID of zeros; the certificates lie where the entries say.
 * Source: "SEV-ES Guest-Hypervisor Communication Block Standardization" (AMD 56421), SNP Extended Guest Request; the GUIDs stand in the
 * table in the order in which they are written (RFC 9562). The host is not trusted: whoever verifies the evidence checks what is in it.
 */
import { StunError } from '#protocol/index.ts';

/** What a table can hold. A report is signed by the key of `vcek` or of `vlek`. */
export const tableGuids = {
  vcek: '63da758de6644564adc5f4b93be8accd',
  vlek: 'a8074bc2a25a483eaae639c045a0b8a1',
  ask: '4ab7b379bbac4fe4a02f05aef327c782',
  ark: 'c0b406a4a803495297433fb6014cd0ae',
  crl: '92f81bc358114d3d97ffd19f88dc67ea',
} as const;

/** The certificates of a table by name, DER. Entries of other GUIDs are left out. */
export type CertificateTable = { readonly [Name in keyof typeof tableGuids]?: Uint8Array };

const ENTRY_BYTES = 24;
const names = new Map<string, keyof typeof tableGuids>(
  Object.entries(tableGuids).map(([name, guid]) => [guid, name as keyof typeof tableGuids]),
);

/** Some hosts keep PEM in their tables. What is neither stays as it is: the verifier says so. */
function derOf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString('latin1');
  const body = /^-----BEGIN [A-Z0-9 ]+-----([A-Za-z0-9+/=\s]+)-----END [A-Z0-9 ]+-----\s*\0*$/.exec(text)?.[1];
  return body === undefined ? bytes : new Uint8Array(Buffer.from(body, 'base64'));
}

function refuse(reason: string): never {
  throw new StunError('STUN_CERTIFICATE_TABLE', reason);
}

/**
 * Reads a table. An empty one is legal: then the host has no certificates.
 * @throws `STUN_CERTIFICATE_TABLE` when it does not end, points outside itself or into its own entries, or names a certificate twice
 */
export function parseCertificateTable(bytes: Uint8Array): CertificateTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<keyof typeof tableGuids, readonly [offset: number, length: number]>();
  let end = 0;
  for (;;) {
    if (bytes.length === 0) break;
    if (end + ENTRY_BYTES > bytes.length) refuse('the table has no end');
    const guid = Buffer.from(bytes.subarray(end, end + 16)).toString('hex');
    const [offset, length] = [view.getUint32(end + 16, true), view.getUint32(end + 20, true)];
    end += ENTRY_BYTES;
    if (/^0+$/.test(guid)) break;
    if (offset + length > bytes.length) refuse(`an entry ends at byte ${offset + length} of ${bytes.length}`);
    const name = names.get(guid);
    if (name === undefined || length === 0) continue;
    if (found.has(name)) refuse(`the table holds ${name} twice`);
    found.set(name, [offset, length]);
  }
  return Object.fromEntries(
    [...found].map(([name, [offset, length]]) => {
      if (offset < end) refuse(`${name} lies among the entries of the table`);
      return [name, derOf(bytes.slice(offset, offset + length))];
    }),
  );
}
