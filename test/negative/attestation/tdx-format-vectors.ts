/** Negative vectors of quote version 5, of certification data that is no chain, and of TDs that should be relaunched. */
import { concatBytes } from '#protocol/bytes.ts';
import { simulatedTcbInfo } from '#attestation/simulated/collateral.ts';
import type { SimulatedTdxOptions } from '#attestation/simulated/simulated-tdx.ts';
import { assessMachine, assessWith, atUnix, machine, policyWith, reportData } from '../../unit/attestation/simulated-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

const vectors: NegativeVector[] = [];
function add(check: NegativeVector['check'], code: NegativeVector['code'], name: string, run: NegativeVector['run']): void {
  vectors.push({ check, code, name, run });
}

/** An accepted quote of version 5, with bytes replaced: its descriptor is at 48, its size at 50. */
const fifth = machine({ quoteVersion: 5, bodyType: 4 });
const patched = (offset: number, ...bytes: readonly number[]): ReturnType<NegativeVector['run']> => {
  const quote = fifth.quote(reportData);
  quote.set(bytes, offset);
  return assessWith({ quote });
};
add('quote-format', 'STUN_QUOTE_BODY_TYPE', 'quote of version 5 with body type 5', () => patched(48, 5));
add('quote-format', 'STUN_QUOTE_BODY_TYPE', 'TDX quote of version 5 with an enclave report', () => patched(48, 1));
add('quote-format', 'STUN_QUOTE_FORMAT', 'descriptor with a size that its body type does not have', () => patched(50, 0x74));
add('quote-format', 'STUN_QUOTE_TEE_TYPE', 'TDX quote of version 3', () => {
  const quote = machine().quote(reportData);
  quote[0] = 3;
  return assessWith({ quote });
});
add('quote-format', 'STUN_QUOTE_CERTIFICATION_DATA', 'chain outside certification data of type 6', () => {
  const quote = machine().quote(reportData);
  quote[632 + 4 + 128] = 5;
  return assessWith({ quote });
});
add('quote-format', 'STUN_QUOTE_CERTIFICATION_DATA', 'plain PPID that is a byte too long', () =>
  assessMachine({
    certificationType: 1,
    quoteChanges: {
      certification: (data) => (data.type === 1 ? { ...data, ppid: concatBytes(data.ppid, Uint8Array.of(0)) } : data),
    },
  }),
);
add('quote-signature', 'STUN_QUOTE_SIGNATURE', 'TD report 1.5 Ex with another TD id', () => {
  const quote = fifth.quote(reportData);
  quote[54 + 648 + 1] = 1;
  return assessWith({ quote });
});

// Certification data
const withType = (certificationType: 1 | 2 | 3 | 4, options: Partial<SimulatedTdxOptions>): ReturnType<NegativeVector['run']> =>
  assessMachine({ certificationType, ...options });
for (const type of [1, 2, 3] as const) {
  add('pck-chain', 'STUN_PCK_MISSING', `certification data of type ${type} without the chain`, () => {
    const { collateral } = machine({ certificationType: type });
    const { pck_certificate_chain: _left, ...rest } = collateral;
    return assessMachine({ certificationType: type }, { collateral: rest });
  });
}
add('pck-chain', 'STUN_CHAIN_LENGTH', 'two certificates in certification data of type 4', () =>
  withType(4, {
    quoteChanges: { certification: (data) => (data.type === 4 ? { type: 4, leafPem: data.leafPem + data.leafPem } : data) },
  }),
);
add('pck-extension', 'STUN_PCK_MISMATCH', 'PPID of another platform in certification data', () =>
  withType(1, { quoteChanges: { certification: (data) => (data.type === 1 ? { ...data, ppid: new Uint8Array(16) } : data) } }),
);
add('pck-extension', 'STUN_PCK_MISMATCH', 'PCEID of another platform in certification data', () =>
  withType(3, {
    quoteChanges: { certification: (data) => (data.type === 3 ? { ...data, pceId: Uint8Array.of(1, 0) } : data) },
  }),
);
add('qe-report-signature', 'STUN_QE_REPORT_SIGNATURE', 'chain of another platform for an encrypted PPID', () => {
  const other = machine({ certificationType: 2, ppid: new Uint8Array(16).fill(9) }).collateral;
  return assessMachine({ certificationType: 2 }, { collateral: other });
});

// TEE_TCB_SVN2: the TD was launched on an older module than the one that runs now.
const svn = (...head: number[]): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => head[i] ?? 0);
const relaunched = (status: string): ReturnType<NegativeVector['run']> =>
  assessMachine(
    {
      quoteVersion: 5,
      bodyType: 3,
      quoteChanges: { body: { teeTcbSvn: svn(3, 1, 7), teeTcbSvn2: svn(5, 1, 7) } },
      collateralChanges: {
        tcbInfo: () =>
          JSON.stringify(simulatedTcbInfo(atUnix)).replace(
            /"tcbStatus":"UpToDate"\},\{"tcb":\{"sgx/,
            `"tcbStatus":"${status}"},{"tcb":{"sgx`,
          ),
      },
    },
    { policy: policyWith({ tcbStatuses: ['UpToDate', 'OutOfDate', 'OutOfDateConfigurationNeeded'] }) },
  );
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'TD that should be relaunched', () => relaunched('UpToDate'));
add('policy-tcb-status', 'STUN_POLICY_TCB_STATUS', 'TD that should be relaunched and needs configuration', () =>
  relaunched('ConfigurationNeeded'),
);
add('policy-tcb-status', 'STUN_POLICY_TCB_NOT_SUPPORTED', 'module that is below every level now', () =>
  assessMachine({ quoteVersion: 5, bodyType: 3, quoteChanges: { body: { teeTcbSvn2: svn(1, 1, 7) } } }),
);

export const tdxFormatVectors: readonly NegativeVector[] = vectors;
