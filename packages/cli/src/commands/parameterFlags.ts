import { Option } from 'commander';
import { flags } from './flags.ts';

/** Where trained parameters come from: flags of evaluate, predict and export. */
export const parameterFlags = () => [
  new Option('--from <file>', 'a safetensors or ONNX file'),
  flags.run(),
  flags.coordinator(),
  flags.job(),
  flags.runs(),
];
