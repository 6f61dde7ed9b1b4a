/**
 * TFLite_Detection_PostProcess (box encodings [1, boxes, ≥ 4], class scores [1, boxes, classes], anchors [boxes, 4]) →
 * boxes [1, max_detections, 4] as ymin, xmin, ymax, xmax; classes; scores [1, max_detections]; their number [1].
 * Types: FLOAT32.
 *
 * Boxes are decoded from y, x, h, w relative to their anchors; then the best are chosen, of which no two overlap by
 * more than nms_iou_threshold: use_regular_nms: for each class by itself; otherwise by the best class of each box,
 * and each box chosen is given max_classes_per_detection times, with its best classes. Classes may have a background
 * before them (num_classes + 1 scores), which is skipped. Places without a detection are 0, where TFLM leaves them as
 * they are without use_regular_nms.
 *
 * As TFLM: a box with ymin ≥ ymax or xmin ≥ xmax is an error; with several classes to a detection they are not given
 * in consecutive places, and those beyond the output are lost; the number of detections counts them all.
 */
import { fround } from '../lib/fixedpoint';
import { Argument, Node, Operators, Preparation } from '../lib/graph';
import { describe } from '../lib/tensor';
import { expectRank, expectType, input, output } from './checks';
import { expectOperands } from './custom';
import { customOptions, flagOption, FlexMap, integerOption } from './flexbuffer';

/** Kernel: boxes from their encodings, `stride` numbers each, and anchors. */
export function decodeBoxes(
  x: Float32Array,
  stride: number,
  anchors: Float32Array,
  boxes: Float32Array,
  count: number,
  yScale: number,
  xScale: number,
  hScale: number,
  wScale: number,
): void {
  for (let i = 0; i < count; i++) {
    const from = i * stride;
    const b = 4 * i;
    // the array rounds the centers and half sizes to float32
    boxes[b] = (x[from] / yScale) * anchors[b + 2] + anchors[b];
    boxes[b + 1] = (x[from + 1] / xScale) * anchors[b + 3] + anchors[b + 1];
    boxes[b + 2] = 0.5 * Math.exp(x[from + 2] / hScale) * anchors[b + 2];
    boxes[b + 3] = 0.5 * Math.exp(x[from + 3] / wScale) * anchors[b + 3];
    const centerY = boxes[b];
    const centerX = boxes[b + 1];
    const halfY = boxes[b + 2];
    const halfX = boxes[b + 3];
    boxes[b] = centerY - halfY;
    boxes[b + 1] = centerX - halfX;
    boxes[b + 2] = centerY + halfY;
    boxes[b + 3] = centerX + halfX;
    if (boxes[b] >= boxes[b + 2] || boxes[b + 1] >= boxes[b + 3])
      throw new Error(
        'box ' +
          i +
          ' is empty: y from ' +
          boxes[b] +
          ' to ' +
          boxes[b + 2] +
          ', x from ' +
          boxes[b + 1] +
          ' to ' +
          boxes[b + 3],
      );
  }
}

/** What two boxes, at i and j, have in common, of what they cover together; in float32 throughout. */
export function overlapOf(boxes: Float32Array, i: number, j: number): number {
  const areaI = fround(fround(boxes[i + 2] - boxes[i]) * fround(boxes[i + 3] - boxes[i + 1]));
  const areaJ = fround(fround(boxes[j + 2] - boxes[j]) * fround(boxes[j + 3] - boxes[j + 1]));
  if (areaI <= 0 || areaJ <= 0) return 0;
  const height = Math.min(boxes[i + 2], boxes[j + 2]) - Math.max(boxes[i], boxes[j]);
  const width = Math.min(boxes[i + 3], boxes[j + 3]) - Math.max(boxes[i + 1], boxes[j + 1]);
  if (height <= 0 || width <= 0) return 0;
  const common = fround(fround(height) * fround(width));
  return fround(common / fround(fround(areaI + areaJ) - common));
}

/**
 * Chooses up to `most` boxes, best first, none of which overlaps another by more than `overlap`.
 * @param scores that of box i is at from + i · stride
 * @param active working memory: boxes that may still be chosen
 * @returns how many are in `chosen`
 */
