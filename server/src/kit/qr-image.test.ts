/** The image of a QR is the QR. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { encode } from 'uqr'
import { qrImage } from './qr-image.ts'

describe('the QR image', () => {
  test('is a PNG whose pixels are the modules of the payload', () => {
    const text = '00020101021226580014br.gov.bcb.pix'
    const png = Buffer.from(qrImage(text), 'base64')
    assert.equal(png.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n')
    const side = png.readUInt32BE(16)
    const start = png.indexOf('IDAT')
    const raw = inflateSync(png.subarray(start + 4, start + 4 + png.readUInt32BE(start - 4)))
    const { data, size } = encode(text, { ecc: 'M', boostEcc: false, border: 4, maskPattern: 2 })
    assert.equal(side, size * 4)
    const row = Math.ceil(side / 8) + 1
    assert.equal(raw.length, row * side)
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const white = ((raw[y * row + 1 + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) !== 0
        assert.equal(white, !data[y >> 2]?.[x >> 2], `pixel ${x},${y}`)
      }
    }
  })
})
