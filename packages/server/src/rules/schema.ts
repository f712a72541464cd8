/** The rule on the wire (contract section 10.7). */
import Type from 'typebox'
import { commaList, listQuery, pageOf } from '../kit/page.ts'
import { limits } from '../vocabulary/limits.ts'
import { feeTypes, filterNames } from './fee.ts'
import type { RuleRow } from './store.ts'

const closed = { additionalProperties: false }
const Decimal = (description: string) =>
  Type.String({
    pattern: '^\\d{1,12}(\\.\\d{1,12})?$',
    'x-wants': 'a decimal number in a string, such as "2.9"',
    description,
  })

const Filter = Type.Object(
  {
    name: Type.Enum([...filterNames]),
    value: Type.String({
      minLength: 1,
      maxLength: 60,
      description: 'For example `PIX`, `BRL`, `BRL:CLP`, `PURCHASE`, `CHL`.',
    }),
  },
  closed,
)
const filter = Type.Array(Filter, {
  maxItems: limits.ruleFiltersMax,
  description:
    'When the rule holds: of one name any value will do, of different names all must. Empty: always. `country` is that of the owner.',
})
const FeeRule = Type.Object(
  {
    description: Type.Optional(
      Type.String({ minLength: 1, maxLength: limits.nameLength, description: 'Name of the fee. Default `Fee`.' }),
    ),
    feeType: Type.Enum([...feeTypes]),
    value: Decimal('PERCENTAGE: percent of the amount. FIXED: major units of the session’s currency. Zero is no fee.'),
  },
  closed,
)
const AllowedValuesRule = Type.Object(
  {
    key: Type.String({ maxLength: 60 }),
    allowedValues: Type.Array(Type.String({ maxLength: 120 }), { maxItems: 100 }),
  },
  closed,
)

export const CreateRule = Type.Object(
  {
    type: Type.Enum(['FEE', 'ALLOWED_VALUES'], { description: 'Only FEE is supported.' }),
    identityId: Type.String({
      minLength: 1,
      maxLength: 60,
      description: 'Whom it is for: this identity and all below it.',
    }),
    overwrites: Type.Boolean({
      description: 'Whether it replaces the fees inherited from further up, where it holds.',
    }),
    filter: Type.Optional(Type.Union([filter, Type.Null()])),
    feeRule: Type.Optional(FeeRule),
    allowedValuesRule: Type.Optional(AllowedValuesRule),
  },
  { ...closed, $id: 'CreateRule', title: 'CreateRule' },
)
export type CreateRule = Type.Static<typeof CreateRule>

export const Rule = Type.Object(
  {
    id: Type.String(),
    type: Type.Enum(['FEE']),
    owner: Type.Enum(['CONOMY_HQ', 'CLIENT'], { description: 'CLIENT: made by you.' }),
    target: Type.Enum(['IDENTITY', 'TRANSACTION'], { description: 'TRANSACTION: fees are charged on payments.' }),
    identityId: Type.String(),
    overwrites: Type.Boolean(),
    filter,
    feeRule: Type.Object(
      { description: Type.String(), feeType: Type.Enum([...feeTypes]), value: Type.String() },
      closed,
    ),
    createdAt: Type.String({ format: 'date-time' }),
  },
  { ...closed, $id: 'Rule', title: 'Rule' },
)

export const RuleQuery = listQuery('rule', {
  id: Type.Optional(commaList('Ids.')),
  identityId: Type.Optional(commaList('Ids of the identities that rules were made for.')),
  type: Type.Optional(Type.Enum(['FEE', 'ALLOWED_VALUES'], { description: 'All are FEE.' })),
  owner: Type.Optional(Type.Enum(['CONOMY_HQ', 'CLIENT'], { description: 'All are CLIENT: yours.' })),
  target: Type.Optional(
    Type.Enum(['IDENTITY', 'TRANSACTION'], { description: 'All are TRANSACTION: charged on payments.' }),
  ),
})
export type RuleQuery = Type.Static<typeof RuleQuery>

export const RulePage = pageOf('RulePage', Rule)

export const ruleSchemas = [CreateRule, Rule, RulePage]

/** A rule as the wire shows it. */
export function toWire(rule: RuleRow): Type.Static<typeof Rule> {
  return {
    id: rule.id,
    type: rule.type,
    owner: rule.owner,
    target: rule.target,
    identityId: rule.identityId,
    overwrites: rule.overwrites,
    filter: [...rule.filter],
    feeRule: { description: rule.feeDescription, feeType: rule.feeType, value: rule.feeValue },
    createdAt: rule.createdAt.toISOString(),
  }
}
