import { defineJob, topk } from 'tributary';
import blobs from './blobs.ts';

/** The job of blobs.ts with every tensor encoded in its own way, parameters too. */
export default defineJob({
  ...blobs,
  name: 'encoded-blobs',
  encoding: { 'b*': 'f32', w1: topk({ density: 0.05 }), '*': 'int8' },
  pullEncoding: 'bf16',
});
