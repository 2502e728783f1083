/** Counts primes: work that blocks the event loop for as long as it takes. */
export default async function primes(job) {
  let found = 0;
  for (let n = 2; n <= job.data.below; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n && isPrime; d++) isPrime = n % d !== 0;
    if (isPrime) found++;
  }
  await job.log(`counted up to ${job.data.below}`);
  return found;
}
