import { createHash } from "node:crypto";

// Mach-O for 64 bits, little-endian (loader.h), and its signatures, big-endian (cs_blobs.h), as Apple publishes them.
const MH_MAGIC_64 = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const headerSize = 32;
const superBlobMagic = 0xfade0cc0;
const codeDirectoryMagic = 0xfade0c02;
/** The version whose directory tells of the executable segment. */
const codeDirectoryVersion = 0x20400;
const codeDirectorySize = 88;
const adHoc = 0x2;
const mainBinary = 1n;
const sha256Type = 2;
const sha256Size = 32;
const pageBits = 12;
const pageSize = 1 << pageBits;

interface Places {
  /** Of the command that says where the signature is. */
  signatureCommand: number;
  linkEdit: number;
  textSize: bigint;
}

/**
 * The same program for macOS with an ad-hoc signature: whose pages match, in nobody's name. Bun 1.4.5 signs what it
 * compiles for arm64 and leaves on x64 the signature of its own executable, which no longer matches; macOS ends such a
 * program when it begins (measured: 75 pages differ). Throws where it is none, or has no place for a signature.
 */
export function signedAdHoc(program: Buffer, identifier: string): Buffer {
  const places = placesIn(program);
  const codeLimit = program.readUInt32LE(places.signatureCommand + 8);
  const pages = Math.ceil(codeLimit / pageSize);
  const name = Buffer.from(`${identifier}\0`);
  const directorySize = codeDirectorySize + name.length + pages * sha256Size;
  const blobHeader = 20;
  const signed = Buffer.alloc(codeLimit + blobHeader + directorySize);
  program.copy(signed, 0, 0, codeLimit);
  resize(signed, places, codeLimit, blobHeader + directorySize);
  writeWords(signed, codeLimit, [superBlobMagic, blobHeader + directorySize, 1, 0, blobHeader]);
  const at = codeLimit + blobHeader;
  const hashOffset = codeDirectorySize + name.length;
  const hashing = (sha256Size << 24) | (sha256Type << 16) | pageBits;
  // Magic, length, version, flags, hashes, identifier, special slots, slots, limit, how it is hashed; then nothing of
  // what a team or a scattered file would say, up to where the executable segment begins.
  const words = [
    codeDirectoryMagic,
    directorySize,
    codeDirectoryVersion,
    adHoc,
    hashOffset,
    codeDirectorySize,
  ];
  writeWords(signed, at, [...words, 0, pages, codeLimit, hashing]);
  signed.writeBigUInt64BE(places.textSize, at + 72);
  signed.writeBigUInt64BE(mainBinary, at + 80);
  name.copy(signed, at + codeDirectorySize);
  for (let page = 0; page < pages; page++) {
    const bytes = signed.subarray(page * pageSize, Math.min((page + 1) * pageSize, codeLimit));
    createHash("sha256")
      .update(bytes)
      .digest()
      .copy(signed, at + hashOffset + page * sha256Size);
  }
  return signed;
}

/** What the header says of the size has to be right before it is hashed. */
function resize(
  signed: Buffer,
  { signatureCommand, linkEdit }: Places,
  codeLimit: number,
  size: number,
): void {
  signed.writeUInt32LE(size, signatureCommand + 12);
  const fileSize = BigInt(codeLimit + size) - signed.readBigUInt64LE(linkEdit + 40);
  const page = BigInt(pageSize);
  signed.writeBigUInt64LE(((fileSize + page - 1n) / page) * page, linkEdit + 32);
  signed.writeBigUInt64LE(fileSize, linkEdit + 48);
}

function placesIn(program: Buffer): Places {
  if (program.length < headerSize || program.readUInt32LE(0) !== MH_MAGIC_64)
    throw new Error("this is no 64-bit program for macOS");
  let signatureCommand: number | undefined;
  const segments = new Map<string, number>();
  let at = headerSize;
  for (let left = program.readUInt32LE(16); left > 0; left--) {
    const command = program.readUInt32LE(at);
    if (command === LC_CODE_SIGNATURE) signatureCommand = at;
    if (command === LC_SEGMENT_64)
      segments.set(program.toString("latin1", at + 8, at + 24).replace(/\0+$/, ""), at);
    at += program.readUInt32LE(at + 4);
  }
  const linkEdit = segments.get("__LINKEDIT");
  const text = segments.get("__TEXT");
  if (signatureCommand === undefined || linkEdit === undefined || text === undefined)
    throw new Error("this program for macOS has no place for a signature");
  return { signatureCommand, linkEdit, textSize: program.readBigUInt64LE(text + 48) };
}

function writeWords(buffer: Buffer, at: number, words: readonly number[]): void {
  for (const [index, word] of words.entries()) buffer.writeUInt32BE(word >>> 0, at + index * 4);
}
