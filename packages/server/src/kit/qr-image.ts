/** A QR as a PNG: the base64 image that the contract's `qrCode` is. */
import { crc32, deflateSync } from 'node:zlib'
import encodeQr from 'qr'

/** Pixels per module: 4 is sharp on a phone and small on the wire, and makes a module half a byte. */
const scale = 4
const quietZone = 4

/** The QR of `text` as a PNG in base64, without the `data:` prefix. One bit per pixel, about 1 KB. */
export function qrImage(text: string): string {
  const modules = qrModules(text, quietZone)
  const side = modules.length * scale
  const rowBytes = 1 + Math.ceil(side / 8)
  const raw = Buffer.alloc(rowBytes * side)
  modules.forEach((row, y) => {
    const at = y * scale * rowBytes
    // The first byte of a row names its filter (0, none); a set bit is white.
    row.forEach((dark, x) => {
      const byte = at + 1 + (x >> 1)
      if (!dark) raw[byte] = (raw[byte] ?? 0) | (x & 1 ? 0x0f : 0xf0)
    })
    for (let line = 1; line < scale; line++) raw.copy(raw, at + line * rowBytes, at, at + rowBytes)
  })
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 1
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const parts = [
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]
  return Buffer.concat(parts).toString('base64')
}

/** The modules of the QR of `text`, row by row, dark ones true, with a light border of `border` modules (0: none). */
export function qrModules(text: string, border: number): boolean[][] {
  // A fixed mask is a valid one for any text; trying all eight costs eight times as much.
  const modules = encodeQr(text, 'raw', { ecc: 'medium', border: border || 1, mask: 2 })
  // The library draws no code without a border.
  return border > 0 ? modules : modules.slice(1, -1).map((row) => row.slice(1, -1))
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(content.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
