/** Reading and locking payments, for those who act on them. */
export {
  claimPaymentsDue,
  findLatePolicy,
  findLatestPayment,
  findOpenPayment,
  findPaymentById,
  findRelatedPayment,
  insertPayment,
  insertResolution,
  listRefunds,
  lockPaymentById,
  readOrder,
  updateFigures,
  updatePayment,
} from './store.ts'
