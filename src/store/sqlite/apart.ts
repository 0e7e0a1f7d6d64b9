/**
 * What `is_alone` is while a message runs on as one of a batch of which another was cancelled: it is not what a crash is
 * to be blamed on. From its next claim on it is 1, as of any message that is taken alone.
 */
export const runsApart = 2;
