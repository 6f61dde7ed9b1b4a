/** What the documentation says of an operator; see docs/operators.md, which is made from these. */
export interface CatalogueEntry {
  op: string;
  custom?: boolean;
  /** Combinations of types that it takes, e.g. "INT8", "FLOAT32 × INT8 weights". */
  types: string[];
  /** What its answers were compared with. */
  reference: 'TFLM' | 'TFLite' | 'TFLM and TFLite';
  /** What one would not guess, and where it differs on purpose. */
  notes: string[];
}
