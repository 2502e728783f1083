/** Runs in the forked processes: a job's data in, its result out. */
export default async function process(job) {
  return job.data.a + job.data.b;
}
