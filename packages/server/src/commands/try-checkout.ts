/** What `start` prints below its one line: a checkout to try, as commands to paste. */
import type { Sandbox } from './sandbox.ts'

/** Shell commands that create a checkout and print it; pasted again they make another one. */
export function tryCheckout({ baseUrl, apiKey, clientId, clientSecret, identityId, accounts }: Sandbox): string {
  const json = `-H 'content-type: application/json'`
  return `
A checkout to try (paste this, then open the "url" of the answer):

KEY=${apiKey}
TOKEN=$(curl -s ${baseUrl}/auth -H "x-api-key: $KEY" ${json} \\
  -d '${JSON.stringify({ clientId, clientSecret })}' | cut -d '"' -f 4)
curl -s ${baseUrl}/checkout-sessions -H "x-api-key: $KEY" -H "authorization: Bearer $TOKEN" ${json} -d '{
  "checkoutToken": "try-'$(date +%s)'", "currency": "BRL", "duration": 3600, "paymentMethodsAllowed": ["PIX"],
  "items": [{"description": "Coffee", "preTaxAmount": "10.00", "totalAmount": "10.00"}],
  "owner": {"identityId": "${identityId}"},
  "destinations": [{"type": "ACCOUNT", "amount": "10.00", "account": {"accountNumber": "${accounts.BRL}"}}]
}'
`
}
