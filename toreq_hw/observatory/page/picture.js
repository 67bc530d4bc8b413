// Colours of planes: the same sums in integers as toreq_hw/observatory/picture.py.

export function colour(state, moved, nudged, rising, palette) {
  if (rising) return palette.rising;
  const sum = (k) => Math.min(
    255,
    Math.floor((state * palette.state[k] + moved * palette.moved[k] + nudged * palette.nudged[k]
      + 127) / 255),
  );
  return [sum(0), sum(1), sum(2)];
}

// The pixels of one panel as RGBA. planes: 4 of the whole picture, after `skip` others.
export function panelPixels(panel, planes, size, palette, skip = 0) {
  const pixels = new Uint8ClampedArray(4 * panel.height * panel.width);
  const area = size.height * size.width;
  const start = skip * area;
  for (let y = 0; y < panel.height; y++) {
    for (let x = 0; x < panel.width; x++) {
      const to = y * panel.width + x;
      const from = start + (panel.top + y) * size.width + panel.left + x;
      const [r, g, b] = panel.cells[to] < 0 ? palette.ground : colour(
        planes[from], planes[from + area], planes[from + 2 * area], planes[from + 3 * area], palette,
      );
      pixels.set([r, g, b, 255], 4 * to);
    }
  }
  return pixels;
}

export function put(canvas, pixels, width, height) {
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}
