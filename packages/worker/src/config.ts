/**
 * From 1.29 on ONNX Runtime tells Microsoft about each process and each model that it runs, and keeps a number of the machine in the home folder, unless this is set before its
 * first session. What the user has set stands. Only the main thread can set it: to the library a thread's environment is that of its process.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';
