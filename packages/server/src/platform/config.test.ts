/** Options: a flag wins over its variable, what is wrong is refused by name, secrets are not repeated. */
import assert from 'node:assert/strict'
import { isAbsolute } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { readConfig, serverOptions } from './config.ts'

const variables = [
  'PORT',
  'HOST',
  'DATABASE_URL',
  'PASARELA_DATA_DIR',
  'PASARELA_PUBLIC_URL',
  'PASARELA_MASTER_KEY',
  'LOG_LEVEL',
  'PASARELA_ROLE',
]

describe('readConfig', () => {
  const before = { ...process.env }
  beforeEach(() => {
    for (const name of variables) process.env[name] = ''
  })
  afterEach(() => {
    process.env = { ...before }
  })
  const read = (...args: string[]) => readConfig(args, serverOptions).config
  const refuses = (args: string[], reason: RegExp) => assert.throws(() => read(...args), reason)

  it('has a default for everything, and an empty variable is one that is not set', () => {
    const { dataDir, ...config } = read()
    assert.ok(isAbsolute(dataDir) && dataDir.endsWith('.pasarela'))
    assert.deepEqual(config, {
      port: 8080,
      host: '127.0.0.1',
      databaseUrl: undefined,
      publicUrl: undefined,
      logLevel: 'info',
      role: 'both',
      sandbox: false,
      masterKey: undefined,
    })
  })

  it('takes variables, and flags before them', () => {
    Object.assign(process.env, {
      PORT: '9000',
      LOG_LEVEL: 'warn',
      PASARELA_PUBLIC_URL: 'https://pay.example.com/shop/',
    })
    assert.equal(read().port, 9000)
    assert.equal(read('--port', '9001').port, 9001)
    assert.equal(read('--log-level=error').logLevel, 'error')
    assert.equal(read().publicUrl, 'https://pay.example.com/shop')
  })

  it('cannot be changed', () => {
    assert.throws(() => Object.assign(read(), { port: 1 }), TypeError)
  })

  it('refuses what is wrong by the name of the option', () => {
    refuses(['--port', '65536'], /^OperatorError: --port \(PORT\) is "65536"/)
    refuses(['--port', '-1'], /--port/)
    refuses(['--log-level', 'loud'], /--log-level \(LOG_LEVEL\) is "loud"; give one of fatal, error/)
    refuses(['--role', 'boss'], /--role \(PASARELA_ROLE\) is "boss"; give one of both, api, worker/)
    refuses(['--public-url', 'pay.example.com'], /--public-url \(PASARELA_PUBLIC_URL\)/)
    refuses(['--public-url', 'https://pay.example.com?x=1'], /--public-url/)
    refuses(['--prot', '1'], /Unknown option '--prot'/)
  })

  it('does not repeat what may hold a secret', () => {
    for (const url of ['mysql://u:hush@h/d', 'hush']) {
      assert.throws(
        () => read('--database-url', url),
        (error: Error) => /--database-url/.test(error.message) && !/hush/.test(error.message),
      )
    }
    process.env.PASARELA_MASTER_KEY = 'hush'
    assert.throws(
      read,
      (error: Error) => /PASARELA_MASTER_KEY is not 32 bytes/.test(error.message) && !/hush/.test(error.message),
    )
  })

  it('takes a master key of 32 bytes in base64', () => {
    process.env.PASARELA_MASTER_KEY = Buffer.alloc(32, 9).toString('base64')
    assert.deepEqual(read().masterKey, Buffer.alloc(32, 9))
  })
})
