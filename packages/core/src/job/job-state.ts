/** Where a job stands. `waiting` is the public name of the wait list. */
export type JobState = 'waiting' | 'active' | 'prioritized' | 'delayed' | 'waiting-children' | 'completed' | 'failed' | 'unknown';