export function chooseBoxes(
  scores: Float32Array,
  from: number,
  stride: number,
  boxes: Float32Array,
  count: number,
  threshold: number,
  overlap: number,
  most: number,
  active: Uint8Array,
  chosen: Int32Array,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) active[i] = scores[from + i * stride] >= threshold ? 1 : 0;
  while (found < most) {
    let best = -1;
    for (let i = 0; i < count; i++) {
      if (active[i] && (best < 0 || scores[from + i * stride] > scores[from + best * stride])) best = i;
    }
    if (best < 0) break;
    chosen[found++] = best;
    active[best] = 0;
    for (let i = 0; i < count; i++) {
      if (active[i] && overlapOf(boxes, 4 * best, 4 * i) > overlap) active[i] = 0;
    }
  }
  return found;
}

/** Puts a box, its class and score into place number `at` of the outputs. */
export function putDetection(
  boxes: Float32Array,
  box: number,
  category: number,
  score: number,
  at: number,
  outBoxes: Float32Array,
  outClasses: Float32Array,
  outScores: Float32Array,
): void {
  for (let i = 0; i < 4; i++) outBoxes[4 * at + i] = boxes[4 * box + i];
  outClasses[at] = category;
  outScores[at] = score;
}

/** Kernel: sets places of the outputs to 0. */
export function clearDetections(
  outBoxes: Float32Array,
  outClasses: Float32Array,
  outScores: Float32Array,
  places: number,
): void {
  for (let i = 0; i < 4 * places; i++) outBoxes[i] = 0;
  for (let i = 0; i < places; i++) {
    outClasses[i] = 0;
    outScores[i] = 0;
  }
}

/**
 * Kernel: chooses by the best class of each box, and gives the `each` best classes.
 * @param best working memory: the best score of each box
 */
export function detectFast(
  scores: Float32Array,
  offset: number,
  stride: number,
  classes: number,
  boxes: Float32Array,
  count: number,
  threshold: number,
  overlap: number,
  most: number,
  each: number,
  best: Float32Array,
  active: Uint8Array,
  chosen: Int32Array,
  outBoxes: Float32Array,
  outClasses: Float32Array,
  outScores: Float32Array,
  outCount: Float32Array,
  places: number,
): void {
  for (let i = 0; i < count; i++) {
    const from = i * stride + offset;
    let top = scores[from];
    for (let c = 1; c < classes; c++) if (scores[from + c] > top) top = scores[from + c];
    best[i] = top;
  }
  const found = chooseBoxes(best, 0, 1, boxes, count, threshold, overlap, most, active, chosen);
  let detections = 0;
  for (let i = 0; i < found; i++) {
    const from = chosen[i] * stride + offset;
    let score = Infinity;
    let category = -1;
    for (let k = 0; k < each; k++) {
      // the next class in the order of scores, and of numbers where they are the same
      let next = -1;
      for (let c = 0; c < classes; c++) {
        const value = scores[from + c];
        if ((value < score || (value === score && c > category)) && (next < 0 || value > scores[from + next]))
          next = c;
      }
      if (next < 0) break;
      score = scores[from + next];
      category = next;
      const at = each * detections++ + k;
      if (at < places) putDetection(boxes, chosen[i], category, score, at, outBoxes, outClasses, outScores);
    }
  }
  outCount[0] = detections;
}

/**
 * Kernel: chooses for each class by itself, and keeps the best of all.
 * @param kept working memory: class and box of the best so far, and their scores
 */
export function detectRegular(
  scores: Float32Array,
  offset: number,
  stride: number,
  classes: number,
  boxes: Float32Array,
  count: number,
  threshold: number,
  overlap: number,
  perClass: number,
  most: number,
  kept: Int32Array,
  keptScores: Float32Array,
  active: Uint8Array,
  chosen: Int32Array,
  outBoxes: Float32Array,
  outClasses: Float32Array,
  outScores: Float32Array,
  outCount: Float32Array,
): void {
  let detections = 0;
  for (let c = 0; c < classes; c++) {
    const from = offset + c;
    const found = chooseBoxes(
      scores,
      from,
      stride,
      boxes,
      count,
      threshold,
      overlap,
      perClass,
      active,
      chosen,
    );
    for (let i = 0; i < found; i++) {
      const score = scores[from + chosen[i] * stride];
      let at = detections;
      if (detections < most) detections++;
      else if (most && score > keptScores[most - 1]) at = most - 1;
      else break;
      for (; at > 0 && keptScores[at - 1] < score; at--) {
        keptScores[at] = keptScores[at - 1];
        kept[at] = kept[at - 1];
      }
      keptScores[at] = score;
      kept[at] = chosen[i] * classes + c;
    }
  }
  for (let i = 0; i < detections; i++) {
    const box = Math.floor(kept[i] / classes);
    putDetection(boxes, box, kept[i] - box * classes, keptScores[i], i, outBoxes, outClasses, outScores);
  }
  outCount[0] = detections;
}

