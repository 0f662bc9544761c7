import { defineJob } from 'tributary';
import blobs from './blobs.ts';

/** The blobs, their minibatches of 8 in parts of 3, 3 and 2. */
export default defineJob({ ...blobs, name: 'accumulated', accumulate: 3 });
