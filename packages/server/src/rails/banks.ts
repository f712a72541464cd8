/** The banks of each country by the code that its local rail knows them by, for `GET /payments/banks/{country}` and for `bankId`. */
import { clabe } from 'clabe-validator'

export type Bank = { readonly code: string; readonly name: string; readonly countryCode: string }

type Row = readonly [code: string, name: string]

/** Chile: names as codes, as the public contract uses them (`BANCO_CHILE`, `BCI`, `SANTANDER`). */
const chile: readonly Row[] = [
  ['BANCO_CHILE', 'Banco de Chile'],
  ['BANCO_ESTADO', 'BancoEstado'],
  ['SANTANDER', 'Banco Santander Chile'],
  ['BANCO_SANTANDER', 'Banco Santander Chile (older code)'],
  ['BCI', 'Banco de Crédito e Inversiones'],
  ['SCOTIABANK', 'Scotiabank Chile'],
  ['ITAU', 'Banco Itaú Chile'],
  ['BICE', 'Banco BICE'],
  ['SECURITY', 'Banco Security'],
  ['FALABELLA', 'Banco Falabella'],
  ['RIPLEY', 'Banco Ripley'],
  ['CONSORCIO', 'Banco Consorcio'],
  ['INTERNACIONAL', 'Banco Internacional'],
  ['BTG_PACTUAL', 'Banco BTG Pactual Chile'],
  ['HSBC', 'HSBC Bank Chile'],
  ['COOPEUCH', 'Coopeuch'],
  ['MERCADO_PAGO', 'Mercado Pago Emisora'],
  ['MACH', 'MACHBANK'],
  ['TENPO', 'Tenpo'],
  ['TAPP', 'Tapp Caja Los Andes'],
  ['LOS_HEROES', 'Prepago Los Héroes'],
  ['COPEC_PAY', 'Copec Pay'],
  ['BANCO_CMF', 'Banco CMF'],
]

/** Colombia: the ids of ACH Colombia's PSE, as several gateways publish them. */
const colombia: readonly Row[] = [
  ['1001', 'Banco de Bogotá'],
  ['1002', 'Banco Popular'],
  ['1006', 'Itaú (antes Corpbanca)'],
  ['1007', 'Bancolombia'],
  ['1009', 'Citibank'],
  ['1012', 'Banco GNB Sudameris'],
  ['1013', 'BBVA Colombia'],
  ['1014', 'Itaú'],
  ['1019', 'Scotiabank Colpatria'],
  ['1022', 'Banco Unión Colombiano'],
  ['1023', 'Banco de Occidente'],
  ['1031', 'Bancóldex'],
  ['1032', 'Banco Caja Social'],
  ['1040', 'Banco Agrario'],
  ['1047', 'Banco Mundo Mujer'],
  ['1051', 'Davivienda'],
  ['1052', 'Banco AV Villas'],
  ['1053', 'Banco W'],
  ['1059', 'Bancamía'],
  ['1060', 'Banco Pichincha'],
  ['1061', 'Bancoomeva'],
  ['1062', 'Banco Falabella'],
  ['1063', 'Banco Finandina'],
  ['1065', 'Banco Santander Colombia'],
  ['1066', 'Coopcentral'],
  ['1067', 'Mibanco'],
  ['1069', 'Banco Serfinanza'],
  ['1070', 'Lulo Bank'],
  ['1071', 'Banco J.P. Morgan Colombia'],
  ['1121', 'Juriscoop'],
  ['1283', 'Cooperativa Financiera de Antioquia'],
  ['1286', 'JFK Cooperativa Financiera'],
  ['1289', 'Cotrafa'],
  ['1291', 'Cofinep'],
  ['1303', 'Giros y Finanzas'],
  ['1370', 'Coltefinanciera'],
  ['1507', 'Nequi'],
  ['1551', 'DaviPlata'],
  ['1558', 'Ban100'],
  ['1637', 'IRIS'],
  ['1801', 'Movii'],
  ['1802', 'Ding'],
  ['1805', 'BTG Pactual'],
]

/** Brazil: COMPE codes (Banco Central do Brasil). */
const brazil: readonly Row[] = [
  ['001', 'Banco do Brasil'],
  ['003', 'Banco da Amazônia'],
  ['004', 'Banco do Nordeste'],
  ['021', 'Banestes'],
  ['033', 'Santander Brasil'],
  ['041', 'Banrisul'],
  ['070', 'BRB'],
  ['077', 'Banco Inter'],
  ['104', 'Caixa Econômica Federal'],
  ['208', 'BTG Pactual'],
  ['212', 'Banco Original'],
  ['237', 'Bradesco'],
  ['260', 'Nubank'],
  ['290', 'PagBank'],
  ['323', 'Mercado Pago'],
  ['336', 'C6 Bank'],
  ['341', 'Itaú Unibanco'],
  ['380', 'PicPay'],
  ['422', 'Banco Safra'],
  ['655', 'Banco Votorantim'],
  ['748', 'Sicredi'],
  ['756', 'Sicoob'],
]

