// A figure for each population: its canvas, a second one for another machine, and the brush.

import { colour, panelPixels, put } from "./picture.js";

const LARGEST_PIXEL = 28;
const COLUMN_PIXEL = 18;
const WIDEST = 560;
const NARROWEST_FIGURE = 130; // for its words
const HIGHEST = 260;

export class Panels {
  // paint: takes a population's name and neurons when somebody breaks them.
  constructor(root, legend, paint) {
    this.root = root;
    this.legend = legend;
    this.paint = paint;
    this.figures = [];
  }

  build(network) {
    this.network = network;
    this.root.replaceChildren();
    this.figures = network.panels.map((panel) => this.figure(panel));
  }

  figure(panel) {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    const other = document.createElement("canvas");
    const [whose, others] = [canvas, other].map((one) => framed(one));
    others.classList.add("beside");
    const caption = document.createElement("figcaption");
    const largest = panel.width === 1 ? COLUMN_PIXEL : LARGEST_PIXEL;
    const times = Math.max(1, Math.floor(
      Math.min(largest, WIDEST / panel.width, HIGHEST / panel.height)));
    for (const one of [canvas, other]) {
      one.width = panel.width;
      one.height = panel.height;
      one.style.width = `${panel.width * times}px`;
      one.style.aspectRatio = `${panel.width} / ${panel.height}`;
    }
    figure.style.width = `${Math.max(NARROWEST_FIGURE, panel.width * times)}px`;
    others.hidden = true;
    other.dataset.beside = panel.name;
    other.setAttribute("role", "img");
    canvas.setAttribute("role", "img");
    const states = `${panel.size} neurons, states ${panel.low} to ${panel.high}`;
    canvas.setAttribute("aria-label", `${panel.name}: ${states}`);
    canvas.dataset.population = panel.name;
    say(caption, panel.name, states);
    if (panel.role === "output" && panel.width === 1) {
      for (const one of [whose, others]) one.lastChild.append(numbered(panel.height));
    }
    figure.append(whose, others, caption);
    this.root.append(figure);
    if (panel.role !== "input") this.listen(panel, canvas, caption, states);
    return { panel, canvas, other, whose, others };
  }

  // The other machine, in words.
  name(words) {
    for (const { panel, others, other } of this.figures) {
      others.querySelector(".whose").textContent = words;
      other.setAttribute("aria-label", `${panel.name} on the ${words}`);
    }
  }

  // Frames the neuron in which two machines part, in both pictures; none without a parting.
  mark(parting) {
    for (const { panel, whose, others } of this.figures) {
      const neuron = parting?.population === panel.name ? parting.neuron : -1;
      const cell = neuron < 0 ? -1 : panel.cells.indexOf(neuron);
      for (const one of [whose, others]) {
        const mark = one.querySelector(".parts");
        mark.hidden = cell < 0;
        mark.style.left = `${100 * (cell % panel.width) / panel.width}%`;
        mark.style.top = `${100 * Math.floor(cell / panel.width) / panel.height}%`;
        mark.style.width = `${100 / panel.width}%`;
        mark.style.height = `${100 / panel.height}%`;
      }
    }
  }

  // Crosses out the neurons that somebody broke with the brush, in the simulator's picture.
  markBroken(painted) {
    for (const { panel, whose } of this.figures) {
      const broken = painted[panel.name] ?? [];
      const crosses = whose.querySelector(".crosses");
      crosses.setAttribute("viewBox", `0 0 ${panel.width} ${panel.height}`);
      const paths = broken.map((neuron) => {
        const cell = panel.cells.indexOf(neuron);
        const [x, y] = [cell % panel.width, Math.floor(cell / panel.width)];
        return `M${x + 0.2} ${y + 0.2}l.6 .6M${x + 0.8} ${y + 0.2}l-.6 .6`;
      });
      crosses.replaceChildren(...["under", "over"].map((name) => {
        const line = document.createElementNS(crosses.namespaceURI, "path");
        line.setAttribute("d", paths.join(""));
        line.setAttribute("class", name);
        return line;
      }));
      const words = broken.length ? `${broken.length} broken neurons are crossed out` : "";
      crosses.setAttribute("aria-label", words);
      crosses.style.display = broken.length ? "" : "none";
    }
  }

