/** A QR as a PNG: the base64 image that the contract's `qrCode` is. */
import { crc32, deflateSync } from 'node:zlib'
import { encode } from 'uqr'

/** Pixels per module: 4 is sharp on a phone and small on the wire. */
const scale = 4
const quietZone = 4

/** The QR of `text` as a PNG in base64, without the `data:` prefix. One bit per pixel, about 1 KB. */
export function qrImage(text: string): string {
  // A fixed mask is a valid one for any text; trying all eight costs eight times as much.
  const { data, size } = encode(text, { ecc: 'M', boostEcc: false, border: quietZone, maskPattern: 2 })
  const side = size * scale
  const bytesPerRow = Math.ceil(side / 8)
  const raw = Buffer.alloc((bytesPerRow + 1) * side)
  data.forEach((modules, y) => {
    const row = Buffer.alloc(bytesPerRow + 1)
    modules.forEach((dark, x) => {
      if (!dark) for (let pixel = x * scale; pixel < (x + 1) * scale; pixel++) setBit(row, pixel)
    })
    for (let line = 0; line < scale; line++) row.copy(raw, (y * scale + line) * row.length)
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

/** The first byte of a row names its filter (0, none); a set bit is white. */
function setBit(row: Buffer, pixel: number): void {
  const at = 1 + (pixel >> 3)
  row[at] = (row[at] ?? 0) | (0x80 >> (pixel & 7))
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(content.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
