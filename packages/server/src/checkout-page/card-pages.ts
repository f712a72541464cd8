/** Where the payer gives a card to a connector: on a page of its own, because no page of ours has a field for a card number. */

export type CardPlace = { publicUrl: string; token: string; method: string; lang: string }

/** By connector: the page that takes the card of this session's payer and posts its token to `/pay/{token}/pay`. */
const cardPages: Readonly<Record<string, (at: CardPlace) => string>> = {
  sandbox: ({ publicUrl, token, method, lang }) =>
    `${publicUrl}/sandbox/card/${token}?method=${encodeURIComponent(method)}&lang=${lang}`,
}

/** The connector's page for a card; undefined where it has none. */
export function cardPageOf(connector: string, at: CardPlace): string | undefined {
  return cardPages[connector]?.(at)
}
