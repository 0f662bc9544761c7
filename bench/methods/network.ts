import { adam, defineJob } from 'tributary';
import { network } from '../../examples/methods/digits.ts';

/** The bench puts another method, and how it is trained, in the place of this one. */
export default defineJob({ ...network, optimizer: adam(), batchSize: 16, epochs: 1 });
