/**
 * Fixed-point Fourier transforms as KISS FFT defines them, written as the recursion that they are, in BigInt: every
 * product exact, every stored number wrapped to its type.
 */

interface Complex {
  r: bigint;
  i: bigint;
}

/** Transforms of real signals in integers of 16 or 32 bits. */
export class FixedPointFft {
  private readonly fraction: bigint;
  private readonly largest: number;

  constructor(
    private readonly bits: 16 | 32,
    private readonly points: number,
    private readonly inverse: boolean,
  ) {
    this.fraction = BigInt(bits - 1);
    this.largest = 2 ** (bits - 1) - 1;
  }

  private wrap(x: bigint): bigint {
    return BigInt.asIntN(this.bits, x);
  }

  private round(product: bigint): bigint {
    return this.wrap((product + (1n << (this.fraction - 1n))) >> this.fraction);
  }

  private complex(r: bigint, i: bigint): Complex {
    return { r: this.wrap(r), i: this.wrap(i) };
  }

  private divide(a: Complex, by: number): Complex {
    const factor = BigInt(Math.floor(this.largest / by));
    return { r: this.round(a.r * factor), i: this.round(a.i * factor) };
  }

  private add(a: Complex, b: Complex): Complex {
    return this.complex(a.r + b.r, a.i + b.i);
  }

  private subtract(a: Complex, b: Complex): Complex {
    return this.complex(a.r - b.r, a.i - b.i);
  }

  private multiply(a: Complex, b: Complex): Complex {
    return { r: this.round(a.r * b.r - a.i * b.i), i: this.round(a.r * b.i + a.i * b.r) };
  }

  private scale(a: Complex, by: bigint): Complex {
    return { r: this.round(a.r * by), i: this.round(a.i * by) };
  }

  /** exp(i · phase), of the opposite sign for the inverse. */
  private unit(phase: number): Complex {
    const signed = this.inverse ? -phase : phase;
    return {
      r: BigInt(Math.floor(0.5 + this.largest * Math.cos(signed))),
      i: BigInt(Math.floor(0.5 + this.largest * Math.sin(signed))),
    };
  }

  private twiddle(index: number): Complex {
    return this.unit((-2 * Math.PI * index) / this.points);
  }

  private transform(x: Complex[], stride: number): Complex[] {
    const n = x.length;
    if (n === 1) return x;
    const radix = [4, 2, 3, 5].find((r) => n % r === 0)!;
    const m = n / radix;
    const parts = Array.from({ length: radix }, (_, q) =>
      this.transform(
        x.filter((_x, k) => k % radix === q),
        stride * radix,
      ),
    );
    const y: Complex[] = Array.from({ length: n });
    for (let k = 0; k < m; k++) {
      const terms = parts.map((part, q) => {
        const scaled = this.divide(part[k], radix);
        return q ? this.multiply(scaled, this.twiddle(q * k * stride)) : scaled;
      });
      this.combine(terms, stride * m).forEach((value, q) => (y[q * m + k] = value));
    }
    return y;
  }

  /** A transform of 2 to 5 points; `unit`: index of the first root of unity. */
  private combine(t: Complex[], unit: number): Complex[] {
    const turn = (a: Complex): Complex => (this.inverse ? this.complex(-a.i, a.r) : this.complex(a.i, -a.r));
    if (t.length === 2) return [this.add(t[0], t[1]), this.subtract(t[0], t[1])];
    if (t.length === 4) {
      const difference = this.subtract(t[0], t[2]);
      const sum = this.add(t[0], t[2]);
      const others = this.add(t[1], t[3]);
      const turned = turn(this.subtract(t[1], t[3]));
      return [
        this.add(sum, others),
        this.add(difference, turned),
        this.subtract(sum, others),
        this.subtract(difference, turned),
      ];
    }
    if (t.length === 3) {
      const sum = this.add(t[1], t[2]);
      const difference = this.scale(this.subtract(t[1], t[2]), this.twiddle(unit).i);
      const rest = this.complex(t[0].r - (sum.r >> 1n), t[0].i - (sum.i >> 1n));
      return [
        this.add(t[0], sum),
        this.complex(rest.r - difference.i, rest.i + difference.r),
        this.complex(rest.r + difference.i, rest.i - difference.r),
      ];
    }
    const a = this.twiddle(unit);
    const b = this.twiddle(2 * unit);
    const outer = this.add(t[1], t[4]);
    const inner = this.add(t[2], t[3]);
    const outerD = this.subtract(t[1], t[4]);
    const innerD = this.subtract(t[2], t[3]);
    const s5 = this.add(this.add(t[0], this.scale(outer, a.r)), this.scale(inner, b.r));
    const s11 = this.add(this.add(t[0], this.scale(outer, b.r)), this.scale(inner, a.r));
    const s6 = this.complex(
      this.scale(outerD, a.i).i + this.scale(innerD, b.i).i,
      -this.scale(outerD, a.i).r - this.scale(innerD, b.i).r,
    );
    const s12 = this.complex(
      this.scale(innerD, a.i).i - this.scale(outerD, b.i).i,
      this.scale(outerD, b.i).r - this.scale(innerD, a.i).r,
    );
    return [
      this.add(this.add(t[0], outer), inner),
      this.subtract(s5, s6),
      this.add(s11, s12),
      this.subtract(s11, s12),
      this.add(s5, s6),
    ];
  }

  private joining(k: number): Complex {
    return this.unit(-Math.PI * (k / this.points + 0.5));
  }

  /** Real signal to points + 1 complex numbers. */
  forward(x: number[]): number[] {
    const n = this.points;
    const packed = Array.from({ length: n }, (_, k) =>
      this.complex(BigInt(x[2 * k] ?? 0), BigInt(x[2 * k + 1] ?? 0)),
    );
    const z = this.transform(packed, 1);
    const y: Complex[] = Array.from({ length: n + 1 });
    const dc = this.divide(z[0], 2);
    y[0] = this.complex(dc.r + dc.i, 0n);
    y[n] = this.complex(dc.r - dc.i, 0n);
    for (let k = 1; k <= n / 2; k++) {
      const a = this.divide(z[k], 2);
      const b = this.divide(this.complex(z[n - k].r, -z[n - k].i), 2);
      const sum = this.add(a, b);
      const turned = this.multiply(this.subtract(a, b), this.joining(k));
      const half = (v: bigint): bigint => (this.bits === 32 ? this.wrap(v) : v) >> 1n;
      y[k] = this.complex(half(sum.r + turned.r), half(sum.i + turned.i));
      y[n - k] = this.complex(half(sum.r - turned.r), half(turned.i - sum.i));
    }
    return y.flatMap(({ r, i }) => [Number(r), Number(i)]);
  }

  /** The opposite. */
  backward(x: number[]): number[] {
    const n = this.points;
    const at = (k: number): Complex => this.complex(BigInt(x[2 * k]), BigInt(x[2 * k + 1]));
    const z: Complex[] = Array.from({ length: n });
    z[0] = this.divide(this.complex(at(0).r + at(n).r, at(0).r - at(n).r), 2);
    for (let k = 1; k <= n / 2; k++) {
      const a = this.divide(at(k), 2);
      const b = this.divide(this.complex(at(n - k).r, -at(n - k).i), 2);
      const sum = this.add(a, b);
      const turned = this.multiply(this.subtract(a, b), this.joining(k));
      z[k] = this.add(sum, turned);
      const other = this.subtract(sum, turned);
      z[n - k] = this.complex(other.r, -other.i);
    }
    return this.transform(z, 1).flatMap(({ r, i }) => [Number(r), Number(i)]);
  }
}
