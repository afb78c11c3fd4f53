import { isMainThread } from 'node:worker_threads';

/** Ends the thread that reads a body with the marker, as a defect in native code would. */
if (!isMainThread) {
  const parse = JSON.parse;
  JSON.parse = (text: string, ...more: [((key: string, value: unknown) => unknown)?]): unknown => {
    if (text.includes('crash-the-worker')) process.exit(134);
    return parse(text, ...more);
  };
}
