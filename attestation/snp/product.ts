/**
 * AMD's product lines: which CPUs belong to them, and how each lays out its TCB version.
 * Source: "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860), TCB_VERSION and the CPUID fields of the report;
 * "Versioned Chip Endorsement Key (VCEK) Certificate and KDS Interface Specification" (AMD 57230) for the names.
 */
import type { SnpProduct } from '../trust/roots.ts';
import { snpProducts } from '../trust/roots.ts';

/** Components of a TCB version. Only Turin has an FMC; elsewhere it is 0. */
export const tcbComponents = ['fmc', 'bootloader', 'tee', 'snp', 'microcode'] as const;
export type TcbComponent = (typeof tcbComponents)[number];

/** A TCB version: one security patch level, 0 to 255, for each component. */
export type SnpTcb = { readonly [Component in TcbComponent]: number };

type Layout = { readonly [Component in TcbComponent]: number | null };
const untilGenoa: Layout = { fmc: null, bootloader: 0, tee: 1, snp: 6, microcode: 7 };
const layouts: { readonly [Product in SnpProduct]: Layout } = {
  Milan: untilGenoa,
  Genoa: untilGenoa,
  Turin: { fmc: 0, bootloader: 1, tee: 2, snp: 3, microcode: 7 },
};

/**
 * Reads a TCB version in the layout of a product line.
 * @param bytes - 8 bytes as they stand in the report
 * @returns the version, or null when a byte that the layout reserves is not zero
 */
export function readSnpTcb(bytes: Uint8Array, product: SnpProduct): SnpTcb | null {
  const layout = layouts[product];
  const used = new Set<number | null>(tcbComponents.map((component) => layout[component]));
  if (bytes.some((byte, offset) => byte !== 0 && !used.has(offset))) return null;
  const level = (component: TcbComponent): number => {
    const offset = layout[component];
    return offset === null ? 0 : (bytes[offset] ?? 0);
  };
  return Object.freeze({
    fmc: level('fmc'),
    bootloader: level('bootloader'),
    tee: level('tee'),
    snp: level('snp'),
    microcode: level('microcode'),
  });
}

/** Writes a TCB version in the layout of a product line: 8 bytes. */
export function encodeSnpTcb(tcb: SnpTcb, product: SnpProduct): Uint8Array {
  const bytes = new Uint8Array(8);
  for (const component of tcbComponents) {
    const offset = layouts[product][component];
    if (offset !== null) bytes[offset] = tcb[component];
  }
  return bytes;
}

/** The first component in which `tcb` is lower than `floor`, or null when none is. */
export function componentBelow(tcb: SnpTcb, floor: SnpTcb): TcbComponent | null {
  return tcbComponents.find((component) => tcb[component] < floor[component]) ?? null;
}

/**
 * The product line of a CPU, from the CPUID fields of a report of version 3 or later.
 * Genoa's line includes the models A0h to AFh (Bergamo, Siena): their VCEKs say "Genoa" too.
 */
export function productOfCpuid(family: number, model: number): SnpProduct | null {
  if (family === 0x19 && model <= 0x0f) return 'Milan';
  if (family === 0x19 && ((model >= 0x10 && model <= 0x1f) || (model >= 0xa0 && model <= 0xaf))) return 'Genoa';
  if (family === 0x1a && model <= 0x11) return 'Turin';
  return null;
}

/** The product line of a certificate's productName, `Milan`, `Genoa` or `Turin` with or without a stepping: `Milan-B0`. */
export function productOfName(name: string): SnpProduct | null {
  const stem = /^([A-Za-z]+)(?:-[A-Z][0-9])?$/.exec(name)?.[1];
  return snpProducts.find((product) => product === stem) ?? null;
}
