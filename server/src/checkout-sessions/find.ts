/** Reading sessions, for those who act on them. */
export {
  findSessionById as findSession,
  findSessionByPageToken as findSessionOfPage,
  findSessionEvenDeleted,
} from './store.ts'
