/** The image of a QR is the QR. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inflateSync } from 'node:zlib'
import decodeQr from 'qr/decode.js'
import { qrImage, qrModules } from './qr-image.ts'

type Pixels = { side: number; isWhite(x: number, y: number): boolean }

function readPng(text: string): Pixels {
  const png = Buffer.from(qrImage(text), 'base64')
  assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n')
  const side = png.readUInt32BE(16)
  const start = png.indexOf('IDAT')
  const raw = inflateSync(png.subarray(start + 4, start + 4 + png.readUInt32BE(start - 4)))
  const row = Math.ceil(side / 8) + 1
  assert.equal(raw.length, row * side)
  return { side, isWhite: (x, y) => ((raw[y * row + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) !== 0 }
}

describe('the QR image', () => {
  // The second one has an odd number of modules to a byte, and letters beyond ASCII.
  for (const text of ['00020101021226580014br.gov.bcb.pix', 'x'.repeat(150), 'São Paulo']) {
    test(`is a PNG whose pixels are the modules of ${text.slice(0, 20)}`, () => {
      const { side, isWhite } = readPng(text)
      const modules = qrModules(text, 4)
      assert.equal(side, modules.length * 4)
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) assert.equal(isWhite(x, y), !modules[y >> 2]?.[x >> 2], `pixel ${x},${y}`)
    })

    test(`is read by a scanner as ${text.slice(0, 20)}`, () => {
      const { side, isWhite } = readPng(text)
      const data = new Uint8Array(side * side * 4)
      for (let pixel = 0; pixel < side * side; pixel++) {
        data.fill(isWhite(pixel % side, Math.floor(pixel / side)) ? 255 : 0, pixel * 4, pixel * 4 + 3)
        data[pixel * 4 + 3] = 255
      }
      assert.equal(decodeQr({ width: side, height: side, data }), text)
    })
  }
})
