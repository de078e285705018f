/** Bytes of a `struct page`: one line. */
const STRUCT_PAGE_BYTES = 64;
/** Memory pages whose struct pages have lines of their own here; further ones share them. */
const PAGES = 1 << 20;

/**
 * References that mappings hold on memory pages, for strict-ish semantics: "an additional page reference should be gotten at dma_map time
 * and put back at the completion of the IOMMU flush routine". A page on which a reference is left does not go back to a free list.
 */
export class PageReferences {
  /** Bytes of the struct pages' region. */
  static readonly bytes = PAGES * STRUCT_PAGE_BYTES;
  private readonly counts = new Map<number, number>();
  /** Hears of pages whose last reference was put. */
  released: (frame: number) => void = () => {};

  /** @param base address of the struct pages */
  constructor(private readonly base: number) {}

  /** Address of a page's count. */
  address(frame: number): number {
    return this.base + (frame % PAGES) * STRUCT_PAGE_BYTES;
  }

  /** `get_page` */
  get(frame: number): void {
    this.counts.set(frame, (this.counts.get(frame) ?? 0) + 1);
  }

  /** `put_page`. @throws Error where there is no reference to put */
  put(frame: number): void {
    const left = (this.counts.get(frame) ?? 0) - 1;
    if (left < 0) throw new Error(`memory page ${frame} has no reference to put`);
    if (left > 0) this.counts.set(frame, left);
    else {
      this.counts.delete(frame);
      this.released(frame);
    }
  }

  /** Whether a mapping, or a flush that is not complete, holds the page. */
  held(frame: number): boolean {
    return this.counts.has(frame);
  }
}
