/**
 * Handwritten digits: 10,000 images of the MNIST database, 28 by 28 pixels of 0..1, from the package `mnist`, which is there for training and
 * tests alone. The last images of each digit are kept away from training.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../credit-model/random.ts';

/** Rows and columns of an image. */
export const SIDE = 28;
/** Pixels of an image. */
export const PIXELS = SIDE * SIDE;
/** Images of each digit that no training sees. */
const UNSEEN_OF_EACH = 150;

/** One image, row after row, and what it shows. */
export interface Digit {
  readonly pixels: Float64Array;
  readonly label: number;
}

function imagesOf(digit: number): Digit[] {
  const folder = dirname(fileURLToPath(import.meta.resolve('mnist')));
  const { data } = JSON.parse(readFileSync(join(folder, 'digits', `${digit}.json`), 'utf8')) as { data: number[] };
  return Array.from({ length: Math.floor(data.length / PIXELS) }, (_, i) => ({
    pixels: Float64Array.from(data.slice(i * PIXELS, (i + 1) * PIXELS), Math.fround),
    label: digit,
  }));
}

/** All images: those for training and calibration, and the unseen ones, each shuffled the same way on every run. */
export function loadDigits(): { readonly training: readonly Digit[]; readonly unseen: readonly Digit[] } {
  const [training, unseen]: [Digit[], Digit[]] = [[], []];
  for (let digit = 0; digit < 10; digit++) {
    const images = imagesOf(digit);
    training.push(...images.slice(0, -UNSEEN_OF_EACH));
    unseen.push(...images.slice(-UNSEEN_OF_EACH));
  }
  const shuffled = (digits: readonly Digit[]): Digit[] => {
    const order = Uint32Array.from(digits, (_, i) => i);
    new SeededRandom(28).shuffle(order);
    return Array.from(order, (i) => digits[i]!);
  };
  return { training: shuffled(training), unseen: shuffled(unseen) };
}

/** An image moved by whole pixels; what comes in is background. */
export function moved(pixels: Float64Array, down: number, right: number): Float64Array {
  const out = new Float64Array(PIXELS);
  for (let row = Math.max(0, down); row < Math.min(SIDE, SIDE + down); row++)
    for (let column = Math.max(0, right); column < Math.min(SIDE, SIDE + right); column++)
      out[row * SIDE + column] = pixels[(row - down) * SIDE + column - right]!;
  return out;
}
