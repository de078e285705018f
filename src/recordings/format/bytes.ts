/** Appends variable-length integers (LEB128: seven bits a byte, lowest first) to a growing buffer. */
export class ByteWriter {
  private buffer = new Uint8Array(1024);
  private used = 0;
  /** How many integers were written. */
  values = 0;

  /** Writes a whole number from 0 to 2^53 − 1. */
  unsigned(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`${value} is not a whole number of at most 53 bits`);
    if (this.used + 8 > this.buffer.length) {
      const grown = new Uint8Array(this.buffer.length * 2);
      grown.set(this.buffer);
      this.buffer = grown;
    }
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.buffer[this.used++] = (rest % 128) | 128;
    this.buffer[this.used++] = rest;
    this.values++;
  }

  /** Writes a whole number of either sign, zigzag-coded (0, −1, 1, −2 … become 0, 1, 2, 3 …). */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  bytes(): Uint8Array {
    return this.buffer.slice(0, this.used);
  }
}

/** Reads what {@link ByteWriter} wrote; calls `fail` with what is wrong. */
export class ByteReader {
  private at = 0;

  constructor(
    private readonly buffer: Uint8Array,
    private readonly fail: (what: string) => never,
  ) {}

  /** The next whole number, at most `max`. */
  unsigned(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let scale = 1, byte = 128; byte > 127; scale *= 128) {
      if (this.at >= this.buffer.length) return this.fail("ends too early");
      byte = this.buffer[this.at++];
      value += (byte & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) return this.fail("holds a number of more than 53 bits");
    }
    if (value > max) return this.fail(`holds ${value}; expected at most ${max}`);
    return value;
  }

  /** The next zigzag-coded whole number. */
  signed(): number {
    const value = this.unsigned();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /** Fails when bytes are left over. */
  finish(): void {
    if (this.at < this.buffer.length) this.fail(`has ${this.buffer.length - this.at} bytes left over`);
  }
}

const crcTable: ArrayLike<number> = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** The CRC-32 of IEEE 802.3 (as in zip and PNG), as eight hexadecimal digits. */
export function crc32(bytes: Uint8Array): string {
  let c = 0xffffffff;
  for (const byte of bytes) c = crcTable[(c ^ byte) & 255] ^ (c >>> 8);
  return ((c ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}

/** Base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x6000) text += String.fromCharCode(...bytes.subarray(i, i + 0x6000));
  return btoa(text);
}

/** Bytes of base64. @throws DOMException when it is not base64. */
export function fromBase64(text: string): Uint8Array {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