/** An option that TFLM takes as float32. */
function floatOption(options: FlexMap, name: string): number {
  return fround(options[name]);
}

function prepareDetection(node: Node, p: Preparation): void {
  expectOperands(node, 3, 4, p);
  const options = customOptions(
    node,
    'max_detections num_classes nms_score_threshold nms_iou_threshold y_scale x_scale h_scale w_scale',
    p,
  );
  const x = input(node, 0, p);
  const scores = input(node, 1, p);
  const anchors = input(node, 2, p);
  const boxesOut = output(node, 0, p);
  const classesOut = output(node, 1, p);
  const scoresOut = output(node, 2, p);
  const countOut = output(node, 3, p);
  const all = [x, scores, anchors, boxesOut, classesOut, scoresOut, countOut];
  for (let i = 0; i < all.length; i++)
    expectType(all[i], 'FLOAT32', i < 3 ? 'input ' + i : 'output ' + (i - 3), p);
  expectRank(x, 3, 'the box encodings', p);
  expectRank(scores, 3, 'the class scores', p);
  expectRank(anchors, 2, 'the anchors', p);
  const count = x.shape[1];
  const stride = scores.shape[2];
  if (x.shape[0] !== 1 || x.shape[2] < 4)
    p.fail('the box encodings must be [1, boxes, 4 or more], but they are ' + describe(x));
  if (scores.shape[0] !== 1 || scores.shape[1] !== count)
    p.fail('the class scores must be for ' + count + ' boxes, but they are ' + describe(scores));
  if (anchors.shape[0] < count || anchors.shape[1] !== 4)
    p.fail('the anchors must be [' + count + ',4], but they are ' + describe(anchors));
  const classes = integerOption(options, 'num_classes', 1, 65535, p);
  if (stride !== classes && stride !== classes + 1)
    p.fail(
      'with num_classes ' +
        classes +
        ' there must be as many scores, or one more, but they are ' +
        describe(scores),
    );
  const most = integerOption(options, 'max_detections', 0, 65535, p);
  const overlap = floatOption(options, 'nms_iou_threshold');
  if (!(overlap > 0 && overlap <= 1))
    p.fail('its option nms_iou_threshold must be above 0 and at most 1, but it is ' + overlap);
  const places = Math.min(boxesOut.length >> 2, Math.min(classesOut.length, scoresOut.length));
  if (places < most || !countOut.length)
    p.fail(
      'the outputs must have places for ' + most + ' detections, but the first is ' + describe(boxesOut),
    );
  const boxes = p.scratch('FLOAT32', 4 * count);
  const active = p.scratch('UINT8', count);
  const chosen = p.scratch('INT32', count);
  const threshold = floatOption(options, 'nms_score_threshold');
  p.step(decodeBoxes, [
    x,
    x.shape[2],
    anchors,
    boxes,
    count,
    floatOption(options, 'y_scale'),
    floatOption(options, 'x_scale'),
    floatOption(options, 'h_scale'),
    floatOption(options, 'w_scale'),
  ]);
  p.step(clearDetections, [boxesOut, classesOut, scoresOut, places]);
  const common: Argument[] = [scores, stride - classes, stride, classes, boxes, count, threshold, overlap];
  const outputs: Argument[] = [active, chosen, boxesOut, classesOut, scoresOut, countOut];
  if (flagOption(options, 'use_regular_nms')) {
    const name = 'detections_per_class';
    const perClass = options[name] === undefined ? 100 : integerOption(options, name, 1, 2147483647, p);
    const kept = p.scratch('INT32', most);
    const keptScores = p.scratch('FLOAT32', most);
    p.step(detectRegular, common.concat([perClass, most, kept, keptScores], outputs));
  } else {
    customOptions(node, 'max_classes_per_detection', p);
    const each = Math.min(integerOption(options, 'max_classes_per_detection', 1, 2147483647, p), classes);
    const best = p.scratch('FLOAT32', count);
    p.step(detectFast, common.concat([most, each, best], outputs, [places]));
  }
}

export const detectionOperators: Operators = { TFLite_Detection_PostProcess: prepareDetection };
