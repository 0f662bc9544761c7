import { Option } from 'commander';
import { flags } from './flags.ts';

/** Where trained parameters come from: flags of evaluate, predict and export. */
export const parameterFlags = () => [
  new Option('--from <file>', 'a safetensors or ONNX file'),
  new Option('--run <folder>', 'a run folder (default: the newest)'),
  flags.coordinator(),
  flags.job(),
  flags.runs(),
];
