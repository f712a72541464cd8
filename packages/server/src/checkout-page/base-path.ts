/** Where our pages begin, behind a proxy that keeps them below a path. */

/** The path that our public address begins with, behind a proxy that takes it off: `/checkout`, or nothing. */
export function basePath(publicUrl: string): string {
  return (URL.parse(publicUrl)?.pathname ?? '').replace(/(?<!\/)\/+$/, '')
}
