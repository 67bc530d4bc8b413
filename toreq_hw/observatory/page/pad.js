// An image that is painted: with the mouse, or with keys. Pixels 0 to 255, row by row.

export class Pad {
  // painted: called with the pixels when a stroke ends.
  constructor(canvas, painted) {
    this.canvas = canvas;
    this.painted = painted;
    this.at = [0, 0];
    this.touched = false;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.paints) return;
      canvas.setPointerCapture(event.pointerId);
      this.last = null;
      this.down = true;
      this.stroke(event);
    });
    canvas.addEventListener("pointermove", (event) => { if (this.down) this.stroke(event); });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => { if (this.down) { this.down = false; this.finish(); } });
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => this.show());
  }

  build(image) {
    [this.width, this.height, this.paints] = [image.width, image.height, image.paints];
    this.canvas.width = this.width;
    this.canvas.height = this.height;
    this.pixels = new Uint8ClampedArray(this.width * this.height);
    this.strokes = 0;
    this.at = [Math.floor(this.width / 2), Math.floor(this.height / 2)];
  }

  // painted: how many of this pad's images the server had when it sent these pixels. Older ones
  // would undo a stroke that is on its way.
  set(pixels, painted) {
    if (this.down || painted < this.strokes) return;
    this.pixels = Uint8ClampedArray.from(pixels);
    this.show();
  }

  stroke(event) {
    const box = this.canvas.getBoundingClientRect();
    const to = [
      (event.clientX - box.left) / box.width * this.width,
      (event.clientY - box.top) / box.height * this.height,
    ];
    const from = this.last ?? to;
    const steps = Math.max(1, Math.ceil(2 * Math.hypot(to[0] - from[0], to[1] - from[1])));
    for (let k = 1; k <= steps; k++) {
      this.dab(from[0] + (to[0] - from[0]) * k / steps, from[1] + (to[1] - from[1]) * k / steps);
    }
    this.last = to;
    this.show();
  }

  // A round dab about a point; its radius suits images of 8 and of 28 rows.
  dab(x, y) {
    const radius = Math.max(0.75, this.height / 18);
    for (let v = 0; v < this.height; v++) {
      for (let u = 0; u < this.width; u++) {
        const far = Math.hypot(u + 0.5 - x, v + 0.5 - y);
        const ink = Math.round(255 * Math.max(0, Math.min(1, radius + 0.5 - far)));
        const k = v * this.width + u;
        this.pixels[k] = Math.max(this.pixels[k], ink);
      }
    }
  }

  key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!this.paints) return;
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      this.at = [
        Math.max(0, Math.min(this.width - 1, this.at[0] + dx)),
        Math.max(0, Math.min(this.height - 1, this.at[1] + dy)),
      ];
    } else if (event.key === " ") {
      this.dab(this.at[0] + 0.5, this.at[1] + 0.5);
      this.finish();
    } else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.show();
  }

  clear() {
    this.pixels.fill(0);
    this.show();
    this.finish();
  }

  finish() {
    this.strokes += 1;
    this.painted(Array.from(this.pixels));
  }

  show() {
    const image = new ImageData(this.width, this.height);
    this.pixels.forEach((v, k) => image.data.set([v, v, v, 255], 4 * k));
    if (document.activeElement === this.canvas) {
      const k = 4 * (this.at[1] * this.width + this.at[0]);
      image.data.set([240, 140, 0, 255], k);
    }
    this.canvas.getContext("2d").putImageData(image, 0, 0);
  }
}
