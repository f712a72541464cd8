/** Reading and locking payments, for those who act on them. */
export {
  claimPaymentsDue,
  findAcceptedPayment,
  findLatePolicy,
  findLatestPayment,
  findOpenPayment,
  findPaymentBeside,
  findPaymentById,
  findPaymentByRef,
  findResolution,
  findSurplus,
  insertResolution,
  listRefunds,
  lockPaymentById,
  readOrder,
  readStanding,
} from './store.ts'