  listen(panel, canvas, caption, states) {
    let at = [0, 0];
    canvas.tabIndex = 0;
    const point = () => {
      const neuron = panel.cells[at[1] * panel.width + at[0]];
      say(caption, panel.name, `${states}; ${neuron < 0 ? "no neuron here" : `neuron ${neuron}`}`);
    };
    const breakHere = () => {
      const neurons = this.under(panel, at);
      if (neurons.length) this.paint(panel.name, neurons);
    };
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      at = [
        Math.min(panel.width - 1, Math.floor((event.clientX - box.left) / box.width * panel.width)),
        Math.min(panel.height - 1, Math.floor((event.clientY - box.top) / box.height * panel.height)),
      ];
      point();
      breakHere();
    });
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Enter") breakHere();
      else if (moves[event.key]) {
        const [dx, dy] = moves[event.key];
        at = [
          Math.max(0, Math.min(panel.width - 1, at[0] + dx)),
          Math.max(0, Math.min(panel.height - 1, at[1] + dy)),
        ];
        point();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  // Neurons under the brush, a square whose middle is at a pixel.
  under(panel, [x, y]) {
    const side = Number(document.getElementById("brush-size").value) || 1;
    const first = Math.floor((side - 1) / 2);
    const found = [];
    for (let v = y - first; v < y - first + side; v++) {
      for (let u = x - first; u < x - first + side; u++) {
        const inside = u >= 0 && v >= 0 && u < panel.width && v < panel.height;
        const neuron = inside ? panel.cells[v * panel.width + u] : -1;
        if (neuron >= 0) found.push(neuron);
      }
    }
    return found;
  }

  show(planes, palette, beside) {
    this.root.classList.toggle("compared", beside);
    for (const { panel, canvas, other, others } of this.figures) {
      put(canvas, panelPixels(panel, planes, this.network, palette), panel.width, panel.height);
      others.hidden = !beside;
      if (beside) {
        const pixels = panelPixels(panel, planes, this.network, palette, 4);
        put(other, pixels, panel.width, panel.height);
      }
    }
  }

  explain(palette) {
    const parts = [
      ["state, up to its largest magnitude", (v) => [v, 0, 0, 0]],
      ["moved within a sweep, full at 1/4 of the range", (v) => [0, v, 0, 0]],
      ["distance from the free equilibrium, full at 1/16", (v) => [0, 0, v, 0]],
      ["changed while the energy did not fall", () => [0, 0, 0, 255]],
    ];
    this.legend.replaceChildren(...parts.map(([words, planes]) => {
      const item = document.createElement("li");
      const swatch = document.createElement("canvas");
      const pixels = new Uint8ClampedArray(4 * 32);
      for (let x = 0; x < 32; x++) {
        pixels.set([...colour(...planes(Math.round(x * 255 / 31)), palette), 255], 4 * x);
      }
      put(swatch, pixels, 32, 1);
      item.append(swatch, words);
      return item;
    }));
    const signs = [["×", "broken with the brush"], ["▢", "first difference of two machines"]];
    this.legend.append(...signs.map(([sign, words]) => {
      const item = document.createElement("li");
      const shown = document.createElement("b");
      shown.textContent = sign;
      item.append(shown, ` ${words}`);
      return item;
    }));
  }
}

function say(caption, name, words) {
  const title = document.createElement("b");
  title.textContent = name;
  caption.replaceChildren(title, words);
}

// Numbers beside the pixels of a column.
function numbered(count) {
  const names = document.createElement("div");
  names.className = "names";
  names.setAttribute("aria-hidden", "true");
  names.append(...Array.from({ length: count }, (_, k) => {
    const name = document.createElement("span");
    name.textContent = k;
    return name;
  }));
  return names;
}

// Whose picture it is, the picture, and the frame that marks one of its neurons.
function framed(canvas) {
  const holder = document.createElement("div");
  const whose = document.createElement("p");
  const picture = document.createElement("div");
  const mark = document.createElement("i");
  const crosses = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  crosses.setAttribute("class", "crosses");
  crosses.setAttribute("role", "img");
  whose.className = "whose";
  whose.textContent = "simulator";
  picture.className = "picture";
  mark.className = "parts";
  mark.hidden = true;
  picture.append(canvas, crosses, mark);
  holder.append(whose, picture);
  return holder;
}
