// Curves and bars. They are drawn from numbers; what they show is also written out.

const SVG = "http://www.w3.org/2000/svg";

export const number = (value) => Math.round(value).toLocaleString("en");

function path(name, points) {
  const made = document.createElementNS(SVG, "path");
  const text = points.map(([x, y], k) => `${k ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
  made.setAttribute("d", text.join(""));
  if (name) made.setAttribute("class", name);
  return made;
}

// Both ends of an axis, short where that tells them apart.
function ends(high, low) {
  const short = [high, low].map((value) => Math.round(value).toLocaleString(
    "en", { notation: "compact", maximumFractionDigits: 1 }));
  return short[0] === short[1] ? [number(high), number(low)] : short;
}

// Writes beside a curve what its corners stand for: [high, low] up, [left, what, right] along.
function scale(svg, up, along) {
  const sides = [["up", up], ["along", along]].map(([name, words]) => {
    const side = document.createElement("span");
    side.className = name;
    side.append(...words.map((word) => {
      const part = document.createElement("i");
      part.textContent = word;
      return part;
    }));
    return side;
  });
  svg.parentElement.replaceChildren(sides[0], svg, sides[1]);
}

// rows: [tick, energy, changes, synops, dense, rises]; now: the tick that is shown.
export class EnergyCurve {
  constructor(svg, said) {
    this.svg = svg;
    this.said = said;
    this.rows = [];
  }

  take(curve) {
    if (curve.from <= curve.first) this.rows = [];
    const keep = this.rows.filter((row) => row[0] >= curve.first && row[0] < curve.from);
    this.rows = keep.concat(curve.rows);
  }

  show(now) {
    const rows = this.rows.filter((row) => row[1] !== null);
    this.svg.replaceChildren();
    this.svg.parentElement.hidden = !rows.length;
    if (!rows.length) {
      this.said.textContent = "This network has no energy: its feedback is its own.";
      return;
    }
    const low = Math.min(...rows.map((row) => row[1]));
    const high = Math.max(...rows.map((row) => row[1]), low + 1);
    const first = rows[0][0];
    const last = Math.max(rows[rows.length - 1][0], first + 1);
    const place = (row) => [
      6 + 388 * (row[0] - first) / (last - first),
      10 + 130 * (high - row[1]) / (high - low),
    ];
    this.svg.append(path("", rows.map(place)));
    const [top, bottom] = ends(high, low);
    scale(this.svg, [top, "2E", bottom], [number(first), "tick", number(last)]);
    const rises = rows.filter((row) => row[5]);
    for (const row of rises.slice(-500)) {
      const [x, y] = place(row);
      this.svg.append(path("rise", [[x, y - 5], [x, y + 5]]));
    }
    const at = rows.find((row) => row[0] === now);
    if (at) {
      const [x] = place(at);
      this.svg.append(path("now", [[x, 0], [x, 150]]));
    }
    const change = at ? `2E = ${number(at[1])} at tick ${now}` : "";
    const fell = rises.length
      ? `it did not fall in ${rises.length} ticks with changes, marked in magenta`
      : "it fell in every tick with changes";
    this.said.textContent = `${change}; ${fell}. Units: the finest accumulator's lowest bit. `
      + `Ticks 0 to ${last}.`;
    this.svg.setAttribute("aria-label", this.said.textContent);
  }
}

export function showAccuracy(svg, curve) {
  svg.parentElement.hidden = curve.length < 2;
  if (curve.length < 2) return;
  const last = curve[curve.length - 1][0] || 1;
  const first = curve[0][0];
  const points = curve.map(([x, y]) => [
    4 + 392 * (x - first) / Math.max(1, last - first), 96 - 92 * y]);
  svg.replaceChildren(path("", points));
  scale(svg, ["100 %", "0 %"], [number(first), "images learned", number(last)]);
  const percent = (100 * curve[curve.length - 1][1]).toFixed(1);
  svg.setAttribute("aria-label", `accuracy from 0 to 100 %, now ${percent} %`);
}

function bar(name, share, value, best) {
  const row = document.createElement("div");
  row.className = best ? "bar best" : "bar";
  const length = document.createElement("i");
  length.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
  const [left, right] = [name, value].map((text) => {
    const part = document.createElement("span");
    part.textContent = text;
    return part;
  });
  row.append(left, length, right);
  return row;
}

export function showClasses(root, scores, best, rows) {
  if (rows > 1 || !scores.length) {
    root.textContent = "This output names several classes at once.";
    return;
  }
  const low = Math.min(0, ...scores);
  const span = Math.max(1, Math.max(...scores) - low);
  root.replaceChildren(...scores.map((score, k) => bar(
    `class ${k}`, (score - low) / span, number(score), k === best && score > low)));
  root.setAttribute("aria-label", `class ${best} has the largest score`);
}

export function showWork(root, counts) {
  const most = Math.max(1, counts.dense, counts.synops);
  const saved = counts.synops
    ? `a dense machine reads ${(counts.dense / counts.synops).toFixed(1)} times as many weights`
    : `a dense machine reads ${number(counts.dense)} weights`;
  root.replaceChildren(
    bar("events", counts.events / most, number(counts.events), false),
    bar("synops", counts.synops / most, number(counts.synops), true),
    bar("dense", counts.dense / most, `${number(counts.dense)}`, false),
  );
  const note = document.createElement("p");
  note.className = "help";
  note.textContent = `Synaptic operations so far; ${saved}.`;
  root.append(note);
}
