/** The order of NVIDIA's version texts: parts between dots, drivers in decimal digits, VBIOSes in hexadecimal digits. */

/** Whether a text is a version: 2 to 6 parts of 1 to 4 digits. Case does not matter. */
export function isVersion(text: string): boolean {
  return /^[0-9a-f]{1,4}(?:\.[0-9a-f]{1,4}){1,5}$/i.test(text);
}

/**
 * Whether a version comes before another, part by part; missing parts count as zero. A text that is no version comes before all.
 * Digits are read as hexadecimal: among decimal parts that keeps their order.
 */
export function isVersionBelow(version: string, floor: string): boolean {
  if (!isVersion(version)) return true;
  const parts = (text: string): readonly number[] => text.split('.').map((part) => Number.parseInt(part, 16));
  const [own, least] = [parts(version), parts(floor)];
  for (let i = 0; i < Math.max(own.length, least.length); i++) {
    const difference = (own[i] ?? 0) - (least[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
