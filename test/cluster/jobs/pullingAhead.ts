import { defineJob } from 'tributary';
import paced from './paced.ts';

/** The job of paced.ts, asynchronous, by workers that do not wait for the network. */
export default defineJob({
  ...paced,
  name: 'pulling-ahead',
  staleness: Number.POSITIVE_INFINITY,
  pullAhead: true,
});
