/** Blocks as the client's own node shows them. */
import { chainErrorOf } from '#chain/errors.ts';

/** A block's time. */
export interface SeenBlock {
  readonly number: number;
  readonly timestampUnix: number;
}

/** What of an ethers provider is needed; a provider is one. */
export interface BlockLookup {
  getBlock(tagOrHash: string): Promise<{ readonly number: number; readonly timestamp: number } | null>;
}

/** A block by hash or tag; undefined when the node does not know it. @throws `STUN_CHAIN_UNAVAILABLE` */
export async function block(blocks: BlockLookup, tagOrHash: string): Promise<SeenBlock | undefined> {
  try {
    const found = await blocks.getBlock(tagOrHash);
    return found === null ? undefined : { number: found.number, timestampUnix: found.timestamp };
  } catch (thrown) {
    throw chainErrorOf(thrown, 'reading a block');
  }
}
