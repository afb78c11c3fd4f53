/** Ratio of neighbouring bounds: reporting the upper bound of a bucket is at most 5 % too high. */
const RATIO = 1.05;
const LAST_BUCKET = 400;

/**
 * Histogram bucket of a duration in milliseconds (or of any other non-negative measure). Bucket i holds values above
 * `bucketUpperMs(i - 1)` up to and including `bucketUpperMs(i)`; bucket 0 everything up to 1, bucket 400 everything
 * above 3.3 days. Counts per bucket add up over rows, percentiles would not.
 */
export function latencyBucket(ms: number): number {
  if (!(ms > 1)) return 0;
  // The logarithm may be off by one in the last digit exactly at a bound.
  let bucket = Math.min(Math.ceil(Math.log(ms) / Math.log(RATIO)), LAST_BUCKET);
  if (bucketUpperMs(bucket) < ms && bucket < LAST_BUCKET) bucket++;
  else if (bucket > 0 && bucketUpperMs(bucket - 1) >= ms) bucket--;
  return bucket;
}

/** Upper bound of a bucket: the value to report for it. */
export function bucketUpperMs(bucket: number): number {
  return RATIO ** bucket;
}
