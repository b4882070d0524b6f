/** How a window slides over channels of rows and columns: the geometry that convolution and pooling share. */

/** A window over a tensor [channels, height, width]; pairs are rows first, then columns. */
export interface Sliding {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly kernel: readonly [rows: number, columns: number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Rows and columns of padding. */
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
}

/** Stands for a tap that lies in the padding. */
export const OUTSIDE = -1;

/** Rows and columns of what a window makes; below 1 when it does not fit. */
export function slidSize({ height, width, kernel, strides, dilations, pads }: Sliding): readonly [rows: number, columns: number] {
  const size = (extent: number, axis: 0 | 1): number =>
    Math.floor((extent + pads[axis] + pads[axis + 2]! - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis]) + 1;
  return [size(height, 0), size(width, 1)];
}

/** Taps of each position, row after row: places within one channel, or {@link OUTSIDE}. */
export function tapsOf(sliding: Sliding): number[][] {
  const { height, width, kernel, strides, dilations, pads } = sliding;
  const [rows, columns] = slidSize(sliding);
  const taps: number[][] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const window: number[] = [];
      for (let i = 0; i < kernel[0]; i++)
        for (let j = 0; j < kernel[1]; j++) {
          const [y, x] = [row * strides[0] - pads[0] + i * dilations[0], column * strides[1] - pads[1] + j * dilations[1]];
          window.push(y < 0 || y >= height || x < 0 || x >= width ? OUTSIDE : y * width + x);
        }
      taps.push(window);
    }
  return taps;
}

/** The windows of all channels, channel after channel, without taps in the padding: places in the whole tensor. */
export function windowsOf(sliding: Sliding): number[][] {
  const taps = tapsOf(sliding);
  const plane = sliding.height * sliding.width;
  return Array.from({ length: sliding.channels }, (_, channel) =>
    taps.map((window) => window.filter((tap) => tap !== OUTSIDE).map((tap) => channel * plane + tap)),
  ).flat();
}
