/** What scripts answer instead of doing their work; the numbers are those of every BullMQ client (data model, section 4.1). */
export const ErrorCode = {
  JobNotExist: -1,
  JobLockNotExist: -2,
  JobNotInState: -3,
  JobPendingChildren: -4,
  ParentJobNotExist: -5,
  JobLockMismatch: -6,
  ParentJobCannotBeReplaced: -7,
  JobBelongsToJobScheduler: -8,
  JobHasFailedChildren: -9,
  SchedulerJobIdCollision: -10,
  SchedulerJobSlotsBusy: -11,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];
