/** Oversized requests, generated from openapi.json: a new array, map, object or list parameter is covered without another line. */
import type { Body } from './harness.ts'

export type Oversized = { readonly name: string; readonly method: string; readonly path: string; readonly body: string }

type Schema = Body
/** Puts a value into a body at one place, `copies` of everything on the way that may be repeated. */
type Place = { pointer: string; put(value: string, copies: number): string }

const bytesMax = 240_000
/** In the whole body: more cost more in JSON.parse than in all that follows. */
const fieldsMax = 8_000
/** A URL fits into the 16 KB that Node reads of headers. */
const queryMax = 12_000
const fillings = ['1', '{}', '"a"']

/** For every place of every request body: far more items, fields or characters than it takes. */
export function oversizedBodies(document: Body): Oversized[] {
  return Object.entries<Body>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Body>(methods).flatMap(([method, { requestBody }]) => {
      const schema: Schema = requestBody?.content['application/json'].schema
      if (!schema) return []
      return [...placesOf(document, schema, { pointer: '', put: (value) => value })].flatMap(([place, at]) =>
        variantsOf(place, at).map(([what, body]) => ({
          name: `${method.toUpperCase()} ${path} ${place.pointer || '/'}: ${what}`,
          method: method.toUpperCase(),
          path,
          body,
        })),
      )
    }),
  )
}

/** For every query parameter: a long text, a long list, the parameter many times; and many parameters that nobody knows. */
export function oversizedQueries(document: Body): Omit<Oversized, 'body'>[] {
  return Object.entries<Body>(document.paths).flatMap(([path, { get }]) => {
    const names: string[] = (get?.parameters ?? [])
      .filter((each: Body) => each.in === 'query')
      .map((each: Body) => each.name)
    if (names.length === 0) return []
    const queries = names.flatMap((name) => [
      `${name}=${'a'.repeat(queryMax)}`,
      `${name}=${'1,'.repeat(queryMax / 2)}`,
      `${name}=1&`.repeat(queryMax / (name.length + 3)),
    ])
    const unknown = Array.from({ length: queryMax / 6 }, (_, n) => `x${n}=`).join('&')
    return [...queries, unknown].map((query) => ({
      name: `GET ${path}?${query.slice(0, 60)}…`,
      method: 'GET',
      path: `${path}?${query}`,
    }))
  })
}

/** What may be too large at this place, once alone and once in as many copies as the arrays around it take. */
function variantsOf(place: Place, at: Schema): [string, string][] {
  return [1, 100].flatMap((copies) => {
    const room = Math.floor((bytesMax - place.put('0', copies).length) / Math.max(1, copiesIn(place, copies)))
    const made: [string, string][] = []
    const add = (what: string, value: string) => made.push([`${what}, ${copies} times`, place.put(value, copies)])
    if (isOf(at, 'array')) for (const item of fillings) add(`an array of ${item}`, `[${repeated(item, room)}]`)
    if (isOf(at, 'object')) add('an object of 1', `{${fields('1', fieldsMax / copiesIn(place, copies))}}`)
    if (isOf(at, 'string')) add('a long text', `"${'é'.repeat(Math.max(1, Math.floor(room / 2)))}"`)
    return copies > 1 && copiesIn(place, copies) === 1 ? [] : made
  })
}

const copiesIn = (place: Place, copies: number) => place.put('@', copies).split('@').length - 1
const isOf = (schema: Schema, type: string) => [schema.type].flat().includes(type)
const repeated = (item: string, room: number) =>
  Array.from({ length: Math.max(1, Math.floor(room / (item.length + 1))) }, () => item).join(',')
const fields = (value: string, count: number) =>
  Array.from({ length: Math.ceil(count) }, (_, n) => `"x${n}":${value}`).join(',')

/** Every place below a schema, each with the schema that stands there. What stands in several places is visited in one. */
function* placesOf(document: Body, given: Schema, place: Place, seen = new Set<string>()): Generator<[Place, Schema]> {
  const { $ref, ...own } = given
  const { description: _, ...schema } = $ref === undefined ? own : { ...resolve(document, $ref), ...own }
  const text = JSON.stringify(schema)
  if (seen.has(text)) return
  seen.add(text)
  yield [place, schema]
  for (const branch of [schema.anyOf, schema.oneOf, schema.allOf].flat().filter(Boolean)) {
    yield* placesOf(document, branch, place, seen)
  }
  if (schema.items) {
    const put: Place['put'] = (value, copies) => {
      const count = Math.min(copies, schema.maxItems ?? copies)
      return place.put(`[${Array.from({ length: count }, () => value).join(',')}]`, copies)
    }
    yield* placesOf(document, schema.items, { pointer: `${place.pointer}/*`, put }, seen)
  }
  for (const [name, inner] of Object.entries<Schema>(schema.properties ?? {})) {
    const put: Place['put'] = (value, copies) =>
      place.put(`{${[...tagsOf(schema, name), `${JSON.stringify(name)}:${value}`].join(',')}}`, copies)
    yield* placesOf(document, inner, { pointer: `${place.pointer}/${name}`, put }, seen)
  }
}

/** The fields beside `name` that say which branch of a union this is. */
function tagsOf(schema: Schema, name: string): string[] {
  return Object.entries<Schema>(schema.properties).flatMap(([tag, inner]) =>
    tag !== name && inner.const !== undefined ? [`${JSON.stringify(tag)}:${JSON.stringify(inner.const)}`] : [],
  )
}

function resolve(document: Body, ref: string): Schema {
  return ref
    .slice(2)
    .split('/')
    .reduce((at, part) => at[part], document)
}