/** Argentina: the first three digits of a CBU (BCRA). */
const argentina: readonly Row[] = [
  ['007', 'Banco Galicia'],
  ['011', 'Banco de la Nación Argentina'],
  ['014', 'Banco de la Provincia de Buenos Aires'],
  ['015', 'ICBC'],
  ['016', 'Citibank'],
  ['017', 'BBVA Argentina'],
  ['020', 'Banco de la Provincia de Córdoba'],
  ['027', 'Banco Supervielle'],
  ['029', 'Banco Ciudad'],
  ['034', 'Banco Patagonia'],
  ['044', 'Banco Hipotecario'],
  ['045', 'Banco San Juan'],
  ['065', 'Banco Municipal de Rosario'],
  ['072', 'Banco Santander Argentina'],
  ['083', 'Banco del Chubut'],
  ['086', 'Banco Santa Cruz'],
  ['093', 'Banco de La Pampa'],
  ['094', 'Banco de Corrientes'],
  ['097', 'Banco Provincia del Neuquén'],
  ['143', 'Brubank'],
  ['150', 'Galicia Más (antes HSBC)'],
  ['191', 'Banco Credicoop'],
  ['285', 'Banco Macro'],
  ['299', 'Banco Comafi'],
  ['322', 'Banco Industrial'],
]

/** Peru: the first three digits of a CCI. */
const peru: readonly Row[] = [
  ['002', 'Banco de Crédito del Perú'],
  ['003', 'Interbank'],
  ['007', 'Citibank del Perú'],
  ['009', 'Scotiabank Perú'],
  ['011', 'BBVA Perú'],
  ['018', 'Banco de la Nación'],
  ['023', 'Banco de Comercio'],
  ['035', 'Banco Pichincha'],
  ['038', 'BanBif'],
  ['049', 'Mibanco'],
  ['053', 'Banco GNB'],
  ['054', 'Banco Falabella'],
  ['055', 'Banco Ripley'],
  ['056', 'Banco Santander Perú'],
  ['801', 'Caja Piura'],
  ['802', 'Caja Trujillo'],
  ['803', 'Caja Arequipa'],
  ['805', 'Caja Sullana'],
  ['806', 'Caja Cusco'],
  ['808', 'Caja Huancayo'],
  ['813', 'Caja Tacna'],
]

/** Bolivia: the supervisor's (ASFI) short names. */
const bolivia: readonly Row[] = [
  ['BNB', 'Banco Nacional de Bolivia'],
  ['BUN', 'Banco Unión'],
  ['BME', 'Banco Mercantil Santa Cruz'],
  ['BIS', 'Banco BISA'],
  ['BCR', 'Banco de Crédito de Bolivia'],
  ['BEC', 'Banco Económico'],
  ['BGA', 'Banco Ganadero'],
  ['BSO', 'BancoSol'],
  ['BFO', 'Banco Fortaleza'],
  ['BIE', 'Banco FIE'],
  ['BPR', 'Banco Prodem'],
]

/** USA: names as codes; the transfer itself goes by routing number. */
const usa: readonly Row[] = [
  ['JPMORGAN_CHASE', 'JPMorgan Chase Bank'],
  ['BANK_OF_AMERICA', 'Bank of America'],
  ['WELLS_FARGO', 'Wells Fargo Bank'],
  ['CITIBANK', 'Citibank'],
  ['US_BANK', 'U.S. Bank'],
  ['PNC', 'PNC Bank'],
  ['TRUIST', 'Truist Bank'],
  ['CAPITAL_ONE', 'Capital One'],
]

/** Mexico: the first three digits of a CLABE, from the library that checks CLABEs; what is above 800 there is no bank of a payer. */
const mexico: readonly Row[] = Object.entries(clabe.banksMap)
  .filter(([code]) => Number(code) < 800)
  .map(([code, bank]) => [code.padStart(3, '0'), bank.name ?? bank.tag ?? code])

const lists: Readonly<Record<string, readonly Row[]>> = {
  ARG: argentina,
  BOL: bolivia,
  BRA: brazil,
  CHL: chile,
  COL: colombia,
  MEX: mexico,
  PER: peru,
  USA: usa,
}

const banks: ReadonlyMap<string, readonly Bank[]> = new Map(
  Object.entries(lists).map(([countryCode, rows]) => [
    countryCode,
    rows.map(([code, name]) => ({ code, name, countryCode })),
  ]),
)

/** The banks of a country (ISO 3166-1 alpha-3); undefined for a country we have no list of. */
export function banksOf(country: string): readonly Bank[] | undefined {
  return banks.get(country)
}

/** Whether `code` is a bank of that country. */
export function isBank(country: string, code: string): boolean {
  return banks.get(country)?.some((bank) => bank.code === code) ?? false
}
