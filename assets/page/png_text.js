// A text chunk in a PNG file (PNG, third edition, 11.3.3.4: iTXt), which picture programs show as a property.
const TABLE = Uint32Array.from({ length: 256 }, (_, start) => {
  let value = start;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

const checksum = (bytes) => {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
};

const chunk = (keyword, text) => {
  const body = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`); // not packed, no language, no translation
  const bytes = new Uint8Array(body.length + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length - 4);
  bytes.set(body, 4);
  view.setUint32(body.length + 4, checksum(body));
  return bytes;
};

const HEADER = 33; // signature and the first chunk, which must come first

// A PNG file (Blob) with a text under a keyword.
export const withText = async (file, keyword, text) =>
  new Blob([file.slice(0, HEADER), chunk(keyword, text), file.slice(HEADER)], { type: 'image/png' });
