/** Requests that may write keep the jobs alert: their commits are somewhere between their beginning and their answer. */
import type { Context } from '../../kit/context.ts'
import type { App } from '../../kit/operation.ts'

export function noteWrites(app: App, { activity }: Context): void {
  const mayWrite = (method: string) => method !== 'GET' && method !== 'HEAD'
  app.addHook('onRequest', (request, _reply, done) => {
    if (mayWrite(request.method)) activity.note()
    done()
  })
  app.addHook('onResponse', (request, _reply, done) => {
    if (mayWrite(request.method)) activity.note()
    done()
  })
}
