/** Schemas that check a size before they look inside: what is too large costs nothing more. */

/** The keywords that look at every item or field. */
const ofItems = ['items', 'uniqueItems']
const ofFields = ['propertyNames', 'patternProperties', 'additionalProperties']
const conditions = ['if', 'then', 'else']

/** An object with more unknown fields than this is refused without naming them. */
const unknownFieldsMax = 20

type Keywords = Record<string, unknown>

/**
 * The same schema, but it does not look into a list, map or object that is too large. Validation names all faults of a body, so
 * it would go on with each of 40,000 items behind `maxItems`.
 */
export function sizesFirst<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(sizesFirst) as T
  if (schema === null || typeof schema !== 'object') return schema
  const inner: Keywords = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, sizesFirst(value)]))
  const { maxItems, maxProperties, properties, additionalProperties } = inner
  if (typeof maxItems === 'number') return whenSmall(inner, { maxItems }, ofItems) as T
  if (typeof maxProperties === 'number') return whenSmall(inner, { maxProperties }, ofFields) as T
  if (additionalProperties !== false) return inner as T
  const names = Object.keys((properties as object | undefined) ?? {})
  const known = Object.fromEntries(names.map((name) => [name, true]))
  const size = { maxProperties: names.length + unknownFieldsMax }
  return whenSmall(inner, size, [...ofFields, ...conditions], { properties: known }) as T
}

/** Applies these keywords only to what is of this size. What is not, fails by its size alone. */
function whenSmall(schema: Keywords, size: Keywords, keywords: string[], more: Keywords = {}): Keywords {
  const [each, rest]: [Keywords, Keywords] = [{ ...more }, {}]
  for (const [keyword, value] of Object.entries(schema)) (keywords.includes(keyword) ? each : rest)[keyword] = value
  for (const keyword of Object.keys(size)) delete rest[keyword]
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
  const checked = { if: size, then: each, else: size }
  return { ...rest, allOf: [...((rest.allOf as object[] | undefined) ?? []), checked] }
}
