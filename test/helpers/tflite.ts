/** Real TensorFlow Lite as a second opinion; it lies with the tools, since benchmarks race it. */
export * from '../../tools/tflite';
