import { defineJob } from 'tributary';
import blobs from './blobs.ts';

/** The blobs with the first layer's weights frozen, its biases for the first half, and the second layer at a tenth of the rate. */
export default defineJob({
  ...blobs,
  name: 'partly-frozen',
  tensors: [
    { match: '*1', frozen: true },
    { match: 'b1', frozenUntil: 30 },
    { match: ['w2', 'b2'], learningRateScale: 0.1 },
  ],
});
