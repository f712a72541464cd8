/** Reading and locking payments, for those who act on them. */
export {
  claimPaymentsDue,
  findLatePolicy,
  findLatestPayment,
  findOpenPayment,
  findPaymentBeside,
  findPaymentById,
  findPaymentByRef,
  findSurplus,
  insertPayment,
  insertResolution,
  listRefunds,
  lockPaymentById,
  planSandboxNotices,
  readOrder,
  updateFigures,
  updatePayment,
} from './store.ts'
