/**
 * The condition that leaves out messages of a session in front of the first that may be pending: whatever has ended is
 * not looked at again. `session` is how the statement names the session.
 */
export function fromHead(session: string): string {
  return `seq >= (SELECT head_seq FROM sessions WHERE sessions.id = ${session})`;
}
