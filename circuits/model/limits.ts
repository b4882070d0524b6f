/** How large a model may be that is compiled: what keeps a hostile file from taking all memory before anything else refuses it. */

/** Elements of one value, at most. */
export const MAX_WIDTH = 1 << 20;

/** Products of one step over windows, at most. */
export const MAX_PRODUCTS = 1 << 25;

/** Splits above a leaf of a tree, at most. */
export const MAX_TREE_DEPTH = 64;
