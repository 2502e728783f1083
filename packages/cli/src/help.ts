/** The first page of the manual: what a newcomer reads. The list of options below it is yargs's. */
export const HELP = `drover runs BullMQ workers in several processes, keeps them alive, and scales them while they run.

Usage: drover <command> [options]          drover <command> --help tells more

Act
  start [config|processor]   run a cluster in this terminal until it is stopped
  scale N                    have N workers
  scale up [n]               have n workers more (1 if left out)
  scale down [n]             have n workers less; each finishes its jobs first
  reload                     run new code: replace every process, one after the other, and keep the old if the new fails
  restart SLOT               drain one process and start it again
  recycle [slot]             replace one process, or each, by a fresh one
  stop                       finish the jobs in hand, then end the cluster

Look
  status (ps, ls)            groups, processes, and the workers that each process hosts
  count                      how many workers there are
  show restarts              how processes ended lately, and why
  op ID                      how an operation is going
  ping                       whether the cluster answers
  bench                      how fast jobs are worked on this machine and a Redis of yours

Examples
  drover start ./mail.js --queue mail --workers 4     4 workers, each runs the default export of mail.js
  drover scale up 2                                   from another terminal: 2 more, then wait until they run
  drover status --json | jq .groups                   for scripts
  drover stop --deadline 60s                          let jobs take up to a minute

Exit codes: 0 done, 1 refused or failed, 64 usage, 69 no cluster there, 75 timed out (it goes on), 77 not permitted`;
