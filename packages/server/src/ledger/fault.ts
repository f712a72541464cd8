/** What the doctor finds wrong in a ledger. */

export type LedgerFault = { merchantId: number; subject: string; fault: string }
