/** What a job file imports from `tributary`. */

export { type Ansatz, hardwareEfficientAnsatz } from '@tributary/core/quantum/circuit/Ansatz.ts';
export { type PauliSum, pauliString } from '@tributary/core/quantum/state/pauli.ts';
export * from '@tributary/worker/autodiff/secondOrder.ts';
export { type CsvOptions, csv } from '@tributary/worker/data/csv.ts';
export type { CsvColumns, CsvField } from '@tributary/worker/data/csvFields.ts';
export type { Batch, BatchArray, DataSource, Dataset, FieldSpec } from '@tributary/worker/data/Dataset.ts';
export { type IdxField, idx } from '@tributary/worker/data/idx.ts';
export { type InMemoryField, inMemory } from '@tributary/worker/data/inMemory.ts';
export { type JsonField, jsonLines } from '@tributary/worker/data/jsonLines.ts';
export { split } from '@tributary/worker/data/split.ts';
export { take } from '@tributary/worker/data/take.ts';
export { type Teacher, withTeacher } from '@tributary/worker/distillation/withTeacher.ts';
export { byDepth, type DepthOptions } from '@tributary/worker/job/byDepth.ts';
export { defineJob, type JobFamily } from '@tributary/worker/job/defineJob.ts';
export { type Encoding, type GradientEncoding, topk } from '@tributary/worker/job/encodings.ts';
export type { Job, JobDefinition } from '@tributary/worker/job/Job.ts';
export type { BatchArrays, Model, ParameterTree } from '@tributary/worker/job/Model.ts';
export {
  adadelta,
  adafactor,
  adagrad,
  adam,
  adamax,
  adamw,
  ftrl,
  kfac,
  lamb,
  lars,
  lbfgs,
  lion,
  momentum,
  muon,
  nadam,
  nesterov,
  newton,
  newtonCg,
  prodigy,
  quantum,
  quantumNaturalGradient,
  radam,
  rmsprop,
  scheduleFree,
  sgd,
  soap,
} from '@tributary/worker/job/optimizers.ts';
export {
  constant,
  cosine,
  exponential,
  oneCycle,
  plateau,
  polynomial,
  restarts,
  stepDecay,
} from '@tributary/worker/job/schedules.ts';
export type { TensorRule } from '@tributary/worker/job/tensorOptions.ts';
export * from '@tributary/worker/nn/activations.ts';
export * from '@tributary/worker/nn/attention.ts';
export * from '@tributary/worker/nn/functions.ts';
export * from '@tributary/worker/nn/initialisers.ts';
export * from '@tributary/worker/nn/layers.ts';
export * from '@tributary/worker/nn/losses.ts';
export * from '@tributary/worker/nn/normalisation.ts';
export * from '@tributary/worker/nn/quantum.ts';
export * from '@tributary/worker/nn/recurrent.ts';
